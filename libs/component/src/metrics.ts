/**
 * Counters, gauges and histograms in the Prometheus text format.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
type Labels = Readonly<Record<string, string>>;

/** Series of one metric; a caller that makes up labels from outside input would exceed it and is cut off. */
const SERIES_MAX = 2_000;

/** Upper bounds in seconds for latencies from a tenth of a millisecond to ten seconds. */
export const LATENCY_SECONDS: readonly number[] = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const escaped = (value: string): string => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
const sample = (name: string, labels: string, value: number): string =>
  labels ? `${name}{${labels}} ${value}\n` : `${name} ${value}\n`;

abstract class Metric<Series> {
  readonly name: string;
  protected readonly series = new Map<string, Series>();
  private readonly help: string;
  private readonly type: string;

  constructor(name: string, help: string, type: string) {
    this.name = name;
    this.help = help;
    this.type = type;
  }

  /** The series of these labels; undefined when there are too many already. */
  protected of(labels: Labels | undefined, make: () => Series): Series | undefined {
    const text = labels ? labelText(labels) : '';
    let found = this.series.get(text);
    if (found === undefined && this.series.size < SERIES_MAX) {
      found = make();
      this.series.set(text, found);
    }
    return found;
  }

  text(): string {
    let out = `# HELP ${this.name} ${this.help}\n# TYPE ${this.name} ${this.type}\n`;
    for (const [labels, series] of this.series) out += this.seriesText(labels, series);
    return out;
  }

  protected abstract seriesText(labels: string, series: Series): string;
}

export class Counter extends Metric<{ value: number }> {
  constructor(name: string, help: string) {
    super(name, help, 'counter');
  }

  add(amount = 1, labels?: Labels): void {
    const series = this.of(labels, () => ({ value: 0 }));
    if (series) series.value += amount;
  }

  /** The series of these labels, for where it is counted often. */
  labelled(labels: Labels): { add(amount?: number): void } {
    const series = this.of(labels, () => ({ value: 0 }));
    return {
      add: (amount = 1) => {
        if (series) series.value += amount;
      },
    };
  }

  protected override seriesText(labels: string, series: { value: number }): string {
    return sample(this.name, labels, series.value);
  }
}

/** Read when the page is asked for. */
export class Gauge extends Metric<{ read: () => number }> {
  constructor(name: string, help: string) {
    super(name, help, 'gauge');
  }

  observe(read: () => number, labels?: Labels): void {
    const series = this.of(labels, () => ({ read }));
    if (series) series.read = read;
  }

  protected override seriesText(labels: string, series: { read: () => number }): string {
    return sample(this.name, labels, series.read());
  }
}

interface HistogramSeries {
  counts: Float64Array;
  count: number;
  sum: number;
}

export class Histogram extends Metric<HistogramSeries> {
  private readonly bounds: readonly number[];

  constructor(name: string, help: string, bounds: readonly number[] = LATENCY_SECONDS) {
    super(name, help, 'histogram');
    this.bounds = bounds;
  }

  observe(value: number, labels?: Labels): void {
    this.record(this.of(labels, this.newSeries), value);
  }

  /** The series of these labels, for where it is observed often. */
  labelled(labels: Labels): { observe(value: number): void } {
    const series = this.of(labels, this.newSeries);
    return { observe: (value) => this.record(series, value) };
  }

  private readonly newSeries = (): HistogramSeries => ({
    counts: new Float64Array(this.bounds.length),
    count: 0,
    sum: 0,
  });

  private record(series: HistogramSeries | undefined, value: number): void {
    if (!series) return;
    series.count += 1;
    series.sum += value;
    const slot = this.bounds.findIndex((bound) => value <= bound);
    if (slot >= 0) series.counts[slot]! += 1;
  }

  protected override seriesText(labels: string, series: HistogramSeries): string {
    const prefix = labels ? `${labels},` : '';
    let below = 0;
    let out = '';
    for (const [slot, bound] of this.bounds.entries()) {
      below += series.counts[slot]!;
      out += sample(`${this.name}_bucket`, `${prefix}le="${bound}"`, below);
    }
    out += sample(`${this.name}_bucket`, `${prefix}le="+Inf"`, series.count);
    return out + sample(`${this.name}_sum`, labels, series.sum) + sample(`${this.name}_count`, labels, series.count);
  }
}

/** The metrics of one process, with those of the process itself. */
export class Metrics {
  private readonly all = new Map<string, { text(): string }>();

  constructor() {
    this.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.').observe(() =>
      process.memoryUsage.rss(),
    );
    this.gauge('process_cpu_seconds_total', 'User and system CPU time spent in seconds.').observe(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
    this.gauge('process_start_time_seconds', 'Start time of the process since the epoch in seconds.').observe(
      () => Math.round(performance.timeOrigin) / 1000,
    );
  }

  counter(name: string, help: string): Counter {
    return this.add(new Counter(name, help));
  }

  gauge(name: string, help: string): Gauge {
    return this.add(new Gauge(name, help));
  }

  histogram(name: string, help: string, bounds?: readonly number[]): Histogram {
    return this.add(new Histogram(name, help, bounds));
  }

  text(): string {
    let out = '';
    for (const metric of this.all.values()) out += metric.text();
    return out;
  }

  private add<M extends { name: string; text(): string }>(metric: M): M {
    if (this.all.has(metric.name)) throw new Error(`metric ${metric.name} is registered twice`);
    this.all.set(metric.name, metric);
    return metric;
  }
}
