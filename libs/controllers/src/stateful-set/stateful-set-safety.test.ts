import { pod, type StatefulSet, statefulSet } from '@periplus/api';
import { scaledValue } from '@periplus/apimachinery';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasEnded, isReady, type PodView } from '../pod-state.ts';
import { Simulation } from '../simulation.ts';
import { statefulSetController } from './stateful-set-controller.ts';

interface Wanted {
  image: string;
  replicas: number;
  start: number;
  management: 'OrderedReady' | 'Parallel';
  rollingUpdate: { partition: number; maxUnavailable: number | string };
}

const setOf = ({ image, replicas, start, management, rollingUpdate }: Wanted): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'd', name: 'web' },
  spec: {
    replicas,
    ordinals: { start },
    serviceName: '',
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    podManagementPolicy: management,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate },
  },
});

/** A set, a scheduler, and a node whose containers outlive what the cluster says of them until the node acts. */
class World {
  readonly sim = new Simulation(statefulSetController);
  /** The containers that run, as the names of their pods. */
  readonly containers = new Map<string, string>();

  ask(wanted: Wanted): void {
    const verb = this.sim.cluster.truth().get(statefulSet, 'd', 'web') ? 'update' : 'create';
    const object = setOf(wanted);
    this.sim.cluster.apply({ verb, kind: statefulSet, namespace: 'd', name: 'web', object });
  }

  /** The controller looks, and sees its own writes before it looks again. */
  look(): void {
    this.sim.reconcile(statefulSetController, { namespace: 'd', name: 'web' });
    this.sim.cluster.deliver();
  }

  bind(): void {
    for (const target of this.sim.activePods()) if (!target.spec.nodeName) this.sim.bind(target);
  }

  /** The node starts the containers of a pod. */
  run(): void {
    const target = this.sim.activePods().find((candidate) => candidate.spec.nodeName && !isReady(candidate));
    if (!target) return;
    const { name = '', uid = '' } = target.metadata;
    const other = [...this.containers].find(([running, of]) => of === name && running !== uid);
    expect(other, `two pods ${name} run at once`).toBeUndefined();
    this.containers.set(uid, name);
    this.sim.setReady(target);
  }

  /** The node ends a pod that is being deleted, and only then lets go of it. */
  end(): void {
    const target = this.sim.pods().find(({ metadata }) => metadata.deletionTimestamp);
    if (!target) return;
    this.containers.delete(target.metadata.uid ?? '');
    this.sim.cluster.remove(pod, 'd', target.metadata.name ?? '');
  }

  fail(phase: string, pick: number): void {
    const target = this.pick(this.sim.activePods().filter(isReady), pick);
    if (!target) return;
    this.containers.delete(target.metadata.uid ?? '');
    const patch = { status: { phase, conditions: [{ type: 'Ready', status: 'False' }] } };
    const name = target.metadata.name ?? '';
    this.sim.cluster.apply({
      ...{ verb: 'patch', kind: pod, namespace: 'd', name, subresource: 'status', type: 'merge', patch },
    });
  }

  remove(pick: number): void {
    const name = this.pick(this.sim.activePods(), pick)?.metadata.name;
    if (name) this.sim.cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name });
  }

  private pick(pods: readonly PodView[], pick: number): PodView | undefined {
    return pods[pick % Math.max(1, pods.length)];
  }

  settle(): void {
    this.sim.cluster.lagging = false;
    this.sim.cluster.deliver();
    for (let i = 0; i < 60; i++) {
      this.sim.settle();
      this.bind();
      this.run();
      this.end();
    }
    this.sim.settle();
  }
}

const rollingUpdate = fc.record({
  partition: fc.nat(4),
  maxUnavailable: fc.oneof(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 100 }).map((share) => `${share}%`),
  ),
});
const management = fc.constantFrom('OrderedReady' as const, 'Parallel' as const);

describe('a StatefulSet', () => {
  it('keeps as many pods ready as its update promises, whatever the order in which all act, and ends', () => {
    const step = fc.constantFrom('look', 'look', 'look', 'bind', 'run', 'end', 'see', 'seeOne', 'template');
    fc.assert(
      fc.property(
        fc.record({ replicas: fc.integer({ min: 1, max: 6 }), start: fc.nat(2), management, rollingUpdate }),
        fc.array(step, { minLength: 20, maxLength: 120 }),
        (shape, steps) => {
          const world = new World();
          const wanted = { ...shape, image: 'i:1' };
          let template = 1;
          world.ask(wanted);
          world.settle();
          world.sim.cluster.lagging = true;
          const allowed = Math.max(1, scaledValue(shape.rollingUpdate.maxUnavailable, shape.replicas, 'down'));
          for (const action of steps) {
            if (action === 'see') world.sim.cluster.deliver();
            else if (action === 'seeOne') world.sim.cluster.deliver(1);
            else if (action !== 'template') world[action]();
            else if (template < 4) world.ask({ ...wanted, image: `i:${++template}` });
            const ready = world.sim.activePods().filter(isReady);
            expect(ready.length).toBeGreaterThanOrEqual(shape.replicas - allowed);
          }
          world.settle();
          const images = new Map(
            world.sim.pods().map(({ metadata, spec }) => [metadata.name, spec.containers[0]!.image]),
          );
          expect(images.size).toBe(shape.replicas);
          for (let i = shape.rollingUpdate.partition; i < shape.replicas; i++) {
            expect(images.get(`web-${shape.start + i}`)).toBe(`i:${template}`);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never runs two pods of one ordinal, whatever dies and whatever is asked, and ends with those asked for', () => {
    const change = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('look', 'look', 'bind', 'run', 'end', 'see', 'seeOne').map((act) => ({ act })),
      },
      fc.record({ replicas: fc.nat(5) }),
      fc.record({ start: fc.nat(3) }),
      fc.record({ management }),
      fc.record({ rollingUpdate }),
      fc.record({ image: fc.constantFrom('i:1', 'i:2', 'i:3') }),
      fc.record({ fail: fc.nat(), phase: fc.constantFrom('Failed', 'Succeeded') }),
      fc.record({ remove: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 20, maxLength: 120 }), (changes) => {
        const world = new World();
        let wanted: Wanted = {
          ...{ image: 'i:1', replicas: 3, start: 0, management: 'OrderedReady' },
          rollingUpdate: { partition: 0, maxUnavailable: 1 },
        };
        world.ask(wanted);
        world.sim.cluster.lagging = true;
        for (const asked of changes) {
          if ('act' in asked) {
            if (asked.act === 'see') world.sim.cluster.deliver();
            else if (asked.act === 'seeOne') world.sim.cluster.deliver(1);
            else world[asked.act as 'look' | 'bind' | 'run' | 'end']();
          } else if ('fail' in asked) world.fail(asked.phase, asked.fail);
          else if ('remove' in asked) world.remove(asked.remove);
          else {
            wanted = { ...wanted, ...asked };
            world.ask(wanted);
          }
        }
        world.settle();
        const expected = Array.from({ length: wanted.replicas }, (_, i) => `web-${wanted.start + i}`);
        expect(
          world.sim
            .pods()
            .map(({ metadata }) => metadata.name)
            .sort(),
        ).toEqual(expected);
        expect(world.sim.pods().some(hasEnded)).toBe(false);
        expect([...world.containers.values()].sort()).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });
});
