import type { Counter, Gauge, Histogram, Metrics } from '@periplus/component';
import type { Fairness, Flow, FlowObserver, Refusal } from '@periplus/operations';

const WAIT_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15];

/** What is counted of a flow. */
interface FlowSeries {
  readonly labels: { readonly flow_schema: string; readonly priority_level: string };
  readonly dispatched: { add(): void };
}

/** What becomes of requests over REST and gRPC, under the names that dashboards for Kubernetes read. */
export class FlowMetrics implements FlowObserver {
  private readonly total: Counter;
  private readonly rejected: Counter;
  private readonly wait: Histogram;
  private readonly gauges: readonly [Gauge, (name: string) => number][];
  private readonly shown = new Set<string>();
  private readonly flows = new WeakMap<Flow, FlowSeries>();

  constructor(fairness: Fairness, metrics: Metrics) {
    const name = (what: string): string => `apiserver_flowcontrol_${what}`;
    this.total = metrics.counter(name('dispatched_requests_total'), 'Requests that were served.');
    this.rejected = metrics.counter(name('rejected_requests_total'), 'Requests that were refused, by reason.');
    this.wait = metrics.histogram(
      name('request_wait_duration_seconds'),
      'Time in queues of the requests that had to wait.',
      WAIT_SECONDS,
    );
    const ofLevel = (level: string) => [...fairness.priorityLevels()].find((one) => one.level.name === level);
    this.gauges = [
      [
        metrics.gauge(name('current_inqueue_requests'), 'Requests in queues.'),
        (level) => ofLevel(level)?.level.waiting ?? 0,
      ],
      [
        metrics.gauge(name('current_executing_requests'), 'Requests being served.'),
        (level) => ofLevel(level)?.level.executingRequests ?? 0,
      ],
      [
        metrics.gauge(name('current_executing_seats'), 'Seats of requests being served.'),
        (level) => ofLevel(level)?.level.executing ?? 0,
      ],
      [
        metrics.gauge(name('current_limit_seats'), 'Seats of a level, with what it lends and borrows.'),
        (level) => ofLevel(level)?.level.limit ?? 0,
      ],
      [
        metrics.gauge(name('nominal_limit_seats'), 'Seats of a level by its shares.'),
        (level) => ofLevel(level)?.bounds.nominal ?? 0,
      ],
    ];
  }

  dispatched(flow: Flow): void {
    this.seriesOf(flow).dispatched.add();
  }

  refused(flow: Flow, reason: Refusal): void {
    this.rejected.add(1, { ...this.seriesOf(flow).labels, reason });
  }

  waited(flow: Flow, seconds: number): void {
    this.wait.observe(seconds, this.seriesOf(flow).labels);
  }

  private seriesOf(flow: Flow): FlowSeries {
    let series = this.flows.get(flow);
    if (!series) {
      const labels = { flow_schema: flow.name, priority_level: flow.level.name };
      series = { labels, dispatched: this.total.labelled(labels) };
      this.flows.set(flow, series);
      this.show(flow.level.name);
    }
    return series;
  }

  private show(level: string): void {
    if (this.shown.has(level)) return;
    this.shown.add(level);
    for (const [gauge, read] of this.gauges) gauge.observe(() => read(level), { priority_level: level });
  }
}
