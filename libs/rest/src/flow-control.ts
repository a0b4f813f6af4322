import type { Counter, Gauge, Histogram, Metrics } from '@periplus/component';
import { type Fairness, type Flow, type Seat, TooManyRequests, type User, Waiting } from '@periplus/operations';
import type { RequestInfo } from './request-info.ts';
import type { Exchange } from './respond.ts';

const WAIT_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15];
const LIMIT = /(?:^|&)limit=(\d+)/;

/** What is told and counted of a flow. */
interface FlowRecord {
  /** As pairs: names, values. */
  readonly headers: readonly string[];
  readonly labels: { readonly flow_schema: string; readonly priority_level: string };
  readonly dispatched: { add(): void };
}

/** Where requests enter: each takes a seat of its priority level, and waits for one where that must be. */
export class FlowControl {
  private readonly fairness: Fairness;
  private readonly metrics: FlowMetrics;
  private readonly records = new WeakMap<Flow, FlowRecord>();

  constructor(fairness: Fairness, metrics: Metrics) {
    this.fairness = fairness;
    this.metrics = new FlowMetrics(fairness, metrics);
  }

  /**
   * A seat, which must be released. Throws or rejects with TooManyRequests. The answer names the flow, even that
   * refusal. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#diagnostics
   */
  enter(exchange: Exchange, info: RequestInfo, user: User, query: string): Seat | Promise<Seat> {
    const { fairness } = this;
    const flow = fairness.flowOf(user, info);
    const record = this.recordOf(flow);
    exchange.flow = record.headers;
    const width = info.verb === 'list' ? fairness.widthOfList(info, Number(LIMIT.exec(query)?.[1] ?? 0)) : 1;
    let place: Seat | Waiting;
    try {
      place = fairness.enter(flow, user, info, width);
    } catch (error) {
      this.metrics.refused(record, error);
      throw error;
    }
    if (place instanceof Waiting) return this.turnOf(place, record, exchange);
    record.dispatched.add();
    return place;
  }

  private async turnOf(waiting: Waiting, record: FlowRecord, { response }: Exchange): Promise<Seat> {
    const startMs = performance.now();
    const withdraw = (): void => waiting.withdraw();
    response.once('close', withdraw);
    try {
      const seat = await waiting.seat;
      record.dispatched.add();
      return seat;
    } catch (error) {
      this.metrics.refused(record, error);
      throw error;
    } finally {
      response.off('close', withdraw);
      this.metrics.waited(record, (performance.now() - startMs) / 1000);
    }
  }

  private recordOf(flow: Flow): FlowRecord {
    let record = this.records.get(flow);
    if (!record) {
      const { level } = flow;
      const labels = { flow_schema: flow.name, priority_level: level.name };
      const uids = ['x-kubernetes-pf-flowschema-uid', flow.uid, 'x-kubernetes-pf-prioritylevel-uid', level.uid];
      // Those that are there without an object have no uid to tell.
      const headers = flow.uid && level.uid ? uids : [];
      record = { headers, labels, dispatched: this.metrics.dispatched(labels) };
      this.records.set(flow, record);
    }
    return record;
  }
}

/** Under the names that dashboards for Kubernetes read. */
class FlowMetrics {
  private readonly total: Counter;
  private readonly rejected: Counter;
  private readonly wait: Histogram;
  private readonly gauges: readonly [Gauge, (name: string) => number][];
  private readonly shown = new Set<string>();

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

  dispatched(labels: FlowRecord['labels']): { add(): void } {
    this.show(labels.priority_level);
    return this.total.labelled(labels);
  }

  refused({ labels }: FlowRecord, error: unknown): void {
    if (error instanceof TooManyRequests) this.rejected.add(1, { ...labels, reason: error.why });
  }

  waited({ labels }: FlowRecord, seconds: number): void {
    this.wait.observe(seconds, labels);
  }

  private show(level: string): void {
    if (this.shown.has(level)) return;
    this.shown.add(level);
    for (const [gauge, read] of this.gauges) gauge.observe(() => read(level), { priority_level: level });
  }
}
