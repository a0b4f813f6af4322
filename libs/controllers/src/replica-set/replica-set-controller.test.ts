import { pod, type ReplicaSet, type ReplicationController, replicaSet, replicationController } from '@periplus/api';
import { controllerOf, type KubeObject, StatusError } from '@periplus/apimachinery';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { replicaSetController, replicationControllerController } from './replica-set-controller.ts';

const set = (name: string, replicas: number, labels: Record<string, string> = { app: name }): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { namespace: 'd', name },
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
const loosePod = (name: string, labels: Record<string, string>): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'd', name, labels },
    spec: { containers: [] },
    status: { phase: 'Running' },
  }) as KubeObject;

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(replicaSetController);
});
const statusOf = (name: string) => sim.cluster.view().get(replicaSet, 'd', name)!.status;
const planFor = (name: string) => replicaSetController.reconcile({ namespace: 'd', name }, sim.cluster.view());

describe('the ReplicaSet controller', () => {
  it('creates the pods that are missing, in batches that double, and says so', () => {
    sim.cluster.put(replicaSet, set('web', 6));
    expect(planFor('web').steps.map((step) => step.length)).toEqual([1, 2, 3]);
    sim.settle();
    expect(sim.activePods()).toHaveLength(6);
    expect(sim.events.filter((event) => /^SuccessfulCreate Created pod: web-[a-z0-9]{5}$/.test(event))).toHaveLength(6);
    expect(statusOf('web')).toEqual({
      replicas: 6,
      fullyLabeledReplicas: 6,
      terminatingReplicas: 0,
      observedGeneration: 1,
    });
  });

  it('creates as many at once as it has already, and begins with one again after a refusal', () => {
    sim.cluster.put(replicaSet, set('web', 3));
    sim.settle();
    sim.cluster.put(replicaSet, set('web', 12));
    expect(planFor('web').steps.map((step) => step.length)).toEqual([3, 6]);
    const conditions = [{ type: 'ReplicaFailure', status: 'True' }];
    sim.cluster.put(replicaSet, { ...set('web', 12), status: { replicas: 3, conditions } });
    expect(planFor('web').steps.map((step) => step.length)).toEqual([1, 2, 4, 2, 1]);
  });

  it('tells how far it is when there is more to do than one plan does', () => {
    sim.cluster.put(replicaSet, set('web', 1_200));
    const counts: (number | undefined)[] = [];
    for (let plan = planFor('web'); plan.steps.length > 0; plan = planFor('web')) {
      expect(plan.steps.flat().filter(({ verb }) => verb === 'create').length).toBeLessThanOrEqual(500);
      sim.execute(plan);
      counts.push(statusOf('web')?.replicas);
    }
    expect(sim.activePods()).toHaveLength(1_200);
    expect(counts).toEqual([0, 500, 500, 1_200]);
  });

  it('makes pods of the template, controlled by it', () => {
    const { metadata } = sim.cluster.put(replicaSet, set('web', 1));
    sim.settle();
    expect(sim.pods()[0]).toMatchObject({
      metadata: {
        generateName: 'web-',
        labels: { app: 'web' },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'ReplicaSet',
            name: 'web',
            uid: metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
  });

  it('asks for the same names when it plans again from the same state, and for new ones later', () => {
    sim.cluster.put(replicaSet, set('web', 3));
    const names = () =>
      planFor('web')
        .steps.flat()
        .map(({ name }) => name);
    const first = names();
    expect(names()).toEqual(first);
    sim.settle();
    for (const { metadata } of sim.pods()) sim.cluster.remove(pod, 'd', metadata.name!);
    sim.settle();
    expect(sim.pods().map(({ metadata }) => metadata.name)).not.toEqual(expect.arrayContaining(first));
  });

  it('counts ready and available pods, and looks again when one becomes available by itself', () => {
    sim.cluster.put(replicaSet, { ...set('web', 2), spec: { ...set('web', 2).spec, minReadySeconds: 10 } });
    sim.settle();
    sim.runPods();
    expect(planFor('web').lookAgainMs).toBe(10_000);
    sim.settle();
    expect(statusOf('web')).toMatchObject({ readyReplicas: 2 });
    expect(statusOf('web')).not.toHaveProperty('availableReplicas');
    sim.advance(10_000);
    sim.settle();
    expect(statusOf('web')).toMatchObject({ availableReplicas: 2 });
  });

  it('replaces pods that ended or are being deleted', () => {
    sim.cluster.put(replicaSet, set('web', 2));
    sim.settle();
    const [first, second] = sim.pods();
    sim.cluster.put(pod, { ...first, status: { phase: 'Failed' } } as never);
    sim.cluster.put(pod, {
      ...second,
      metadata: { ...second!.metadata, deletionTimestamp: '2026-01-01T00:00:30Z' },
    } as never);
    sim.settle();
    expect(sim.activePods()).toHaveLength(2);
    expect(sim.pods()).toHaveLength(4);
    expect(statusOf('web')).toMatchObject({ replicas: 2, terminatingReplicas: 1 });
  });

  it('deletes what is too many: not running first, then not ready, then costly last', () => {
    sim.cluster.put(replicaSet, set('web', 5));
    sim.settle();
    const [pending, unready, cheap, dear, plain] = sim.pods();
    for (const target of [unready, cheap, dear, plain]) {
      const annotations = {
        'controller.kubernetes.io/pod-deletion-cost': target === dear ? '5' : target === cheap ? '-5' : '0',
      };
      sim.cluster.put(pod, {
        ...target,
        metadata: { ...target!.metadata, annotations },
        spec: { ...target!.spec, nodeName: 'n' },
      } as never);
      sim.setReady(sim.cluster.view().get(pod, 'd', target!.metadata.name!)!, target !== unready);
    }
    const order: (string | undefined)[] = [];
    for (let replicas = 4; replicas >= 0; replicas--) {
      sim.cluster.put(replicaSet, set('web', replicas));
      order.push(
        ...planFor('web')
          .steps.flat()
          .filter(({ verb }) => verb === 'delete')
          .map(({ name }) => name),
      );
      sim.settle();
      sim.runPods();
    }
    expect(order).toEqual([pending, unready, cheap, plain, dear].map((target) => target!.metadata.name));
    expect(sim.events.at(-1)).toBe(`SuccessfulDelete Deleted pod: ${dear!.metadata.name}`);
  });

  it('adopts pods that it selects and nobody controls, and lets go of those it does not select any more', () => {
    sim.cluster.put(pod, loosePod('loose', { app: 'web' }) as never);
    sim.cluster.put(pod, loosePod('other', { app: 'db' }) as never);
    sim.cluster.put(replicaSet, set('web', 1));
    sim.settle();
    expect(sim.pods()).toHaveLength(2);
    const loose = sim.cluster.view().get(pod, 'd', 'loose')!;
    expect(controllerOf(loose)?.name).toBe('web');
    expect(controllerOf(sim.cluster.view().get(pod, 'd', 'other')!)).toBeUndefined();

    sim.cluster.put(pod, { ...loose, metadata: { ...loose.metadata, labels: { app: 'released' } } } as never);
    sim.settle();
    expect(controllerOf(sim.cluster.view().get(pod, 'd', 'loose')!)).toBeUndefined();
    expect(sim.pods()).toHaveLength(3);
  });

  it('does nothing but keep count while it is being deleted', () => {
    sim.cluster.put(replicaSet, set('web', 2));
    sim.settle();
    sim.cluster.put(replicaSet, {
      ...set('web', 5),
      metadata: {
        namespace: 'd',
        name: 'web',
        deletionTimestamp: '2026-01-01T00:00:00Z',
        finalizers: ['foregroundDeletion'],
      },
    });
    sim.cluster.put(pod, loosePod('loose', { app: 'web' }) as never);
    sim.settle();
    expect(sim.activePods()).toHaveLength(3);
    expect(controllerOf(sim.cluster.view().get(pod, 'd', 'loose')!)).toBeUndefined();
  });

  it('shows in its status that creating was refused, until it works', () => {
    sim.cluster.put(replicaSet, set('web', 2));
    const apply = sim.cluster.apply.bind(sim.cluster);
    sim.cluster.apply = (command) => {
      if (command.verb === 'create') throw new StatusError('Forbidden', 'pods is forbidden: exceeded quota');
      return apply(command);
    };
    sim.execute(planFor('web'));
    expect(statusOf('web')?.conditions).toEqual([
      {
        type: 'ReplicaFailure',
        status: 'True',
        reason: 'FailedCreate',
        message: 'pods is forbidden: exceeded quota',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ]);
    sim.cluster.apply = apply;
    sim.settle();
    expect(statusOf('web')).not.toHaveProperty('conditions');
  });

  it('never takes a pod from another owner, never touches one it does not select, and ends with the right number', () => {
    const labels = fc.constantFrom<Record<string, string>>({ app: 'a' }, { app: 'b' }, { app: 'a', tier: 'x' }, {});
    const step = fc.oneof(
      fc.record({ do: fc.constant('scale' as const), name: fc.constantFrom('a', 'b'), replicas: fc.nat(5) }),
      fc.record({ do: fc.constant('loose' as const), labels }),
      fc.record({ do: fc.constant('relabel' as const), at: fc.nat(9), labels }),
      fc.record({ do: fc.constant('run' as const) }),
      fc.record({ do: fc.constant('look' as const), name: fc.constantFrom('a', 'b', 'a2') }),
      fc.record({ do: fc.constant('see' as const), revisions: fc.nat(5) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        sim = new Simulation(replicaSetController);
        sim.cluster.put(replicaSet, set('a', 2));
        sim.cluster.put(replicaSet, set('b', 2));
        // Selects a part of what `a` selects: they compete for orphans.
        sim.cluster.put(replicaSet, set('a2', 1, { app: 'a', tier: 'x' }));
        sim.cluster.lagging = true;
        let serial = 0;
        const outsiders = new Map<string, string>();
        for (const action of steps) {
          if (action.do === 'scale') sim.cluster.put(replicaSet, set(action.name, action.replicas));
          else if (action.do === 'loose') sim.cluster.put(pod, loosePod(`loose-${serial++}`, action.labels) as never);
          else if (action.do === 'relabel') {
            const target = sim.pods()[action.at];
            if (target)
              sim.cluster.put(pod, { ...target, metadata: { ...target.metadata, labels: action.labels } } as never);
          } else if (action.do === 'run') sim.runPods();
          else if (action.do === 'see') sim.cluster.deliver(action.revisions);
          else {
            // Views of different ages: conflicts must be refused, not acted upon.
            const owners = new Map(sim.pods().map((p) => [p.metadata.uid, controllerOf(p)?.uid]));
            sim.reconcile(replicaSetController, { namespace: 'd', name: action.name });
            for (const p of sim.pods()) {
              const before = owners.get(p.metadata.uid);
              const now = controllerOf(p)?.uid;
              expect((p.metadata.ownerReferences ?? []).filter(({ controller }) => controller).length).toBeLessThan(2);
              if (before && now) expect(now).toBe(before);
            }
          }
        }
        for (const p of sim.pods()) {
          if (!['a', 'b'].includes(p.metadata.labels?.app ?? '') && !controllerOf(p))
            outsiders.set(p.metadata.uid!, JSON.stringify(p));
        }
        sim.cluster.lagging = false;
        sim.cluster.deliver();
        sim.settle();
        for (const rs of sim.replicaSets()) {
          const owned = sim.activePods().filter((p) => controllerOf(p)?.uid === rs.metadata.uid);
          expect(owned).toHaveLength(rs.spec.replicas!);
        }
        for (const p of sim.pods()) {
          const before = outsiders.get(p.metadata.uid!);
          if (before) expect(JSON.stringify(p)).toBe(before);
          outsiders.delete(p.metadata.uid!);
        }
        expect(outsiders.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the ReplicationController controller', () => {
  const controller = (replicas: number): ReplicationController => ({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { namespace: 'd', name: 'old' },
    spec: {
      replicas,
      selector: { app: 'old' },
      template: { metadata: { labels: { app: 'old' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  });

  it('keeps pods as a ReplicaSet does, by a selector that is a map', () => {
    sim = new Simulation(replicationControllerController);
    sim.cluster.put(pod, loosePod('loose', { app: 'old' }) as never);
    sim.cluster.put(pod, loosePod('other', { app: 'new' }) as never);
    sim.cluster.put(replicationController, controller(3));
    sim.settle();
    sim.runPods();
    sim.settle();
    expect(sim.cluster.view().get(replicationController, 'd', 'old')!.status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      observedGeneration: 1,
    });
    const owned = sim.pods().filter((candidate) => controllerOf(candidate)?.kind === 'ReplicationController');
    expect(owned.map(({ metadata }) => metadata.labels)).toEqual([{ app: 'old' }, { app: 'old' }, { app: 'old' }]);
    expect(owned.map(({ metadata }) => metadata.name)).toContain('loose');

    sim.cluster.put(replicationController, controller(1));
    sim.settle();
    sim.runPods();
    expect(sim.activePods()).toHaveLength(2);
  });

  it('is woken by pods that it selects and nobody controls', () => {
    sim.cluster.put(replicationController, controller(1));
    const [rule] = replicationControllerController.watches;
    const wakes = (labels: Record<string, string>) =>
      rule!.keys(loosePod('loose', labels), null, sim.cluster.view()).map(({ name }) => name);
    expect([wakes({ app: 'old' }), wakes({ app: 'new' })]).toEqual([['old'], []]);
  });
});
