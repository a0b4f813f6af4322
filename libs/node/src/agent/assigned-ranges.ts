import type { Node } from '@periplus/api';
import type { Logger } from '@periplus/component';
import { type Cri, describeCriError } from '@periplus/cri';

const RETRY_MS = 1_000;

export interface AssignedRangesDeps {
  cri: Pick<Cri, 'setPodRanges'>;
  log: Logger;
}

/**
 * Tells the runtime which ranges of pod addresses its node has, as the kubelet does. A containerd that makes the network
 * of pods from a template waits for that; one that has a network takes no notice.
 * https://github.com/containerd/containerd/blob/main/docs/cri/config.md#cni-config-template
 */
export class AssignedRanges {
  private readonly deps: AssignedRangesDeps;
  private ranges: readonly string[] = [];
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(deps: AssignedRangesDeps) {
    this.deps = deps;
  }

  /** The node has changed. Once it has ranges it keeps them. */
  see({ spec }: Node): void {
    const { podCIDRs = [] } = spec;
    if (podCIDRs.length === 0 || podCIDRs.join() === this.ranges.join()) return;
    this.ranges = podCIDRs;
    void this.tell();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
  }

  private async tell(): Promise<void> {
    clearTimeout(this.retry);
    try {
      await this.deps.cri.setPodRanges(this.ranges);
    } catch (error) {
      if (this.closed) return;
      this.deps.log.warn({ error: describeCriError(error) }, 'could not tell the runtime the ranges of pod addresses');
      this.retry = setTimeout(() => void this.tell(), RETRY_MS);
    }
  }
}
