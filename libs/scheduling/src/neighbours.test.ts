import { type Node, type Pod, pod as podKind } from '@periplus/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Decider, type Decision } from './decide.ts';
import { NodeTable } from './node-table.ts';
import { interPodAffinity, preferredPodAffinity } from './plugins/inter-pod-affinity.ts';
import { podTopologySpread, preferredTopologySpread } from './plugins/pod-topology-spread.ts';
import { podInfo } from './pod-info.ts';
import { PodShapes } from './pod-shape.ts';
import { DEFAULT_PROFILE } from './profile.ts';
import { SpreadRules, SYSTEM_DEFAULTS } from './spread-rules.ts';
import {
  type NaiveCluster,
  naiveAffinityRefusal,
  naiveSpreadRefusal,
  naiveSpreadScores,
  naiveSympathy,
} from './testing/naive-neighbours.ts';
import { makeNode, makePod } from './testing/objects.ts';

const HARD_WEIGHT = 3;
/** Long histories, on a machine that does other things too. */
const MS_MAX = 60_000;
const KEYS = ['zone', 'kubernetes.io/hostname'];
const APPS = ['x', 'y'];

const key = fc.constantFrom(...KEYS);
const labels = fc
  .record({ app: fc.constantFrom(...APPS) }, { requiredKeys: [] })
  .chain((some) => fc.constantFrom('1', '2', undefined).map((rev) => ({ ...some, ...(rev && { rev }) })));
const selector = fc.constantFrom<object | undefined>(
  { matchLabels: { app: 'x' } },
  { matchLabels: { app: 'y' } },
  { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
  {},
  undefined,
);
const term = fc.record(
  {
    topologyKey: key,
    labelSelector: selector,
    namespaces: fc.constantFrom(['one'], ['two']),
    namespaceSelector: fc.constantFrom({}, { matchLabels: { team: 'a' } }),
    matchLabelKeys: fc.constant(['rev']),
    mismatchLabelKeys: fc.constant(['rev']),
  },
  { requiredKeys: ['topologyKey', 'labelSelector'] },
);
const affinity = fc.record(
  {
    requiredDuringSchedulingIgnoredDuringExecution: fc.array(term, { maxLength: 2 }),
    preferredDuringSchedulingIgnoredDuringExecution: fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 100 }), podAffinityTerm: term }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);
const constraint = fc.record(
  {
    topologyKey: key,
    maxSkew: fc.integer({ min: 1, max: 3 }),
    whenUnsatisfiable: fc.constantFrom('DoNotSchedule', 'ScheduleAnyway'),
    labelSelector: selector,
    minDomains: fc.integer({ min: 1, max: 4 }),
    nodeAffinityPolicy: fc.constantFrom('Honor', 'Ignore'),
    nodeTaintsPolicy: fc.constantFrom('Honor', 'Ignore'),
    matchLabelKeys: fc.constant(['rev']),
  },
  { requiredKeys: ['topologyKey', 'maxSkew', 'whenUnsatisfiable', 'labelSelector'] },
);
const arbitraryPod = fc.record({
  namespace: fc.constantFrom('one', 'two'),
  labels,
  podAffinity: fc.option(affinity, { nil: undefined }),
  podAntiAffinity: fc.option(affinity, { nil: undefined }),
  topologySpreadConstraints: fc.array(constraint, { maxLength: 2 }),
  nodeSelector: fc.constantFrom({ disk: 'ssd' }, undefined),
  tolerations: fc.constantFrom([{ operator: 'Exists' }], []),
  cpu: fc.constantFrom('100m', '900m'),
});
const templates = fc.array(arbitraryPod, { minLength: 3, maxLength: 3 });
const nodeNumber = fc.nat({ max: 4 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('place' as const), pod: arbitraryPod, node: nodeNumber }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('schedule' as const), template: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'end' as const), pod: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('setNode' as const),
      node: nodeNumber,
      zone: fc.constantFrom('a', 'b', undefined),
      disk: fc.constantFrom('ssd', undefined),
      tainted: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeNode' as const), node: nodeNumber }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('namespace' as const), team: fc.constantFrom('a', 'b') }),
  },
);

type PodParts = typeof arbitraryPod extends fc.Arbitrary<infer P> ? P : never;
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

let made = 0;
function podOf({ namespace, labels, podAffinity, podAntiAffinity, cpu, ...spec }: PodParts): Pod {
  made += 1;
  const pod = makePod(`p${made}`, structuredClone({ ...spec, affinity: { podAffinity, podAntiAffinity } }), { cpu });
  const created = { ...pod, metadata: { ...pod.metadata, namespace, labels } } as Pod;
  // What its label keys say comes into its selectors.
  podKind.prepareForCreate(created);
  return created;
}

/** The same history, in the scheduler's table and as plain lists. */
class Both {
  readonly table = new NodeTable();
  readonly naive: NaiveCluster = { nodes: [], pods: [], namespaces: {} };
  readonly shapes = new PodShapes();
  readonly decisions: Decision[] = [];
  private readonly decider = new Decider(this.table, DEFAULT_PROFILE);
  /** Of the pods that are scheduled: few, so that what is kept of their like is used. */
  private readonly templates: readonly PodParts[];

  constructor(templates: readonly PodParts[]) {
    this.templates = templates;
    made = 0;
    this.take({ do: 'namespace', team: 'b' });
    for (const at of [0, 1, 2])
      this.take({ do: 'setNode', node: at, zone: at < 2 ? 'a' : 'b', disk: 'ssd', tainted: false });
  }

