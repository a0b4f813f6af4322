import { builtinKinds, configMap, deployment, type Kind, pod, replicaSet } from '@periplus/api';
import type { KubeObject, OwnerReference } from '@periplus/apimachinery';
import { type Logger, Metrics } from '@periplus/component';
import { ControllerRuntime } from '@periplus/reconcile';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Simulation } from '../simulation.ts';
import { garbageCollector } from './garbage-collector.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const collector = garbageCollector(builtinKinds());
let sim: Simulation;
let runtime: ControllerRuntime;

/** The collector runs as in a program: what a test sees is also that the right keys were woken. */
beforeEach(() => {
  vi.useFakeTimers();
  sim = new Simulation();
  const { cluster } = sim;
  runtime = new ControllerRuntime({
    component: 'test',
    controllers: [collector],
    cluster,
    commands: cluster,
    log: silent,
    metrics: new Metrics(),
    record: () => undefined,
  });
  runtime.start();
});
afterEach(async () => {
  await runtime.stop();
  vi.useRealTimers();
});
const pass = () => vi.advanceTimersByTimeAsync(2_000);

const ownedBy = (owner: KubeObject, extra: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name!,
  uid: owner.metadata.uid!,
  ...extra,
});
const put = (kind: Kind, name: string, owners: OwnerReference[] = [], namespace = 'd'): KubeObject =>
  sim.cluster.put(kind, {
    apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
    kind: kind.kind,
    metadata: { namespace, name, ...(owners.length > 0 && { ownerReferences: owners }) },
    spec: {},
  } as KubeObject);
