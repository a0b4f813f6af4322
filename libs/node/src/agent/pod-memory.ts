import { type Backoff, nextBackoff, retryAt } from '../pod/crash-backoff.ts';
import type { PodMemory, ProbeState, StartFailure } from '../pod/pod-runtime.ts';
import type { AgentContext } from './agent-context.ts';

/** What a worker remembers of its pod. */
export class WorkerMemory implements PodMemory {
  volumesReady = false;
  cleanedUp = false;
  readonly stopping = new Map<string, number>();
  readonly startFailures = new Map<string, StartFailure>();
  readonly starting = new Set<string>();
  /** By container id. */
  readonly messages = new Map<string, string>();
  private readonly context: AgentContext;
  private readonly backoffs = new Map<string, Backoff>();

  constructor(context: AgentContext) {
    this.context = context;
  }

  get hostAddresses(): readonly string[] {
    return this.context.settings.facts.addresses;
  }

  retryAt(containerName: string, endedMs: number): number | undefined {
    return retryAt(this.backoffs.get(containerName), endedMs);
  }

  backoffMs(containerName: string): number {
    return this.backoffs.get(containerName)?.delayMs ?? 0;
  }

  /** A container is started again because it ended at `endedMs`. */
  restarted(containerName: string, endedMs: number): void {
    this.backoffs.set(containerName, nextBackoff(this.backoffs.get(containerName), endedMs, this.context.now()));
  }

  probes(containerId: string): ProbeState {
    return this.context.prober.state(containerId);
  }

  terminationMessage(containerId: string): string {
    return this.messages.get(containerId) ?? '';
  }
}
