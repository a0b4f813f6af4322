import type { KindRegistry } from '@periplus/api';
import type { Counter, Gauge, Histogram, Metrics } from '@periplus/component';
import type { RequestInfo } from './request-info.ts';
import { subresourcesOf } from './served-resources.ts';

/** Verbs as kube-apiserver's metrics name them. */
const VERB: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Counts and times requests under the names that dashboards for Kubernetes read. */
export class RequestMetrics {
  private readonly total: Counter;
  private readonly seconds: Histogram;
  private readonly series = new Map<string, { count: () => void; time: (seconds: number) => void }>();
  /** Being answered now, without watches and followed logs. */
  inflight = 0;
  private watches = 0;
  private readonly kinds: KindRegistry;

  constructor(metrics: Metrics, kinds: KindRegistry) {
    this.kinds = kinds;
    this.total = metrics.counter('apiserver_request_total', 'Requests by verb, resource and HTTP code.');
    this.seconds = metrics.histogram(
      'apiserver_request_duration_seconds',
      'Time to answer in seconds, without watches and followed logs.',
      SECONDS,
    );
    const gauge: Gauge = metrics.gauge('apiserver_current_inflight_requests', 'Requests being answered.');
    gauge.observe(() => this.inflight);
    metrics.gauge('apiserver_longrunning_requests', 'Watches and followed logs.').observe(() => this.watches);
  }

  begin(info: RequestInfo): void {
    if (isLongRunning(info)) this.watches++;
    else this.inflight++;
  }

  end(info: RequestInfo, code: number, seconds: number): void {
    const long = isLongRunning(info);
    if (long) this.watches--;
    else this.inflight--;
    const series = this.of(info, code);
    series.count();
    if (!long) series.time(seconds);
  }

  private of(info: RequestInfo, code: number) {
    const id = `${info.verb} ${code} ${info.group}/${info.version}/${info.resource}/${info.subresource}`;
    const found = this.series.get(id);
    if (found) return found;
    const { group, version, resource, subresource } = info;
    const kind = info.verb in VERB && this.kinds.byResource(group, version, resource);
    const known = kind && (subresource === '' || subresourcesOf(kind).some(({ name }) => name === subresource));
    // Clients can make up names without end: those share one series.
    const what = known
      ? { group, version, resource, subresource }
      : { group: '', version: '', resource: '', subresource: '' };
    const labels = { verb: known ? VERB[info.verb]! : '', ...what };
    const count = this.total.labelled({ ...labels, code: String(code) });
    const time = this.seconds.labelled(labels);
    const series = { count: () => count.add(), time: (seconds: number) => time.observe(seconds) };
    if (known) this.series.set(id, series);
    return series;
  }
}

export const isLongRunning = (info: RequestInfo): boolean => info.verb === 'watch' || info.subresource === 'log';
