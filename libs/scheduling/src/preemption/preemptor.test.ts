import type { Pod, PodDisruptionBudget } from '@periplus/api';
import type { Entry } from '@periplus/cache';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Decider } from '../decide.ts';
import { NodeTable } from '../node-table.ts';
import { podInfo } from '../pod-info.ts';
import { PodShapes } from '../pod-shape.ts';
import { DEFAULT_PROFILE } from '../profile.ts';
import { makeNode, makePod, webContainer } from '../testing/objects.ts';
import { DisruptionBudgets } from './disruption-budgets.ts';
import { Nominations } from './nominations.ts';
import { PlacedPods } from './placed-pods.ts';
import { Preemptor } from './preemptor.ts';
import type { Candidate } from './prospects.ts';

const APPS = ['web', 'db', 'none'];

interface Placed {
  node: number;
  cpu: number;
  priority: number;
  app: string;
  started: number;
  hasPort: boolean;
}

interface Scene {
  nodes: number[];
  pods: Placed[];
  preemptor: { cpu: number; priority: number; hasPort: boolean };
  allowed: number;
}

const priority = fc.integer({ min: -2, max: 4 });
const scenes: fc.Arbitrary<Scene> = fc.record({
  nodes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
  pods: fc.array(
    fc.record({
      node: fc.nat(5),
      cpu: fc.integer({ min: 0, max: 3 }),
      priority,
      app: fc.constantFrom(...APPS),
      started: fc.nat(3),
      hasPort: fc.boolean(),
    }),
    { maxLength: 24 },
  ),
  preemptor: fc.record({ cpu: fc.integer({ min: 1, max: 5 }), priority, hasPort: fc.boolean() }),
  allowed: fc.nat(2),
});

const podOf = (name: string, cpu: number, spec: object, hasPort: boolean): Pod => {
  const resources = { requests: { cpu: String(cpu) } };
  const container = hasPort ? { ...webContainer(), resources } : { name: 'a', image: 'a', resources };
  return makePod(name, { containers: [container], ...spec });
};

/** A cluster as the scene says, with the questions that the test asks of it. */
function stage({ nodes, pods, preemptor, allowed }: Scene) {
  const table = new NodeTable();
  const shapes = new PodShapes();
  const placed = new PlacedPods();
  const budgets = new DisruptionBudgets();
  nodes.forEach((cpu, at) => {
    table.setNode(makeNode(`n${at}`, { allocatable: { cpu: String(cpu), pods: '4' } }));
  });
  budgets.set({
    key: { group: 'policy', resource: 'poddisruptionbudgets', namespace: 'default', name: 'db' },
    object: {
      spec: { selector: { matchLabels: { app: 'db' } } },
      status: { disruptionsAllowed: allowed },
    } as unknown as PodDisruptionBudget,
  } as unknown as Entry);
  const footprints = new Map<string, ReturnType<PodShapes['footprint']>>();
  pods.forEach(({ node, cpu, app, started, hasPort, ...more }, at) => {
    const pod = podOf(`p${at}`, cpu, { nodeName: `n${node % nodes.length}`, ...more }, hasPort);
    const known = { ...pod, metadata: { ...pod.metadata, labels: { app } } };
    const startTime = `2026-01-0${started + 1}T00:00:00Z`;
    placed.set({ ...known, status: { startTime } });
    footprints.set(pod.metadata.uid!, shapes.footprint(known));
    table.place(pod.metadata.uid!, footprints.get(pod.metadata.uid!)!, pod.spec.nodeName!);
  });
  const decider = new Decider(table, DEFAULT_PROFILE);
  const deps = { table, placed, budgets, nominations: new Nominations(table) };
  const { cpu, hasPort, ...rest } = preemptor;
  const info = podInfo(podOf('preemptor', cpu, rest, hasPort), shapes, 0);
  const fits = (node: string): boolean => decider.refusedBy(info.shape, node) === null;
  return { table, decider, info, fits, footprints, preemptor: new Preemptor(deps) };
}

const columns = ({ requestedCpu, pods, hostPorts }: NodeTable) =>
  JSON.stringify([[...requestedCpu], [...pods], hostPorts.map((ports) => ports?.length ?? 0)]);

it('takes nobody of the same or a higher priority, and nobody more than it must; leaves all as it was', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { table, decider, info, fits, footprints, preemptor } = stage(scene);
      fc.pre(decider.decide(info).node === null);
      const before = columns(table);
      const outcome = preemptor.preempt(info, decider);
      expect(columns(table)).toBe(before);
      if (outcome.node === null) return;
      const { pods } = outcome.victims;
      expect(pods.length).toBeGreaterThan(0);
      for (const { uid } of pods) {
        expect(footprints.get(uid)!.priority).toBeLessThan(info.priority);
        expect(table.displace(uid)!.node).toBe(outcome.node);
      }
      expect(fits(outcome.node)).toBe(true);
      for (const { uid } of pods) {
        table.place(uid, footprints.get(uid)!, outcome.node);
        expect(fits(outcome.node)).toBe(false);
        table.displace(uid);
      }
    }),
    { numRuns: 500 },
  );
});

it('has somebody go wherever the going of all who are less important would help', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { decider, info, preemptor } = stage(scene);
      fc.pre(decider.decide(info).node === null);
      const helps = scene.nodes.some((_, at) => {
        const emptied = stage({ ...scene, pods: [] });
        scene.pods.forEach((pod, index) => {
          if (pod.node % scene.nodes.length !== at || pod.priority < info.priority) return;
          const uid = `uid-p${index}`;
          emptied.table.place(uid, stage(scene).footprints.get(uid)!, `n${at}`);
        });
        return emptied.fits(`n${at}`);
      });
      expect(preemptor.preempt(info, decider).node !== null).toBe(helps);
    }),
    { numRuns: 150 },
  );
});

it('violates a budget only where no node would do without', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { decider, info, preemptor } = stage(scene);
      fc.pre(decider.decide(info).node === null);
      const outcome = preemptor.preempt(info, decider);
      if (outcome.node === null || outcome.victims.violations === 0) return;
      scene.nodes.forEach((_, at) => {
        const alone = stage({ ...scene, nodes: scene.nodes.map((cpu, other) => (other === at ? cpu : 0)) });
        const there = alone.preemptor.preempt(alone.info, alone.decider);
        if (there.node !== null) expect(there.victims.violations).toBeGreaterThanOrEqual(1);
      });
    }),
    { numRuns: 300 },
  );
});

it('decides the same again, also from what it remembers', () => {
  const shown = (candidate: Candidate) => [candidate.node, candidate.victims.pods.map(({ uid }) => uid)];
  fc.assert(
    fc.property(scenes, (scene) => {
      const [one, other] = [stage(scene), stage(scene)];
      fc.pre(one.decider.decide(one.info).node === null);
      other.decider.decide(other.info);
      const first = one.preemptor.preempt(one.info, one.decider);
      expect(other.preemptor.preempt(other.info, other.decider)).toEqual(first);
      const again = one.preemptor.preempt(one.info, one.decider);
      if (first.node === null) expect(again).toEqual(first);
      else expect(shown(again as Candidate)).toEqual(shown(first));
    }),
    { numRuns: 200 },
  );
});