  take(step: Step): void {
    const { table, naive, shapes } = this;
    switch (step.do) {
      case 'place': {
        const pod = podOf(step.pod);
        pod.spec.nodeName = `n${step.node}`;
        naive.pods.push(pod);
        table.place(pod.metadata.uid!, shapes.footprint(pod), pod.spec.nodeName);
        break;
      }
      case 'schedule':
        this.schedule(podOf(this.templates[step.template]!));
        break;
      case 'remove':
      case 'end': {
        const pod = naive.pods[step.pod % Math.max(naive.pods.length, 1)];
        if (!pod) return;
        if (step.do === 'remove') {
          naive.pods.splice(naive.pods.indexOf(pod), 1);
          table.displace(pod.metadata.uid!);
        } else {
          pod.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
          table.place(pod.metadata.uid!, shapes.footprint(pod), pod.spec.nodeName!);
        }
        break;
      }
      case 'setNode':
        this.setNode(step);
        break;
      case 'removeNode':
        table.removeNode(`n${step.node}`);
        naive.nodes = naive.nodes.filter(({ metadata }) => metadata.name !== `n${step.node}`);
        break;
      case 'namespace':
        naive.namespaces = { one: { team: 'a' }, two: { team: step.team } };
        for (const [name, labels] of Object.entries(naive.namespaces)) table.tallies.setNamespace(name, labels);
    }
  }

  /**
   * What is kept from decision to decision must not show in where pods go. A refusal may go on in its words for as long
   * as nothing has loosened, though nodes have filled up meanwhile.
   */
  private schedule(pod: Pod): void {
    const { table, naive, shapes } = this;
    const info = podInfo(pod, shapes, 0);
    const decision = this.decider.decide(info);
    expect(decision.node).toBe(new Decider(table, DEFAULT_PROFILE).decide(info).node);
    this.decisions.push(decision);
    if (decision.node === null) return;
    pod.spec.nodeName = decision.node;
    naive.pods.push(pod);
    table.place(info.uid, info.shape, decision.node);
  }

  private setNode({ node, zone, disk, tainted }: Extract<Step, { do: 'setNode' }>): void {
    const name = `n${node}`;
    const taints = tainted ? [{ key: 'k', effect: 'NoSchedule' }] : [];
    const made = makeNode(name, { labels: { ...(zone && { zone }), ...(disk && { disk }) }, spec: { taints } });
    this.naive.nodes = [...this.naive.nodes.filter(({ metadata }) => metadata.name !== name), made];
    this.table.setNode(made);
  }
}

const rules = new SpreadRules(SYSTEM_DEFAULTS);
const [spread, spreadScore, affinityScore] = [
  podTopologySpread(rules),
  preferredTopologySpread(rules),
  preferredPodAffinity(HARD_WEIGHT, false),
];

function scaled(raw: number[]): number[] | null {
  const [lowest, highest] = [Math.min(...raw), Math.max(...raw)];
  return highest === lowest ? null : raw.map((sum) => Math.trunc(100 * ((sum - lowest) / (highest - lowest))));
}

function expectSame({ table, naive, shapes }: Both, pod: Pod): void {
  const shape = shapes.of(pod);
  const slots = Int32Array.from(naive.nodes, (node) => table.slot(node.metadata.name!)!);
  const [affine, evenly] = [interPodAffinity.prepare(shape, table), spread.prepare(shape, table)];
  const reasons = (check: typeof affine) => Array.from(slots, (slot) => check?.(slot)?.join() ?? null);
  const naively = (refusal: (pod: Pod, node: Node, cluster: NaiveCluster) => string | null) =>
    naive.nodes.map((node) => refusal(pod, node, naive));
  expect(reasons(affine)).toEqual(naively(naiveAffinityRefusal));
  expect(reasons(evenly)).toEqual(naively(naiveSpreadRefusal));
  if (slots.length === 0) return;
  const scores = new Float64Array(slots.length);
  const scored = (score: typeof spreadScore) =>
    score.score(shape, table, slots, slots.length, scores) ? [...scores] : null;
  expect(scored(affinityScore)).toEqual(
    scaled(naive.nodes.map((node) => naiveSympathy(pod, node, naive, HARD_WEIGHT))),
  );
  expect(scored(spreadScore)).toEqual(naiveSpreadScores(pod, naive.nodes, naive));
}

it(
  'knows of company and spreading, whatever happened, what counting everything anew would show',
  () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), templates, (steps, templates) => {
        const both = new Both(templates);
        const pending = templates.map(podOf);
        for (const step of steps) {
          both.take(step);
          // Asked again and again, so that what is counted has to follow.
          for (const pod of pending) expectSame(both, pod);
        }
        for (const pod of pending) expectSame(both, pod);
      }),
      { numRuns: 100 },
    );
  },
  MS_MAX,
);

it(
  'decides as one would who keeps nothing in mind, and the same again when the same happens',
  () => {
    const play = (steps: Step[], templates: PodParts[]): Decision[] => {
      const both = new Both(templates);
      for (const step of steps) both.take(step);
      return both.decisions;
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), templates, (steps, templates) => {
        expect(play(steps, templates)).toEqual(play(steps, templates));
      }),
      { numRuns: 300 },
    );
  },
  MS_MAX,
);
