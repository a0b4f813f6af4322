import type { IPodAffinityTerm } from 'kubernetes-models/v1/PodAffinityTerm';
import type { ITopologySpreadConstraint } from 'kubernetes-models/v1/TopologySpreadConstraint';
import { describe, expect, it } from 'vitest';
import { deployment } from '../apps/deployment.ts';
import { type Pod, pod } from '../core/pod.ts';
import { aDeployment, aPod, created, createProblems, updateProblems } from '../testing/objects.ts';

const labelled = (spec: Pod['spec']): Pod => {
  const one = aPod(spec);
  return { ...one, metadata: { ...one.metadata, labels: { app: 'web', tier: 'front' } } };
};
const term = (more: Partial<IPodAffinityTerm>): IPodAffinityTerm => ({
  topologyKey: 'zone',
  labelSelector: { matchLabels: { app: 'web' } },
  ...more,
});
const required = (more: Partial<IPodAffinityTerm>) =>
  labelled({
    ...aPod().spec,
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(more)] } },
  });
const spread = (more: Partial<ITopologySpreadConstraint>) =>
  labelled({
    ...aPod().spec,
    topologySpreadConstraints: [
      { ...{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }, ...term({}), ...more },
    ],
  });
const termOf = ({ spec }: Pod) => spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0];
const constraintOf = ({ spec }: Pod) => spec.topologySpreadConstraints?.[0];

const isFront = { key: 'tier', operator: 'In', values: ['front'] };
const isNotFront = { key: 'tier', operator: 'NotIn', values: ['front'] };

describe('label keys of a new pod', () => {
  it('are merged into the selectors of affinity', () => {
    const merged = termOf(created(pod, required({ matchLabelKeys: ['tier'] })));
    expect(merged).toEqual(
      term({ ...merged, labelSelector: { ...term({}).labelSelector, matchExpressions: [isFront] } }),
    );
    expect(merged?.matchLabelKeys).toEqual(['tier']);
    const distant = termOf(created(pod, required({ mismatchLabelKeys: ['tier'] })));
    expect(distant?.labelSelector?.matchExpressions).toEqual([isNotFront]);
  });

  it('are merged wherever a term may stand', () => {
    const terms = () => ({
      requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabelKeys: ['tier'] })],
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, podAffinityTerm: term({ matchLabelKeys: ['tier'] }) },
      ],
    });
    const affinity = { podAffinity: terms(), podAntiAffinity: terms() };
    const merged = created(pod, labelled({ ...aPod().spec, affinity })).spec.affinity!;
    for (const side of [merged.podAffinity!, merged.podAntiAffinity!]) {
      const [hard] = side.requiredDuringSchedulingIgnoredDuringExecution!;
      const [soft] = side.preferredDuringSchedulingIgnoredDuringExecution!;
      expect(hard!.labelSelector!.matchExpressions).toEqual([isFront]);
      expect(soft!.podAffinityTerm.labelSelector!.matchExpressions).toEqual([isFront]);
    }
  });

  it('are merged into the selectors of topology spread, behind what these ask themselves', () => {
    const expression = { key: 'app', operator: 'Exists' };
    const merged = constraintOf(
      created(pod, spread({ labelSelector: { matchExpressions: [expression] }, matchLabelKeys: ['tier'] })),
    );
    expect(merged?.labelSelector).toEqual({ matchExpressions: [expression, isFront] });
  });

  it('that the pod does not have say nothing', () => {
    const merged = constraintOf(created(pod, spread({ matchLabelKeys: ['absent', 'tier'] })));
    expect(merged?.labelSelector?.matchExpressions).toEqual([isFront]);
    const labelSelector = termOf(created(pod, required({ matchLabelKeys: ['absent'] })))?.labelSelector;
    expect(labelSelector).toEqual({ matchLabels: { app: 'web' } });
  });

  it('are merged once: a change of the pod changes nothing of them', () => {
    const problems = updateProblems(pod, spread({ matchLabelKeys: ['tier'] }), (copy) => {
      copy.metadata.labels = { app: 'web', tier: 'back' };
    });
    expect(problems).toEqual([]);
  });

  const at = 'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]';
  const twice = (place: string, key: string) =>
    `${place}: Invalid value: "${key}": exists in both matchLabelKeys and labelSelector`;
  const unselected = (place: string) =>
    `${place}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`;
  const tierIsX = { matchExpressions: [{ key: 'tier', operator: 'In', values: ['x'] }] };
  it.each<[string, Pod, string[]]>([
    ['without a selector', required({ labelSelector: undefined, matchLabelKeys: ['tier'] }), [unselected(at)]],
    [
      'of a constraint without a selector',
      spread({ labelSelector: undefined, matchLabelKeys: ['tier'] }),
      [unselected('spec.topologySpreadConstraints[0]')],
    ],
    ['that the selector has as a label', required({ matchLabelKeys: ['app'] }), [twice(`${at}[0]`, 'app')]],
    [
      'that the selector has in an expression',
      required({ labelSelector: tierIsX, matchLabelKeys: ['tier'] }),
      [twice(`${at}[0]`, 'tier')],
    ],
    [
      'that the selector of a constraint has',
      spread({ matchLabelKeys: ['tier', 'app'] }),
      [twice('spec.topologySpreadConstraints[0][1]', 'app')],
    ],
    ['that the selector has too, but to differ', required({ labelSelector: tierIsX, mismatchLabelKeys: ['tier'] }), []],
    [
      'that are to match and to differ',
      required({ matchLabelKeys: ['tier'], mismatchLabelKeys: ['tier'] }),
      [
        twice(`${at}[0]`, 'tier'),
        `${at}.matchLabelKeys[0]: Invalid value: "tier": exists in both matchLabelKeys and mismatchLabelKeys`,
      ],
    ],
  ])('%s', (_what, object, expected) => {
    expect(createProblems(pod, object)).toEqual(expected);
  });
});

it('label keys of a template stay as they are until a pod is made of it', () => {
  const object = aDeployment();
  const constraint: ITopologySpreadConstraint = { maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', ...term({}) };
  object.spec!.template!.spec!.topologySpreadConstraints = [{ ...constraint, matchLabelKeys: ['app'] }];
  expect(createProblems(deployment, object)).toEqual([]);
  expect(object.spec?.template?.spec?.topologySpreadConstraints?.[0]?.labelSelector).toEqual(constraint.labelSelector);
});