const remove = (kind: Kind, name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') =>
  sim.cluster.apply({ verb: 'delete', kind, namespace: 'd', name, propagationPolicy });
const exists = (kind: Kind, name: string, namespace = 'd') =>
  sim.cluster.truth().get(kind, namespace, name) !== undefined;

/** A Deployment with its ReplicaSet and two pods. */
const family = () => {
  const d = put(deployment, 'web');
  const rs = put(replicaSet, 'web-1', [ownedBy(d, { controller: true, blockOwnerDeletion: true })]);
  for (const name of ['p1', 'p2']) put(pod, name, [ownedBy(rs, { controller: true, blockOwnerDeletion: true })]);
  return { d, rs };
};

describe('the garbage collector', () => {
  it('deletes in the background what lost its owner, down to the last generation', async () => {
    family();
    remove(deployment, 'web', 'Background');
    expect(exists(deployment, 'web')).toBe(false);
    await pass();
    expect(exists(replicaSet, 'web-1') || exists(pod, 'p1') || exists(pod, 'p2')).toBe(false);
  });

  it('deletes in the foreground from the last generation up', async () => {
    family();
    sim.cluster.put(pod, {
      ...sim.cluster.truth().get(pod, 'd', 'p1')!,
      metadata: { namespace: 'd', name: 'p1', finalizers: ['example.com/hold'] },
    } as never);
    remove(deployment, 'web', 'Foreground');
    await pass();
    expect(exists(pod, 'p2')).toBe(false);
    for (const [kind, name] of [
      [deployment, 'web'],
      [replicaSet, 'web-1'],
      [pod, 'p1'],
    ] as const) {
      expect(sim.cluster.truth().get(kind as Kind, 'd', name)?.metadata.deletionTimestamp).toBeDefined();
    }
    sim.cluster.remove(pod, 'd', 'p1');
    await pass();
    expect(exists(replicaSet, 'web-1') || exists(deployment, 'web')).toBe(false);
  });

  it('does not wait in the foreground for dependents that do not block', async () => {
    const owner = put(configMap, 'owner');
    const metadata = {
      namespace: 'd',
      name: 'dependent',
      finalizers: ['example.com/hold'],
      ownerReferences: [ownedBy(owner)],
    };
    sim.cluster.put(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    remove(configMap, 'owner', 'Foreground');
    await pass();
    expect(exists(configMap, 'owner')).toBe(false);
    expect(sim.cluster.truth().get(configMap, 'd', 'dependent')?.metadata.deletionTimestamp).toBeDefined();
  });

  it('leaves orphans behind when asked to, without their owner', async () => {
    family();
    remove(deployment, 'web', 'Orphan');
    await pass();
    expect(exists(deployment, 'web')).toBe(false);
    expect(sim.cluster.truth().get(replicaSet, 'd', 'web-1')?.metadata.ownerReferences).toBeUndefined();
    expect(exists(pod, 'p1')).toBe(true);
  });

  it('keeps what still has another owner, and takes the lost one from it', async () => {
    const [a, b] = [put(configMap, 'a'), put(configMap, 'b')];
    put(configMap, 'c', [ownedBy(a), ownedBy(b)]);
    remove(configMap, 'a', 'Background');
    await pass();
    expect(sim.cluster.truth().get(configMap, 'd', 'c')?.metadata.ownerReferences).toEqual([ownedBy(b)]);
    remove(configMap, 'b', 'Background');
    await pass();
    expect(exists(configMap, 'c')).toBe(false);
  });

  it('takes an object of the same name with another uid for another object', async () => {
    const owner = put(configMap, 'owner');
    put(configMap, 'dependent', [ownedBy(owner, { uid: 'of-an-earlier-one' })]);
    await pass();
    expect(exists(configMap, 'dependent')).toBe(false);
  });

  it('does not take an owner in another namespace for an owner', async () => {
    const owner = put(configMap, 'owner', [], 'other');
    put(configMap, 'dependent', [ownedBy(owner)]);
    await pass();
    expect(exists(configMap, 'dependent')).toBe(false);
    expect(exists(configMap, 'owner', 'other')).toBe(true);
  });

  it('leaves alone what is owned by a kind that it does not know', async () => {
    put(configMap, 'dependent', [{ apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', uid: 'u' }]);
    await pass();
    expect(exists(configMap, 'dependent')).toBe(true);
  });

  it('lets objects go that wait for each other', async () => {
    const a = put(configMap, 'a');
    const b = put(configMap, 'b', [ownedBy(a, { blockOwnerDeletion: true })]);
    sim.cluster.put(configMap, {
      ...a,
      metadata: { ...a.metadata, ownerReferences: [ownedBy(b, { blockOwnerDeletion: true })] },
    } as never);
    remove(configMap, 'a', 'Foreground');
    await pass();
    expect(exists(configMap, 'a') || exists(configMap, 'b')).toBe(false);
  });

  it('finds at its start what lost its owner before', async () => {
    await runtime.stop();
    family();
    remove(deployment, 'web', 'Background');
    runtime.start();
    await pass();
    expect([...sim.cluster.truth().entries()]).toEqual([]);
  });

  it('never deletes what has a living owner or never had one, and everything else in the end', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const edges = fc.uniqueArray(
      fc.tuple(fc.nat(5), fc.nat(5), fc.boolean()).filter(([from, to]) => from < to),
      {
        selector: ([from, to]) => `${from}-${to}`,
      },
    );
    const policy = fc.constantFrom('Background' as const, 'Foreground' as const, 'Orphan' as const);
    await fc.assert(
      fc.asyncProperty(edges, fc.array(fc.tuple(fc.nat(5), policy), { maxLength: 4 }), async (graph, deletions) => {
        for (const name of names) sim.cluster.remove(configMap, 'd', name);
        const made = new Map<number, KubeObject>();
        for (const [at, name] of names.entries()) {
          const owners = graph
            .filter(([, to]) => to === at)
            .map(([from, , blockOwnerDeletion]) => ownedBy(made.get(from)!, { blockOwnerDeletion }));
          made.set(at, put(configMap, name, owners));
        }
        for (const [at, propagationPolicy] of deletions) {
          if (exists(configMap, names[at]!)) remove(configMap, names[at]!, propagationPolicy);
          await pass();
        }
        await pass();
        // The model: an orphaning deletion cuts its edges, any other one takes all that has no other owner.
        const alive = new Set(names.keys());
        let links = graph.map(([from, to]) => ({ from, to }));
        for (const [at, propagationPolicy] of deletions) {
          if (!alive.has(at)) continue;
          alive.delete(at);
          if (propagationPolicy === 'Orphan') links = links.filter(({ from }) => from !== at);
          for (const to of names.keys()) {
            const owners = links.filter((link) => link.to === to);
            if (owners.length > 0 && !owners.some(({ from }) => alive.has(from))) alive.delete(to);
          }
          links = links.filter(({ from }) => alive.has(from));
        }
        expect(names.filter((name) => exists(configMap, name))).toEqual([...alive].sort().map((at) => names[at]));
      }),
      { numRuns: 60 },
    );
  });
});
