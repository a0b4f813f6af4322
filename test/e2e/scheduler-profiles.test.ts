import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startCluster, type TestCluster } from '@periplus/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** JSON is YAML. */
const CONFIGURATION = {
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  profiles: [
    { schedulerName: 'default-scheduler' },
    { schedulerName: 'gentle', plugins: { postFilter: { disabled: [{ name: 'DefaultPreemption' }] } } },
    { schedulerName: 'ungated', plugins: { preEnqueue: { disabled: [{ name: 'SchedulingGates' }] } } },
  ],
};

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster(1);
  await cluster.periplus('down');
  const profiles = join(cluster.home, 'scheduler.yaml');
  writeFileSync(profiles, JSON.stringify(CONFIGURATION));
  const { settings } = cluster.folder;
  const before = JSON.parse(readFileSync(settings, 'utf8')) as object;
  writeFileSync(settings, JSON.stringify({ ...before, scheduler: { profiles } }));
  await cluster.periplus('up', '--detach');
  await cluster.kubectl('wait', 'serviceaccount/default', '--for=create', '--timeout=30s');
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

const create = async (name: string, spec: object): Promise<void> => {
  const containers = [{ name: 'main', image: 'example.com/main', resources: { requests: { cpu: '20' } } }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...spec } };
  expect((await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(pod) })).stderr).toBe('');
};

it('lets pods choose a scheduler that has nobody leave for them, and one that does not mind gates', async () => {
  // The simulated node has 32 CPUs.
  await create('low', {});
  await cluster.kubectl('wait', 'pod/low', '--for=condition=Ready', '--timeout=60s');
  await create('patient', { schedulerName: 'gentle', priorityClassName: 'system-node-critical' });
  await create('gated', {
    schedulerName: 'ungated',
    schedulingGates: [{ name: 'wait' }],
    containers: [{ name: 'main', image: 'example.com/main' }],
  });
  await eventually(async () => {
    expect(await cluster.kubectl('describe', 'pod', 'patient')).toMatch(
      /Warning +FailedScheduling .* gentle +0\/1 nodes are available: 1 Insufficient cpu\. no new claims to deallocate$/m,
    );
    expect(await cluster.kubectl('describe', 'pod', 'gated')).toMatch(
      /Warning +FailedScheduling .* ungated +running Bind plugin "DefaultBinder": .*pod gated has non-empty \.spec\.schedulingGates$/m,
    );
  });
  await create('urgent', { priorityClassName: 'system-node-critical' });
  await cluster.kubectl('wait', 'pod/urgent', '--for=condition=Ready', '--timeout=90s');
  const uid = await cluster.kubectl('get', 'pod', 'urgent', '-o', 'jsonpath={.metadata.uid}');
  await eventually(async () => {
    expect(await cluster.kubectl('get', 'events', '--field-selector=reason=Preempted')).toContain(
      `Preempted by pod ${uid} on node sim-0`,
    );
  });
});
