import { horizontalPodAutoscaler, type PodMetrics } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { HeardMetrics, PodUsage } from './pod-usage.ts';

/** How often it is looked whether a namespace is due. */
const TICK_MS = 1_000;
/** Namespaces that are asked about at once; others wait for the next look. */
const ASKED_MAX = 8;

export interface UsageFeedDeps {
  /** The PodMetrics of a namespace, from the api-server. Comes to an end by itself. */
  list(namespace: string): Promise<readonly PodMetrics[]>;
  /** How old what was heard may become. */
  periodMs: number;
}

/**
 * Keeps what the autoscaler is told of the use of pods: asks the metrics API about namespaces that have autoscalers, and
 * only those. The one part of the autoscaler that does I/O.
 */
export class UsageFeed implements PodUsage {
  private readonly deps: UsageFeedDeps;
  private readonly heard = new Map<string, { atMs: number; metrics: HeardMetrics }>();
  private readonly asking = new Set<string>();

  constructor(deps: UsageFeedDeps) {
    this.deps = deps;
  }

  in(namespace: string): HeardMetrics | undefined {
    return this.heard.get(namespace)?.metrics;
  }

  /** Asks about the autoscalers in `view` until `signal`, from which on nothing is known any more. */
  start(view: () => View, signal: AbortSignal): void {
    const timer = setInterval(() => this.look(view(), signal), TICK_MS);
    signal.addEventListener(
      'abort',
      () => {
        clearInterval(timer);
        this.heard.clear();
      },
      { once: true },
    );
    this.look(view(), signal);
  }

  private look(view: View, signal: AbortSignal): void {
    const wanted = new Set(view.list(horizontalPodAutoscaler).map(({ metadata }) => metadata.namespace ?? ''));
    for (const namespace of this.heard.keys()) if (!wanted.has(namespace)) this.heard.delete(namespace);
    for (const namespace of wanted) {
      if (this.asking.size >= ASKED_MAX) return;
      const known = this.heard.get(namespace);
      const isDue = !known || view.nowMs - known.atMs >= this.deps.periodMs;
      if (isDue && !this.asking.has(namespace)) void this.ask(namespace, view.nowMs, signal);
    }
  }

  private async ask(namespace: string, atMs: number, signal: AbortSignal): Promise<void> {
    this.asking.add(namespace);
    const metrics = await this.deps.list(namespace).then(
      (items): HeardMetrics => ({ byPod: new Map(items.map((one) => [one.metadata.name ?? '', one])) }),
      (error: Error): HeardMetrics => ({ problem: error.message }),
    );
    this.asking.delete(namespace);
    if (!signal.aborted) this.heard.set(namespace, { atMs, metrics });
  }
}
