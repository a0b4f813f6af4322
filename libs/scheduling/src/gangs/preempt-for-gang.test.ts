import type { PodGroup } from '@periplus/api';
import { podDisruptionBudget, podGroup } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterPicture } from '../cluster-picture.ts';
import { Decider } from '../decide.ts';
import type { Depicted } from '../depicted.ts';
import { podInfo } from '../pod-info.ts';
import { Preemptor } from '../preemption/preemptor.ts';
import { DEFAULT_PROFILE } from '../profile.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { preemptForGang } from './preempt-for-gang.ts';

interface Placed {
  readonly node: string;
  readonly priority: number;
  readonly cpu: number;
}

const GANG_PRIORITY = 100;

function depicted({ group, plural }: { group: string; plural: string }, name: string, rest: object): Depicted {
  const object = { metadata: { name, namespace: 'default' }, ...rest } as DeepReadonly<KubeObject>;
  const key = { group, resource: plural, namespace: 'default', name };
  return { key, object, bytes: Buffer.from(JSON.stringify(object)), resourceVersion: '1', createRevision: 1 };
}

/** Whom a gang of pods with these requests has leave, and where its pods go; null when it has nobody leave. */
function planned(
  nodes: Record<string, number>,
  placed: Record<string, Placed>,
  cpus: number[],
  budgeted: string[] = [],
) {
  const picture = new ClusterPicture();
  const { table, shapes, groups } = picture;
  for (const [name, cpu] of Object.entries(nodes)) {
    table.setNode(makeNode(name, { allocatable: { cpu: String(cpu), pods: '100' } }));
  }
  for (const [name, { node, priority, cpu }] of Object.entries(placed)) {
    const made = makePod(name, { nodeName: node, priority }, { cpu: String(cpu) });
    const pod = { ...made, metadata: { ...made.metadata, labels: { app: name } } } as typeof made;
    picture.placed.set(pod);
    table.place(pod.metadata.uid!, shapes.footprint(pod), node);
  }
  for (const name of budgeted) {
    const spec = { selector: { matchLabels: { app: name } } };
    picture.budgets.set(depicted(podDisruptionBudget, name, { spec, status: { disruptionsAllowed: 0 } }));
  }
  const policy: PodGroup['spec'] = { schedulingPolicy: { gang: { minCount: cpus.length } } };
  groups.set(depicted(podGroup, 'g', { spec: policy }));
  cpus.forEach((cpu, at) => {
    const pod = makePod(`p${at}`, { priority: GANG_PRIORITY }, { cpu: String(cpu) });
    groups.addPending(podInfo(pod, shapes, at), 'g');
  });
  const deciders = new Map([['default-scheduler', new Decider(table, DEFAULT_PROFILE)]]);
  const before = [...table.requestedCpu];
  const plan = preemptForGang(groups.gang('podgroup/default/g')!, picture, deciders, new Preemptor(picture));
  expect([...table.requestedCpu]).toEqual(before);
  if (plan === null) return null;
  return {
    victims: plan.preemptions.flatMap(({ victims }) => victims.map(({ name }) => name)).sort(),
    nodes: plan.placements.map(({ pod, node }): [string, string] => [pod.pod.metadata.name!, node]),
    preemptions: plan.preemptions,
  };
}

const low = (node: string, cpu = 1, priority = 0): Placed => ({ node, priority, cpu });

describe('a gang as a whole', () => {
  it('lets those stay whose places its pods find beside those who leave for others of them', () => {
    // For the small pod alone the small one would be the cheapest to go.
    const plan = planned({ a: 1, b: 4 }, { small: low('a', 1, 1), large: low('b', 4, 2) }, [1, 3]);
    expect(plan).toMatchObject({ victims: ['large'] });
    expect(new Map(plan!.nodes)).toEqual(
      new Map([
        ['p0', 'b'],
        ['p1', 'b'],
      ]),
    );
  });

  it('lets one stay that leaves room beside another who has to go', () => {
    expect(planned({ a: 4 }, { small: low('a', 1), large: low('a', 3, 1) }, [1, 2])).toMatchObject({
      victims: ['large'],
    });
  });

  it('spares first those whose budget has nothing left', () => {
    const placed = { one: low('a'), two: low('a'), three: low('a') };
    expect(planned({ a: 3 }, placed, [1, 1], ['two'])!.victims).not.toContain('two');
  });

  it('has nobody leave when all of them would not be enough', () => {
    expect(planned({ a: 2 }, { one: low('a'), same: low('a', 1, GANG_PRIORITY) }, [1, 1])).toBeNull();
  });
});

it('has only less important pods leave, makes room for all of its own, and needs each of them to go', () => {
  const nodeNames = ['a', 'b', 'c'];
  const pod = fc.record({
    node: fc.constantFrom(...nodeNames),
    priority: fc.constantFrom(0, 1, 2, GANG_PRIORITY),
    cpu: fc.integer({ min: 1, max: 6 }),
  });
  const cluster = fc.record({
    nodes: fc.tuple(...nodeNames.map(() => fc.integer({ min: 4, max: 12 }))),
    pods: fc.array(pod, { maxLength: 14 }),
    // The small ones first, for which others go that may be in nobody's way in the end.
    gang: fc
      .array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 5 })
      .map((cpus) => cpus.sort((a, b) => a - b)),
  });
  let preempted = 0;
  fc.assert(
    fc.property(cluster, ({ nodes, pods, gang }) => {
      const capacity = new Map(nodeNames.map((name, at) => [name, nodes[at]!]));
      const free = new Map(capacity);
      const placed: Record<string, Placed> = {};
      for (const [at, one] of pods.entries()) {
        if (free.get(one.node)! < one.cpu) continue;
        free.set(one.node, free.get(one.node)! - one.cpu);
        placed[`low${at}`] = one;
      }
      const plan = planned(Object.fromEntries(capacity), placed, gang);
      if (plan === null) return;
      expect(plan.nodes).toHaveLength(gang.length);
      for (const name of plan.victims) expect(placed[name]!.priority).toBeLessThan(GANG_PRIORITY);
      for (const { node, victims } of plan.preemptions) {
        for (const { name } of victims) expect(placed[name]!.node).toBe(node);
      }
      const cpuOf = (name: string): number => gang[Number(name.slice(1))]!;
      const left = new Map(free);
      for (const name of plan.victims) left.set(placed[name]!.node, left.get(placed[name]!.node)! + placed[name]!.cpu);
      for (const [name, node] of plan.nodes) left.set(node, left.get(node)! - cpuOf(name));
      for (const room of left.values()) expect(room).toBeGreaterThanOrEqual(0);
      if (plan.victims.length > 0) preempted += 1;
      // Beside the pods that come, none of them could stay.
      for (const name of plan.victims) expect(placed[name]!.cpu).toBeGreaterThan(left.get(placed[name]!.node)!);
      // Nor could all of a node for whom one pod comes, which would find its place elsewhere.
      for (const { node } of plan.preemptions) {
        const comers = plan.nodes.filter(([, place]) => place === node);
        if (comers.length !== 1) continue;
        const cpu = cpuOf(comers[0]![0]);
        for (const [other, room] of left) if (other !== node) expect(room).toBeLessThan(cpu);
      }
    }),
    { numRuns: 400 },
  );
  expect(preempted).toBeGreaterThan(50);
});
