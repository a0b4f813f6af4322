import {
  builtinKinds,
  type Deployment,
  deployment,
  type Kind,
  type Pod,
  type PodDisruptionBudget,
  pod,
  podDisruptionBudget,
  type ReplicaSet,
  replicaSet,
} from '@periplus/api';
import { formatTime, type KubeObject } from '@periplus/apimachinery';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { disruptionController } from './disruption-controller.ts';

const controller = disruptionController(builtinKinds());
const NAMESPACE = 'shop';
const LABELS = { app: 'web' };

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(controller);
});

const putBudget = (spec: PodDisruptionBudget['spec']): PodDisruptionBudget =>
  sim.cluster.put(podDisruptionBudget, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { namespace: NAMESPACE, name: 'web', generation: 1 },
    spec: { selector: { matchLabels: LABELS }, ...spec },
  });
const status = () => sim.cluster.truth().get(podDisruptionBudget, NAMESPACE, 'web')!.status!;
const setStatus = (patch: object): void => {
  const target = { kind: podDisruptionBudget, namespace: NAMESPACE, name: 'web', subresource: 'status' } as const;
  sim.cluster.apply({ verb: 'patch', ...target, type: 'merge', patch: { status: patch } });
};

interface PodOptions {
  ready?: boolean;
  owner?: KubeObject;
}

const putPod = (name: string, { ready = true, owner }: PodOptions = {}): Pod =>
  sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ namespace: NAMESPACE, name, labels: LABELS },
      ...(owner && {
        ownerReferences: [
          {
            apiVersion: owner.apiVersion,
            kind: owner.kind,
            name: owner.metadata.name!,
            uid: owner.metadata.uid!,
            controller: true,
          },
        ],
      }),
    },
    spec: { containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  });

/** A set of so many replicas, under a Deployment of another number when one is given. */
function putSet(replicas: number, ofDeployment?: number): ReplicaSet {
  const template = { metadata: { labels: LABELS }, spec: { containers: [] } };
  const selector = { matchLabels: LABELS };
  const above: Deployment | undefined =
    ofDeployment === undefined
      ? undefined
      : sim.cluster.put(deployment, {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { namespace: NAMESPACE, name: 'web' },
          spec: { replicas: ofDeployment, selector, template },
        });
  return sim.cluster.put(replicaSet, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...{ namespace: NAMESPACE, name: 'web-1' },
      ...(above && {
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: above.metadata.uid!, controller: true },
        ],
      }),
    },
    spec: { replicas, selector, template },
  });
}

