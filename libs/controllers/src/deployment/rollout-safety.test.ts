import { type Deployment, deployment } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReady } from '../pod-state.ts';
import { replicaSetController } from '../replica-set/replica-set-controller.ts';
import { Simulation } from '../simulation.ts';
import { deploymentController } from './deployment-controller.ts';
import { type Bounds, boundsOf, newSetSize, oldSetSizes, proportionalSizes, type SetSize } from './replica-counts.ts';

const intOrPercent = fc.oneof(
  fc.nat(5),
  fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`),
);
const rollingUpdate = fc.record({ maxSurge: intOrPercent, maxUnavailable: intOrPercent });

const deploymentOf = (
  image: string,
  replicas: number,
  limits: { maxSurge: number | string; maxUnavailable: number | string },
): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'd', name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    strategy: { type: 'RollingUpdate', rollingUpdate: limits },
  },
});

const setSize = fc.record({ wanted: fc.nat(20), lost: fc.nat(5) }).map(
  ({ wanted, lost }, at = 0): SetSize => ({
    wanted,
    available: Math.max(0, wanted - lost),
    createdMs: at,
    name: '',
    maxAnnotated: undefined,
  }),
);
const bounds = fc
  .record({ replicas: fc.nat(20), surge: fc.nat(6), unavailable: fc.nat(6) })
  .map((b): Bounds => ({ ...b, unavailable: Math.min(b.unavailable, b.replicas) }));
const total = (sets: readonly SetSize[]): number => sets.reduce((sum, { wanted }) => sum + wanted, 0);

describe('the sizes of a rollout', () => {
  it('never grow beyond the surge', () => {
    fc.assert(
      fc.property(setSize, fc.array(setSize, { maxLength: 5 }), bounds, (newSet, old, limits) => {
        const size = newSetSize(newSet, old, limits);
        expect(size).toBeLessThanOrEqual(limits.replicas);
        if (size > newSet.wanted) expect(size + total(old)).toBeLessThanOrEqual(limits.replicas + limits.surge);
      }),
    );
  });

  it('never take an available pod that is needed', () => {
    fc.assert(
      fc.property(setSize, fc.array(setSize, { maxLength: 5 }), bounds, (newSet, old, limits) => {
        const sizes = oldSetSizes(newSet, old, limits);
        const available = (set: SetSize): number => Math.min(set.available, sizes.get(set) ?? set.wanted);
        const before = [newSet, ...old].reduce((sum, set) => sum + set.available, 0);
        const after = [newSet, ...old].reduce((sum, set) => sum + available(set), 0);
        expect(after).toBeGreaterThanOrEqual(Math.min(before, limits.replicas - limits.unavailable));
        for (const [set, size] of sizes) expect(size).toBeLessThan(set.wanted);
      }),
    );
  });

  it('come to exactly what is allowed when scaled in proportion', () => {
    fc.assert(
      fc.property(fc.array(setSize, { minLength: 1, maxLength: 5 }), bounds, fc.nat(30), (sets, limits, status) => {
        const active = sets.filter(({ wanted }) => wanted > 0);
        const sizes = proportionalSizes(sets, limits, status);
        if (active.length === 0) return;
        const allowed = limits.replicas > 0 ? limits.replicas + limits.surge : 0;
        expect([...sizes.values()].reduce((sum, size) => sum + size, 0)).toBe(allowed);
        for (const size of sizes.values()) expect(size).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('take nothing from a set when all grow, add nothing when all shrink, and share by size', () => {
    const sets = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sets, bounds, (wanted, limits) => {
        const before = wanted.reduce((sum, count) => sum + count, 0);
        const sized = wanted.map((count, at): SetSize => {
          return { wanted: count, available: count, createdMs: at, name: `${at}`, maxAnnotated: before };
        });
        const allowed = limits.replicas > 0 ? limits.replicas + limits.surge : 0;
        const sizes = proportionalSizes(sized, limits, before);
        const largest = Math.max(...wanted);
        for (const [set, size] of sizes) {
          if (allowed >= before) expect(size).toBeGreaterThanOrEqual(set.wanted);
          if (allowed <= before) expect(size).toBeLessThanOrEqual(set.wanted);
          // What rounding leaves goes to a largest one.
          const off = Math.abs(size - (set.wanted * allowed) / before);
          if (set.wanted < largest && size > 0) expect(off).toBeLessThan(sized.length);
        }
      }),
    );
  });
});

describe('a rollout', () => {
  it('keeps its bounds at every moment, whatever the order in which controllers, kubelets and caches move, and ends', () => {
    const step = fc.constantFrom('deployment', 'sets', 'kubelet', 'see', 'seeOne', 'template', 'restart');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        rollingUpdate,
        fc.array(step, { maxLength: 120 }),
        (replicas, limits, steps) => {
          const sim = new Simulation(deploymentController, replicaSetController);
          let template = 1;
          sim.cluster.put(deployment, deploymentOf('i:1', replicas, limits));
          for (let i = 0; i < 3; i++) {
            sim.settle();
            sim.runPods();
          }
          const { surge, unavailable } = boundsOf(deploymentOf('i:1', replicas, limits));
          sim.cluster.put(deployment, deploymentOf(`i:${++template}`, replicas, limits));
          sim.cluster.lagging = true;
          const look = (controller: (typeof sim.controllers)[number]): void => {
            for (const { metadata } of sim.cluster.view().list(controller.for!)) {
              sim.reconcile(controller, { namespace: 'd', name: metadata.name! });
              // What the runtime's barrier sees to: whoever wrote sees its own writes before it looks again.
              sim.cluster.deliver();
            }
          };
          for (const action of steps) {
            if (action === 'deployment') look(deploymentController);
            else if (action === 'sets') look(replicaSetController);
            else if (action === 'see' || action === 'restart') sim.cluster.deliver();
            else if (action === 'seeOne') sim.cluster.deliver(1);
            else if (action === 'template' && template < 4)
              sim.cluster.put(deployment, deploymentOf(`i:${++template}`, replicas, limits));
            else if (action === 'kubelet') {
              const target = sim.activePods().find((candidate) => !isReady(candidate));
              if (target) sim.setReady(target);
            }
            expect(sim.activePods().length).toBeLessThanOrEqual(replicas + surge);
            expect(sim.activePods().filter(isReady).length).toBeGreaterThanOrEqual(replicas - unavailable);
          }
          sim.cluster.lagging = false;
          sim.cluster.deliver();
          for (let i = 0; i < 60; i++) {
            sim.settle();
            sim.runPods();
          }
          const images = sim.activePods().map(({ spec }) => spec.containers[0]!.image);
          expect(images).toEqual(Array.from({ length: replicas }, () => `i:${template}`));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps its bounds while it is made larger on the way, in proportion', () => {
    const step = fc.constantFrom('deployment', 'sets', 'kubelet', 'see', 'seeOne', 'larger');
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        rollingUpdate,
        fc.array(step, { maxLength: 100 }),
        (first, limits, steps) => {
          const sim = new Simulation(deploymentController, replicaSetController);
          const ask = (image: string, replicas: number): void => {
            sim.cluster.put(deployment, deploymentOf(image, replicas, limits));
          };
          ask('i:1', first);
          for (let i = 0; i < 3; i++) {
            sim.settle();
            sim.runPods();
          }
          const readyMin = first - boundsOf(deploymentOf('i:2', first, limits)).unavailable;
          let replicas = first;
          ask('i:2', replicas);
          sim.cluster.lagging = true;
          const look = (controller: (typeof sim.controllers)[number]): void => {
            for (const { metadata } of sim.cluster.view().list(controller.for!)) {
              sim.reconcile(controller, { namespace: 'd', name: metadata.name! });
              sim.cluster.deliver();
            }
          };
          for (const action of steps) {
            if (action === 'deployment') look(deploymentController);
            else if (action === 'sets') look(replicaSetController);
            else if (action === 'see') sim.cluster.deliver();
            else if (action === 'seeOne') sim.cluster.deliver(1);
            else if (action === 'larger' && replicas < 15) {
              replicas += 3;
              ask('i:2', replicas);
            } else if (action === 'kubelet') {
              const target = sim.activePods().find((candidate) => !isReady(candidate));
              if (target) sim.setReady(target);
            }
            const { surge } = boundsOf(deploymentOf('i:2', replicas, limits));
            expect(sim.activePods().length).toBeLessThanOrEqual(replicas + surge);
            expect(sim.activePods().filter(isReady).length).toBeGreaterThanOrEqual(readyMin);
          }
          sim.cluster.lagging = false;
          sim.cluster.deliver();
          for (let i = 0; i < 60; i++) {
            sim.settle();
            sim.runPods();
          }
          const images = sim.activePods().map(({ spec }) => spec.containers[0]!.image);
          expect(images).toEqual(Array.from({ length: replicas }, () => 'i:2'));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('ends as it was last asked to, whatever was asked of it on the way', () => {
    const change = fc.oneof(
      fc.record({ replicas: fc.nat(6) }),
      fc.record({ image: fc.integer({ min: 1, max: 4 }).map((version) => `i:${version}`) }),
      fc.record({ paused: fc.boolean() }),
      fc.record({ strategy: fc.constantFrom('Recreate', 'RollingUpdate') }),
      fc.record({ limits: rollingUpdate }),
      fc.record({ turns: fc.integer({ min: 1, max: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        const sim = new Simulation(deploymentController, replicaSetController);
        let wanted = {
          replicas: 3,
          image: 'i:1',
          paused: false,
          strategy: 'RollingUpdate',
          limits: { maxSurge: 1, maxUnavailable: 0 } as Parameters<typeof deploymentOf>[2],
        };
        const ask = (): void => {
          const { replicas, image, paused, strategy, limits } = wanted;
          const object = deploymentOf(image, replicas, limits);
          const type = strategy as 'Recreate' | 'RollingUpdate';
          object.spec.strategy = type === 'Recreate' ? { type } : { type, rollingUpdate: limits };
          sim.cluster.put(deployment, { ...object, spec: { ...object.spec, paused } });
        };
        const turn = (): void => {
          for (const controller of sim.controllers) {
            for (const { metadata } of sim.cluster.view().list(controller.for!)) {
              sim.reconcile(controller, { namespace: 'd', name: metadata.name! });
            }
          }
        };
        ask();
        for (const { turns, ...asked } of changes as (Partial<typeof wanted> & { turns?: number })[]) {
          wanted = { ...wanted, ...asked };
          ask();
          for (let i = 0; i < (turns ?? 1); i++) turn();
          if (turns) sim.runPods();
        }
        wanted.paused = false;
        ask();
        for (let i = 0; i < 60; i++) {
          sim.settle();
          sim.runPods();
        }
        sim.settle();
        const images = sim.pods().map(({ spec }) => spec.containers[0]!.image);
        expect(images).toEqual(Array.from({ length: wanted.replicas }, () => wanted.image));
        const { status } = sim.cluster.view().get(deployment, 'd', 'web')!;
        expect(status?.updatedReplicas ?? 0).toBe(wanted.replicas);
        expect(status?.conditions?.find(({ type }) => type === 'Available')?.status).toBe('True');
      }),
      { numRuns: 80 },
    );
  });
});
