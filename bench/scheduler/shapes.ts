import type { Template } from '../pod.ts';

const ZONE = 'topology.kubernetes.io/zone';
const HOSTNAME = 'kubernetes.io/hostname';

/** A case of Kubernetes' scheduler_perf: which pods stand on the nodes already, and which are then measured. */
export interface Shape {
  readonly name: string;
  /** Nodes are in these zones by turns. */
  readonly zones: readonly string[];
  /** Scheduled before the clock starts. */
  readonly before: readonly { readonly pods: number; readonly template: Template }[];
  readonly pods: number;
  readonly template: Template;
  /** Pods/s from create to bound. */
  readonly bar: number;
}

const term = (color: string, topologyKey: string) => ({ labelSelector: { matchLabels: { color } }, topologyKey });
const required = (of: 'podAffinity' | 'podAntiAffinity', color: string, topologyKey: string): Template => ({
  labels: { color },
  spec: { affinity: { [of]: { requiredDuringSchedulingIgnoredDuringExecution: [term(color, topologyKey)] } } },
});
const preferred = (of: 'podAffinity' | 'podAntiAffinity', color: string): Template => ({
  labels: { color },
  spec: {
    affinity: {
      [of]: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(color, HOSTNAME) }],
      },
    },
  },
});

const basic: Template = {};
const spread: Template = {
  labels: { color: 'blue' },
  spec: {
    topologySpreadConstraints: [
      {
        maxSkew: 5,
        topologyKey: ZONE,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { color: 'blue' } },
      },
    ],
  },
};
const nodeAffinity: Template = {
  spec: {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: 'In', values: ['zone1', 'zone2'] }] }],
        },
      },
    },
  },
};
const withCompany = required('podAffinity', 'blue', ZONE);
const alone = required('podAntiAffinity', 'green', HOSTNAME);
const likesCompany = preferred('podAffinity', 'red');
const likesSolitude = preferred('podAntiAffinity', 'yellow');

/** https://github.com/kubernetes/kubernetes/tree/master/test/integration/scheduler_perf, the cases with 5,000 nodes. */
export const SHAPES: readonly Shape[] = [
  {
    name: 'basic',
    zones: ['zone1'],
    before: [{ pods: 1_000, template: basic }],
    pods: 10_000,
    template: basic,
    bar: 2_000,
  },
  {
    name: 'topology-spread',
    zones: ['zone1', 'zone2', 'zone3'],
    before: [{ pods: 5_000, template: basic }],
    pods: 5_000,
    template: spread,
    bar: 1_000,
  },
  {
    name: 'node-affinity',
    zones: ['zone1'],
    before: [{ pods: 5_000, template: nodeAffinity }],
    pods: 10_000,
    template: nodeAffinity,
    bar: 1_500,
  },
  {
    name: 'preferred-pod-affinity',
    zones: ['zone1'],
    before: [{ pods: 5_000, template: likesCompany }],
    pods: 5_000,
    template: likesCompany,
    bar: 500,
  },
  {
    name: 'preferred-pod-anti-affinity',
    zones: ['zone1'],
    before: [{ pods: 5_000, template: likesSolitude }],
    pods: 5_000,
    template: likesSolitude,
    bar: 500,
  },
  {
    name: 'required-pod-anti-affinity',
    zones: ['zone1'],
    before: [{ pods: 1_000, template: alone }],
    pods: 2_000,
    template: alone,
    bar: 500,
  },
  {
    name: 'required-pod-affinity',
    zones: ['zone1'],
    before: [{ pods: 5_000, template: withCompany }],
    pods: 5_000,
    template: withCompany,
    bar: 500,
  },
  {
    name: 'mixed',
    zones: ['zone1'],
    before: [basic, withCompany, alone, likesCompany, likesSolitude].map((template) => ({ pods: 2_000, template })),
    pods: 5_000,
    template: basic,
    bar: 800,
  },
];

/** The labels of the node with this number. */
export const nodeLabels = ({ zones }: Shape, at: number): Record<string, string> => ({
  [ZONE]: zones[at % zones.length]!,
});