describe('a budget', () => {
  it.each<[string, PodDisruptionBudget['spec'], number, number, number, [number, number, number, number]]>([
    // spec, scale, ready, unready: expected, healthy, desired, allowed
    ['a number that must stay', { minAvailable: 2 }, 3, 3, 0, [3, 3, 2, 1]],
    ['a number that must stay, of which some are not ready', { minAvailable: 2 }, 3, 2, 1, [3, 2, 2, 0]],
    ['a share that must stay, rounded up', { minAvailable: '50%' }, 5, 5, 0, [5, 5, 3, 2]],
    ['a number that may be gone', { maxUnavailable: 1 }, 5, 5, 0, [5, 5, 4, 1]],
    ['a number that may be gone, and is', { maxUnavailable: 1 }, 5, 4, 0, [5, 4, 4, 0]],
    ['a share that may be gone, rounded up', { maxUnavailable: '30%' }, 4, 4, 0, [4, 4, 2, 2]],
    ['more that may be gone than there are', { maxUnavailable: 9 }, 2, 2, 0, [2, 2, 0, 2]],
    ['nothing', {}, 2, 2, 0, [0, 2, 0, 0]],
  ])(
    'names %s',
    (_, spec, scale, ready, unready, [expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed]) => {
      putBudget(spec);
      const owner = putSet(scale);
      for (let i = 0; i < ready; i++) putPod(`ready-${i}`, { owner });
      for (let i = 0; i < unready; i++) putPod(`unready-${i}`, { owner, ready: false });
      sim.settle();
      expect(status()).toMatchObject({ expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed });
      expect(status()).toMatchObject({
        observedGeneration: 1,
        conditions: [
          disruptionsAllowed > 0
            ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }
            : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' },
        ],
      });
    },
  );

  it('goes by the Deployment above a ReplicaSet', () => {
    putBudget({ maxUnavailable: 1 });
    const owner = putSet(1, 4);
    putPod('a', { owner });
    sim.settle();
    expect(status()).toMatchObject({ expectedPods: 4, desiredHealthy: 3, disruptionsAllowed: 0 });
  });

  it('allows nothing while nobody can say how many pods there should be', () => {
    putBudget({ maxUnavailable: 1 });
    putPod('lost', {
      owner: { ...putSet(1), kind: 'ReplicaSet', metadata: { name: 'gone', uid: 'gone' } } as ReplicaSet,
    });
    sim.settle();
    const problem = 'found no controllers for pod "lost"';
    expect(status()).toMatchObject({ disruptionsAllowed: 0, conditions: [{ reason: 'SyncFailed', message: problem }] });
    expect(sim.events).toEqual([
      `CalculateExpectedPodCountFailed Failed to calculate the number of expected pods: ${problem}`,
    ]);
  });

  it('goes by the ReplicaSet where its Deployment is gone', () => {
    putBudget({ maxUnavailable: 1 });
    const owner = putSet(3, 4);
    sim.cluster.remove(deployment, NAMESPACE, 'web');
    putPod('a', { owner });
    sim.settle();
    expect(status()).toMatchObject({ expectedPods: 3, desiredHealthy: 2 });
  });

  it.each<[string, string, string, string]>([
    ['a Job', 'batch/v1', 'Job', 'jobs.batch does not implement the scale subresource'],
    ['a DaemonSet', 'apps/v1', 'DaemonSet', 'daemonsets.apps does not implement the scale subresource'],
    ['a Node', 'v1', 'Node', 'nodes does not implement the scale subresource'],
    ['a kind that is not served', 'e.org/v1', 'Shop', 'no matches for kind "Shop" in version "e.org/v1"'],
    ['a version that is not served', 'batch/v9', 'Job', 'no matches for kind "Job" in version "batch/v9"'],
    ['an older version of a workload', 'apps/v1beta2', 'StatefulSet', 'found no controllers for pod "p"'],
  ])('says of pods of %s why it can not be counted', (_, apiVersion, kind, problem) => {
    putBudget({ minAvailable: '50%' });
    putPod('p', { owner: { apiVersion, kind, metadata: { name: 'one', uid: 'one' } } });
    sim.settle();
    expect(sim.events).toEqual([
      `CalculateExpectedPodCountFailed Failed to calculate the number of expected pods: ${problem}`,
    ]);
    expect(status()).toMatchObject({ disruptionsAllowed: 0, conditions: [{ reason: 'SyncFailed', message: problem }] });
    expect(status()).not.toHaveProperty('observedGeneration');
  });

  it('finds the scale of a kind that was added at run time', () => {
    const kinds = builtinKinds();
    const paths = { specReplicas: 'spec.size', statusReplicas: 'status.size', labelSelector: 'status.selector' };
    const shop: Kind = { ...(replicaSet as Kind), ...{ group: 'e.org', kind: 'Shop', plural: 'shops', scale: paths } };
    kinds.add(shop);
    sim = new Simulation(disruptionController(kinds));
    const owner = sim.cluster.put(shop, {
      ...{ apiVersion: 'e.org/v1', kind: 'Shop', metadata: { namespace: NAMESPACE, name: 'one' }, spec: { size: 4 } },
    } as KubeObject);
    putBudget({ minAvailable: '50%' });
    putPod('p', { owner });
    sim.settle();
    expect(status()).toMatchObject({ expectedPods: 4, desiredHealthy: 2 });
  });

  it('warns of pods that nobody controls, and expects the others', () => {
    putBudget({ maxUnavailable: 1 });
    const owner = putSet(2);
    for (const name of ['a', 'b']) putPod(name, { owner });
    putPod('alone');
    sim.settle();
    expect(status()).toMatchObject({ expectedPods: 2, currentHealthy: 3, desiredHealthy: 1, disruptionsAllowed: 2 });
    expect(sim.events).toEqual([
      expect.stringMatching(
        /^UnmanagedPods Pods selected by this PodDisruptionBudget \(selector: &LabelSelector\{MatchLabels:map\[string\]string\{app: web,\},MatchExpressions:\[\]LabelSelectorRequirement\{\},\}\) were found to be unmanaged\./,
      ),
    ]);
  });

  it('says that it has no pods', () => {
    putBudget({ minAvailable: 1 });
    sim.settle();
    expect(sim.events).toEqual(['NoPods No matching pods found']);
    expect(status()).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 });
  });

  it('counts a pod that is to be evicted no more, until it is overdue', () => {
    putBudget({ minAvailable: 1 });
    for (const name of ['a', 'b', 'c']) putPod(name);
    sim.settle();
    setStatus({
      disruptionsAllowed: 1,
      disruptedPods: { a: formatTime(sim.cluster.nowMs), gone: '2026-01-01T00:00:00Z' },
    });
    sim.settle();
    expect(status()).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 1,
      disruptedPods: { a: expect.any(String) },
    });
    expect(Object.keys(status().disruptedPods!)).toEqual(['a']);
    const plan = controller.reconcile({ namespace: NAMESPACE, name: 'web' }, sim.cluster.view());
    expect(plan.lookAgainMs).toBeGreaterThan(0);
    sim.advance(plan.lookAgainMs!);
    sim.settle();
    expect(status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 2, disruptedPods: {} });
    expect(sim.events.at(-1)).toBe("NotDeleted Pod was expected by PDB shop/web to be deleted but it wasn't");
  });

  it('is not written over an eviction that it has not counted', () => {
    putBudget({ minAvailable: 1 });
    for (const name of ['a', 'b']) putPod(name);
    const stale = controller.reconcile({ namespace: NAMESPACE, name: 'web' }, sim.cluster.view());
    setStatus({ disruptedPods: { a: formatTime(sim.cluster.nowMs) } });
    sim.execute(stale);
    expect(status().disruptionsAllowed ?? 0).toBe(0);
    sim.settle();
    expect(status()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 });
  });

  it('never allows more than leaves enough healthy pods', () => {
    const bound = fc.oneof(
      fc.nat(6),
      fc.nat(100).map((percent) => `${percent}%`),
    );
    const budget = fc.oneof(
      bound.map((minAvailable) => ({ minAvailable })),
      bound.map((maxUnavailable) => ({ maxUnavailable })),
    );
    fc.assert(
      fc.property(budget, fc.nat(6), fc.array(fc.boolean(), { maxLength: 6 }), (spec, scale, pods) => {
        sim = new Simulation(controller);
        putBudget(spec);
        const owner = putSet(scale);
        for (const [i, ready] of pods.entries()) putPod(`p${i}`, { ready, owner });
        sim.settle();
        const { disruptionsAllowed, desiredHealthy, currentHealthy } = status() as Required<ReturnType<typeof status>>;
        expect(currentHealthy).toBe(pods.filter((ready) => ready).length);
        expect(disruptionsAllowed).toBeGreaterThanOrEqual(0);
        if (disruptionsAllowed > 0) expect(currentHealthy - disruptionsAllowed).toBeGreaterThanOrEqual(desiredHealthy);
      }),
      { numRuns: 200 },
    );
  });
});
