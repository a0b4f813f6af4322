import { describeCriError, isCriNotFound } from '@periplus/cri';
import type { Container, Pod } from '../pod/pod-types.ts';
import { runHandler } from '../probes/run-probe.ts';
import type { AgentContext } from './agent-context.ts';
import type { TellPod } from './image-puller.ts';

/** A container gets this long after its preStop hook even when that has used up the grace period. */
const GRACE_SECONDS_MIN = 2;

export interface StopRequest {
  id: string;
  graceSeconds: number;
  message: string;
}

/** Stops containers of one pod in the background. */
export class Stopper {
  private readonly context: AgentContext;
  private readonly stopping: Map<string, number>;
  private readonly onStopped: () => void;

  /** `stopping`: container id to when it will be killed for good. */
  constructor(context: AgentContext, stopping: Map<string, number>, onStopped: () => void) {
    this.context = context;
    this.stopping = stopping;
    this.onStopped = onStopped;
  }

  /** A second call with less time shortens the first. `container` is absent when nobody knows its spec any more. */
  stop(request: StopRequest, pod: Pod, container: Container | undefined, address: string, tell: TellPod): void {
    const { id, graceSeconds } = request;
    const isFirst = !this.stopping.has(id);
    const killAtMs = this.context.now() + graceSeconds * 1_000;
    this.stopping.set(id, killAtMs);
    if (isFirst) tell('Normal', 'Killing', request.message);
    void this.run(request, isFirst ? container : undefined, pod, address, tell).finally(() => {
      // A later, shorter stop has put its own time there, and clears it.
      if (this.stopping.get(id) === killAtMs) this.stopping.delete(id);
      this.onStopped();
    });
  }

  private async run(
    { id, graceSeconds }: StopRequest,
    container: Container | undefined,
    pod: Pod,
    address: string,
    tell: TellPod,
  ): Promise<void> {
    const startedMs = this.context.now();
    const hook = container?.lifecycle?.preStop;
    let leftSeconds = graceSeconds;
    if (container && hook && graceSeconds > 0) {
      const target = { cri: this.context.cri, container, containerId: id, address };
      const result = await runHandler(hook, target, graceSeconds * 1_000);
      if (!result.ok) tell('Warning', 'FailedPreStopHook', `PreStopHook failed`);
      const usedSeconds = Math.round((this.context.now() - startedMs) / 1_000);
      leftSeconds = Math.max(graceSeconds - usedSeconds, GRACE_SECONDS_MIN);
    }
    try {
      await this.context.cri.stopContainer(id, leftSeconds);
    } catch (error) {
      if (isCriNotFound(error)) return;
      const fields = { pod: pod.metadata.name, namespace: pod.metadata.namespace, error: describeCriError(error) };
      this.context.log.warn(fields, 'could not stop a container');
    }
  }
}
