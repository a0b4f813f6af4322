import { expect, it } from 'vitest';
import { runChecks } from './health.ts';
import { Metrics } from './metrics.ts';

it('lists every check and fails when one does', async () => {
  const page = await runChecks('readyz', [
    { name: 'etcd', run: () => undefined },
    {
      name: 'cache',
      run: () => {
        throw new Error('not synced');
      },
    },
  ]);
  expect(page).toEqual({ ok: false, verbose: '[+]etcd ok\n[-]cache failed: not synced\nreadyz check failed\n' });
});

it('writes histograms with cumulative buckets', () => {
  const metrics = new Metrics();
  const latency = metrics.histogram('request_seconds', 'Latency.', [0.1, 1]);
  latency.observe(0.05, { verb: 'get' });
  latency.observe(0.5, { verb: 'get' });
  latency.observe(5, { verb: 'get' });
  expect(metrics.text()).toContain(
    [
      'request_seconds_bucket{verb="get",le="0.1"} 1',
      'request_seconds_bucket{verb="get",le="1"} 2',
      'request_seconds_bucket{verb="get",le="+Inf"} 3',
      'request_seconds_sum{verb="get"} 5.55',
      'request_seconds_count{verb="get"} 3',
    ].join('\n'),
  );
});

it('escapes label values', () => {
  const metrics = new Metrics();
  metrics.counter('requests_total', 'Requests.').add(1, { path: 'a"b\n' });
  expect(metrics.text()).toContain('requests_total{path="a\\"b\\n"} 1');
});

it('names checks that do not count, and those that there are not, and keeps reasons from the public', async () => {
  const checks = [
    { name: 'etcd', run: () => 'away' },
    { name: 'cache', run: () => 'at revision 5' },
  ];
  const page = await runChecks('readyz', checks, { excluded: ['etcd', 'log'], withholdReasons: true });
  expect(page.verbose.split('\n')).toEqual([
    '[+]etcd excluded: ok',
    '[-]cache failed: reason withheld',
    'warn: some health checks cannot be excluded: no matches for "log"',
    'readyz check failed',
    '',
  ]);
});
