import { type DaemonSet, daemonSet, type Node, node, pod } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasEnded, isReady, type PodView } from '../pod-state.ts';
import { Simulation } from '../simulation.ts';
import { nodeOf } from './daemon-pod.ts';
import { daemonSetController } from './daemon-set-controller.ts';
import { limitsOf } from './rolling-update.ts';

const NODES = ['a', 'b', 'c', 'd', 'e'];
const limits = fc.oneof(
  fc.record({ maxUnavailable: fc.integer({ min: 1, max: 4 }), maxSurge: fc.constant(0) }),
  fc.record({ maxUnavailable: fc.integer({ min: 1, max: 100 }).map((share) => `${share}%`), maxSurge: fc.constant(0) }),
  fc.record({ maxUnavailable: fc.constant(0), maxSurge: fc.integer({ min: 1, max: 4 }) }),
);
type Limits = NonNullable<NonNullable<DaemonSet['spec']['updateStrategy']>['rollingUpdate']>;

const setOf = (image: string, rollingUpdate: Limits): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { namespace: 'd', name: 'agent' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image }] } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate },
  },
});
const nodeNamed = (name: string, isClosed = false): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: isClosed ? { taints: [{ key: 'closed', effect: 'NoExecute' }] } : {},
});

class World {
  readonly sim = new Simulation(daemonSetController);

  ask(set: DaemonSet): void {
    const verb = this.sim.cluster.truth().get(daemonSet, 'd', 'agent') ? 'update' : 'create';
    this.sim.cluster.apply({ verb, kind: daemonSet, namespace: 'd', name: 'agent', object: set });
  }

  /** The controller looks, and sees its own writes before it looks again. */
  look(): void {
    this.sim.reconcile(daemonSetController, { namespace: 'd', name: 'agent' });
    this.sim.cluster.deliver();
  }

  see(): void {
    this.sim.cluster.deliver();
  }

  seeOne(): void {
    this.sim.cluster.deliver(1);
  }

  /** As the scheduler does, which knows what nodes there are. */
  bind(): void {
    const nodes = this.sim.cluster.truth();
    for (const target of this.sim.activePods()) {
      const name = nodeOf(target);
      if (name && !target.spec.nodeName && nodes.get(node, '', name)) this.sim.bind(target, name);
    }
  }

  run(): void {
    const target = this.sim.activePods().find((candidate) => candidate.spec.nodeName && !isReady(candidate));
    if (target) this.sim.setReady(target);
  }

  end(): void {
    const target = this.sim.pods().find(({ metadata }) => metadata.deletionTimestamp);
    if (target) this.sim.cluster.remove(pod, 'd', target.metadata.name ?? '');
  }

  pick(pick: number): PodView | undefined {
    const pods = this.sim.activePods();
    return pods[pick % Math.max(1, pods.length)];
  }

  settle(): void {
    this.sim.cluster.lagging = false;
    this.see();
    for (let i = 0; i < 40; i++) {
      this.sim.settle();
      this.bind();
      for (const _ of NODES) this.run();
      for (const _ of NODES) this.end();
      this.sim.advance(60_000);
    }
    this.sim.settle();
  }

  images(): string[] {
    return this.sim
      .pods()
      .map((one) => `${nodeOf(one)} ${one.spec.containers[0]!.image}`)
      .sort();
  }
}

const acts = ['look', 'look', 'look', 'bind', 'run', 'end', 'see', 'seeOne'] as const;

describe('a DaemonSet', () => {
  it('never has more nodes unserved than its update allows, nor more pods than its surge, and ends', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.constantFrom(...acts, 'template'), { minLength: 20, maxLength: 120 }),
        (rollingUpdate, steps) => {
          const world = new World();
          let template = 1;
          for (const name of NODES) world.sim.cluster.put(node, nodeNamed(name));
          world.ask(setOf('i:1', rollingUpdate));
          world.settle();
          world.sim.cluster.lagging = true;
          const { surge, unavailable } = limitsOf(setOf('', rollingUpdate), NODES.length);
          for (const action of steps) {
            if (action !== 'template') world[action]();
            else if (template < 4) world.ask(setOf(`i:${++template}`, rollingUpdate));
            const active = world.sim.activePods();
            const served = new Set(active.filter(isReady).map(nodeOf));
            expect(served.size).toBeGreaterThanOrEqual(NODES.length - (surge > 0 ? 0 : unavailable));
            expect(active.length).toBeLessThanOrEqual(NODES.length + surge);
          }
          world.settle();
          expect(world.images()).toEqual(NODES.map((name) => `${name} i:${template}`));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends with one pod on each node that is open, whatever came, went, failed or was asked on the way', () => {
    const change = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...acts).map((act) => ({ act })) },
      fc.record({ open: fc.constantFrom(...NODES), closed: fc.boolean() }),
      fc.record({ gone: fc.constantFrom(...NODES) }),
      fc.record({ limits }),
      fc.record({ image: fc.constantFrom('i:1', 'i:2', 'i:3') }),
      fc.record({ fail: fc.nat(), phase: fc.constantFrom('Failed', 'Succeeded') }),
      fc.record({ remove: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 20, maxLength: 120 }), (changes) => {
        const world = new World();
        const { cluster } = world.sim;
        let wanted = { image: 'i:1', limits: { maxUnavailable: 1, maxSurge: 0 } as Limits };
        const open = new Set<string>();
        world.ask(setOf(wanted.image, wanted.limits));
        cluster.lagging = true;
        for (const asked of changes) {
          if ('act' in asked) world[asked.act]();
          else if ('open' in asked) {
            cluster.put(node, nodeNamed(asked.open, asked.closed));
            open[asked.closed ? 'delete' : 'add'](asked.open);
          } else if ('gone' in asked) {
            cluster.remove(node, '', asked.gone);
            open.delete(asked.gone);
            // What the cluster does for a set: pods of a node that is gone are ended.
            for (const lost of world.sim.pods()) {
              if (lost.spec.nodeName === asked.gone) cluster.remove(pod, 'd', lost.metadata.name!);
            }
          } else if ('fail' in asked) {
            const name = world.pick(asked.fail)?.metadata.name;
            const patch = { status: { phase: asked.phase, conditions: [] } };
            const target = { kind: pod, namespace: 'd', subresource: 'status' };
            if (name) cluster.apply({ verb: 'patch', ...target, name, type: 'merge', patch });
          } else if ('remove' in asked) {
            const name = world.pick(asked.remove)?.metadata.name;
            if (name) cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name });
          } else {
            wanted = { ...wanted, ...asked };
            world.ask(setOf(wanted.image, wanted.limits));
          }
        }
        world.settle();
        expect(world.sim.pods().some(hasEnded)).toBe(false);
        expect(world.images()).toEqual([...open].sort().map((name) => `${name} ${wanted.image}`));
      }),
      { numRuns: 80 },
    );
  });
});
