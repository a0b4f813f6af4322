import { type Namespace, namespace, node as nodeKind, pod as podKind } from '@periplus/api';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_ARGS } from './plugin-catalog.ts';
import { LEAST_ALLOCATED } from './plugins/resource-scoring.ts';
import { DEFAULT_PROFILE, makeProfile } from './profile.ts';
import { makeNode, makePod } from './testing/objects.ts';
import { SchedulingTest } from './testing/scheduling.ts';

let test: SchedulingTest;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
});
afterEach(async () => {
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
  vi.useRealTimers();
});

/** Longer than a first backoff, far shorter than the time after which pods are looked at anyway. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(2_000);

const term = (app: string, topologyKey = 'zone') => ({ topologyKey, labelSelector: { matchLabels: { app } } });
const seeking = (app: string) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app)] } },
});
const shunning = (app: string) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app)] } },
});
const labelled = (name: string, app: string, spec: object = {}) => {
  const pod = makePod(name, spec);
  return { ...pod, metadata: { ...pod.metadata, labels: { app } } } as typeof pod;
};
const inZone = (name: string, zone: string, parts: object = {}) => makeNode(name, { labels: { zone }, ...parts });
const FULL = { allocatable: { pods: '1' } };

async function waitsFor(name: string, message: string): Promise<void> {
  test.start();
  await settle();
  expect(test.nodeOf(name)).toEqual([undefined]);
  expect(test.said('FailedScheduling')).toEqual([message]);
}

it('wakes a pod that seeks company when that comes, and puts it into the same zone', async () => {
  test.put(inZone('a', 'one'), inZone('b', 'two'), labelled('p', 'web', seeking('db')));
  await waitsFor(
    'p',
    "0/2 nodes are available: 2 node(s) didn't match pod affinity rules. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
  );
  test.put(labelled('other', 'cache', { nodeName: 'a' }));
  await settle();
  expect(test.metrics.text()).toContain(
    'scheduler_schedule_attempts_total{result="unschedulable",profile="default-scheduler"} 1',
  );
  test.put(labelled('db', 'db', { nodeName: 'b' }));
  await settle();
  expect(test.nodeOf('p')).toEqual(['b']);
});

it('wakes it on another node of the zone, where the one with the company is full', async () => {
  test.put(inZone('a', 'one', FULL), inZone('b', 'one'), inZone('c', 'two'), labelled('p', 'web', seeking('db')));
  await waitsFor(
    'p',
    "0/3 nodes are available: 3 node(s) didn't match pod affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
  );
  test.put(labelled('db', 'db', { nodeName: 'a' }));
  await settle();
  expect(test.nodeOf('p')).toEqual(['b']);
});

it('wakes a pod when the one that it shuns has gone, and one that others shun when these have', async () => {
  test.put(inZone('a', 'one'), labelled('db', 'db', { nodeName: 'a' }), labelled('p', 'web', shunning('db')));
  await waitsFor(
    'p',
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  test.cluster.remove(podKind, 'default', 'db');
  await settle();
  expect(test.nodeOf('p')).toEqual(['a']);
  test.put(labelled('db2', 'db'));
  await settle();
  expect(test.said('FailedScheduling').at(-1)).toBe(
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  test.cluster.remove(podKind, 'default', 'p');
  await settle();
  expect(test.nodeOf('db2')).toEqual(['a']);
});

it('wakes a pod that has to be spread when the emptiest domain gets a pod or goes', async () => {
  const spread = {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
  };
  test.put(inZone('a', 'one'), inZone('b', 'two', FULL));
  test.put(
    labelled('w1', 'web', { nodeName: 'a' }),
    labelled('x', 'other', { nodeName: 'b' }),
    labelled('p', 'web', spread),
  );
  await waitsFor(
    'p',
    "0/2 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
  );
  test.put(labelled('x', 'web', { nodeName: 'b' }));
  await settle();
  expect(test.nodeOf('p')).toEqual(['a']);
  test.put(labelled('q', 'web', spread));
  await settle();
  expect(test.nodeOf('q')).toEqual([undefined]);
  test.cluster.remove(nodeKind, '', 'b');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(test.nodeOf('q')).toEqual(['a']);
});

it('asks a namespace selector about the labels that namespaces have', async () => {
  const anywhere = { ...term('db'), namespaceSelector: { matchLabels: { team: 'a' } } };
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [anywhere] } };
  for (const [name, team] of [
    ['shop', 'a'],
    ['lab', 'b'],
  ] as const) {
    const labelled = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { team } },
    } as unknown as Namespace;
    test.cluster.put(namespace, labelled);
  }
  const db = (of: string, nodeName: string) => {
    const pod = labelled(`db-${of}`, 'db', { nodeName });
    return { ...pod, metadata: { ...pod.metadata, namespace: of } } as typeof pod;
  };
  test.put(inZone('a', 'one'), inZone('b', 'two'), db('lab', 'a'), db('shop', 'b'), labelled('p', 'web', { affinity }));
  test.start();
  await settle();
  expect(test.nodeOf('p')).toEqual(['b']);
});

it('wakes a pod that needs what no node declares when one does', async () => {
  const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } };
  const container = { name: 'a', image: 'a', restartPolicy: 'Never', restartPolicyRules: [rule] };
  const restart = { containers: [{ ...container, restartPolicyRules: [{ ...rule, action: 'Restart' }] }] };
  const declares = (...declaredFeatures: string[]) => ({ status: { declaredFeatures } });
  test.put(makeNode('a'), makeNode('b', declares('GuaranteedQoSPodCPUResize')));
  test.put(makePod('p', { containers: [container] }), makePod('q', restart));
  await waitsFor(
    'p',
    "0/2 nodes are available: 2 node(s) didn't match Pod's required features. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  );
  expect(test.nodeOf('q')).not.toEqual([undefined]);
  test.put(makeNode('b', declares('GuaranteedQoSPodCPUResize', 'RestartAllContainersOnContainerExits')));
  await settle();
  expect(test.nodeOf('p')).toEqual(['b']);
});

it('finds nodes for the pods of each of its profiles, by its plugins', async () => {
  const packing = makeProfile('packing', {
    args: { ...DEFAULT_ARGS, scoringStrategy: { ...LEAST_ALLOCATED, type: 'MostAllocated' } },
  });
  const small = { containers: [{ name: 'a', image: 'a', resources: { requests: { cpu: '100m', memory: '1Gi' } } }] };
  test.put(makeNode('a'), makeNode('b'), makePod('there', { ...small, nodeName: 'a' }));
  test.start([DEFAULT_PROFILE, packing]);
  await settle();
  test.put(makePod('spread', small), makePod('packed', { ...small, schedulerName: 'packing' }));
  test.put(makePod('foreign', { ...small, schedulerName: 'mine' }));
  await settle();
  expect(test.nodeOf('spread', 'packed', 'foreign')).toEqual(['b', 'a', undefined]);
  const told = test.events.map(({ about, component }) => [about.metadata.name, component]);
  expect(told).toEqual([
    ['spread', 'default-scheduler'],
    ['packed', 'packing'],
  ]);
  expect(test.metrics.text()).toContain('scheduler_schedule_attempts_total{result="scheduled",profile="packing"} 1');
});
