import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type HorizontalPodAutoscaler, horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { type HorizontalPodAutoscalerV1, horizontalPodAutoscalerV1 } from './horizontal-pod-autoscaler-v1.ts';

type Spec = HorizontalPodAutoscaler['spec'];
type Metric = NonNullable<Spec['metrics']>[number];

const root = new FieldPath();
const scaleTargetRef = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
const anAutoscaler = (spec: Partial<Spec> = {}): HorizontalPodAutoscaler => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { scaleTargetRef, maxReplicas: 5, ...spec },
});
const cpu = (averageUtilization: number): Metric => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const memory: Metric = {
  type: 'Resource',
  resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
};
const pods: Metric = {
  type: 'Pods',
  pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '5' } },
};
const queue: Metric = {
  type: 'External',
  external: {
    metric: { name: 'queue', selector: { matchLabels: { a: 'b' } } },
    target: { type: 'Value', value: '30' },
  },
};
const route: Metric = {
  type: 'Object',
  object: {
    describedObject: { kind: 'Ingress', name: 'main' },
    metric: { name: 'hits' },
    target: { type: 'Value', value: '2k' },
  },
};
const sidecar: Metric = {
  type: 'ContainerResource',
  containerResource: { name: 'cpu', container: 'proxy', target: { type: 'Utilization', averageUtilization: 50 } },
};

describe('a new autoscaler', () => {
  it('looks at the CPU when nobody says what else', () => {
    const { spec, status } = created(horizontalPodAutoscaler, anAutoscaler());
    expect([spec.minReplicas, spec.metrics, spec.behavior, status]).toEqual([
      1,
      [cpu(80)],
      undefined,
      { desiredReplicas: 0, currentMetrics: null },
    ]);
  });

  it('gets rules for both directions when it has one', () => {
    const { behavior } = created(
      horizontalPodAutoscaler,
      anAutoscaler({ behavior: { scaleUp: { selectPolicy: 'Min' } } }),
    ).spec;
    const percent = { type: 'Percent', value: 100, periodSeconds: 15 };
    expect(behavior).toEqual({
      scaleUp: {
        selectPolicy: 'Min',
        stabilizationWindowSeconds: 0,
        policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, percent],
      },
      scaleDown: { selectPolicy: 'Max', policies: [percent] },
    });
  });

  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    ['with every type of metric', { metrics: [cpu(50), memory, pods, queue, route, sidecar] }, []],
    [
      'with bounds that cannot be',
      { minReplicas: 0, maxReplicas: -1 },
      [
        'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
        'spec.maxReplicas: Invalid value: -1: must be greater than 0',
        'spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`',
      ],
    ],
    [
      'of nothing',
      { scaleTargetRef: { kind: '', name: 'a/b', apiVersion: 'a/b/c' } },
      [
        'spec.scaleTargetRef.kind: Required value',
        `spec.scaleTargetRef.name: Invalid value: "a/b": may not contain '/'`,
        'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      ],
    ],
    [
      'with a metric that is none',
      { metrics: [{ type: 'Luck' }, { type: 'Pods' }, { ...pods, ...memory, type: 'Pods' }] },
      [
        'spec.metrics[0].type: Unsupported value: "Luck": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
        'spec.metrics[1].pods: Required value: must populate information for the given metric source',
        'spec.metrics[2].resource: Forbidden: must populate the given metric source only',
      ],
    ],
    [
      'with targets that cannot be met',
      {
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 0, averageValue: '0' } },
          },
          { type: 'Pods', pods: { metric: { name: '' }, target: { type: '' } } },
          {
            type: 'External',
            external: { metric: { name: 'q' }, target: { type: 'Value', value: '1', averageValue: '1' } },
          },
          { type: 'ContainerResource', containerResource: { name: 'cpu', container: '', target: { type: 'Value' } } },
        ],
      },
      [
        'spec.metrics[0].resource.target.averageValue: Invalid value: "0": must be positive',
        'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
        'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
        'spec.metrics[1].pods.metric.name: Required value: must specify a metric name',
        'spec.metrics[1].pods.target.type: Required value: must specify a metric target type',
        'spec.metrics[1].pods.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
        'spec.metrics[1].pods.target.averageValue: Required value: must specify a positive target averageValue',
        'spec.metrics[2].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target',
        'spec.metrics[3].containerResource.container: Required value: must specify a container',
        'spec.metrics[3].containerResource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
      ],
    ],
    [
      'that behaves oddly',
      {
        behavior: {
          scaleUp: { stabilizationWindowSeconds: 3601, selectPolicy: 'Some', policies: [], tolerance: '-1' },
          scaleDown: { policies: [{ type: 'Nodes', value: 0, periodSeconds: 1801 }] },
        },
      },
      [
        'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Some": supported values: "Disabled", "Max", "Min"',
        'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
        'spec.behavior.scaleUp.tolerance: Invalid value: "-1": must be greater than or equal to 0',
        'spec.behavior.scaleDown.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"',
        'spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero',
        'spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(horizontalPodAutoscaler, anAutoscaler(spec))).toEqual(expected);
  });

  it('may change in everything, and counts no pods below zero', () => {
    const change = (copy: HorizontalPodAutoscaler) => {
      copy.spec = { scaleTargetRef: { kind: 'X', name: 'y' }, maxReplicas: 9, metrics: [memory] };
    };
    expect(updateProblems(horizontalPodAutoscaler, anAutoscaler(), change)).toEqual([]);
    const count = (copy: HorizontalPodAutoscaler) => (copy.status = { currentReplicas: -1, desiredReplicas: 0 });
    expect(statusProblems(horizontalPodAutoscaler, anAutoscaler(), count)).toEqual([
      'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });
});

describe('the older form of an autoscaler', () => {
  const { toStorage, fromStorage } = horizontalPodAutoscalerV1.storedAs!;
  const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
  const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
  const old = (spec: object = {}, annotations?: Record<string, string>): HorizontalPodAutoscalerV1 => ({
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'shop', ...(annotations && { annotations }) },
    spec: { scaleTargetRef, maxReplicas: 5, ...spec },
  });

  it('says the same of the CPU in a field of its own', () => {
    const stored = toStorage(created(horizontalPodAutoscalerV1, old({ targetCPUUtilizationPercentage: 60 })));
    expect(stored).toEqual({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 5, metrics: [cpu(60)] },
      status: { desiredReplicas: 0, currentMetrics: null },
    });
    expect(fromStorage(stored)).toMatchObject({ spec: { targetCPUUtilizationPercentage: 60 } });
  });

  it('looks at the CPU, too, when nobody says what else', () => {
    expect(toStorage(created(horizontalPodAutoscalerV1, old()))).toMatchObject({ spec: { metrics: [cpu(80)] } });
  });

  it('keeps in annotations what it has no fields for, and loses nothing', () => {
    const stored = created(
      horizontalPodAutoscaler,
      anAutoscaler({
        metrics: [memory, pods, queue, route, sidecar, cpu(50)],
        behavior: { scaleUp: { tolerance: '100m' } },
      }),
    );
    stored.metadata.annotations = { mine: 'x' };
    stored.status = {
      currentReplicas: 2,
      desiredReplicas: 3,
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '4m' } } },
        { type: 'External', external: { metric: { name: 'queue' }, current: { value: '9' } } },
      ],
      conditions: [{ type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-11-21T10:00:00Z' }],
    };
    const shown = fromStorage(stored);
    expect(shown.spec).toEqual({ scaleTargetRef, minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 50 });
    expect(shown.status).toEqual({ currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 40 });
    expect(JSON.parse(shown.metadata.annotations![METRICS]!)).toEqual([
      { type: 'Resource', resource: { name: 'memory', targetAverageValue: '1Gi' } },
      { type: 'Pods', pods: { metricName: 'rps', targetAverageValue: '5' } },
      {
        type: 'External',
        external: { metricName: 'queue', metricSelector: { matchLabels: { a: 'b' } }, targetValue: '30' },
      },
      {
        type: 'Object',
        object: { target: { kind: 'Ingress', name: 'main' }, metricName: 'hits', targetValue: '2k' },
      },
      {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', container: 'proxy', targetAverageUtilization: 50 },
      },
    ]);
    expect(JSON.parse(shown.metadata.annotations!['autoscaling.alpha.kubernetes.io/behavior']!).ScaleUp).toMatchObject({
      SelectPolicy: 'Max',
      Tolerance: '100m',
      Policies: [{ Type: 'Pods', Value: 4, PeriodSeconds: 15 }, { Type: 'Percent' }],
    });
    expect(toStorage(shown)).toEqual(stored);
  });

  it.each([
    ['is no JSON', '{'],
    ['is no list', '{"a":1}'],
    ['is a list of something else', '[{"type":"Resource","resource":{"name":7}}]'],
  ])('refuses metrics whose annotation %s', (_what, text) => {
    expect(createProblems(horizontalPodAutoscalerV1, old({}, { [METRICS]: text }))).toEqual([
      `metadata.annotations[${METRICS}]: Invalid value: ${JSON.stringify(text)}: must be JSON of what it is named after`,
    ]);
  });

  it('checks the metrics of annotations like those of fields', () => {
    const text = JSON.stringify([{ type: 'Pods', pods: { metricName: '', targetAverageValue: '1' } }]);
    expect(createProblems(horizontalPodAutoscalerV1, old({}, { [METRICS]: text }))).toEqual([
      'spec.metrics[0].pods.metric.name: Required value: must specify a metric name',
    ]);
  });

  it('lets nobody write the status by annotations of the object, or the object by those of its status', () => {
    const before = created(horizontalPodAutoscalerV1, old({}, { [CONDITIONS]: '[]', [METRICS]: '[]', mine: 'x' }));
    expect(before.metadata.annotations).toEqual({ [METRICS]: '[]', mine: 'x' });
    const now = structuredClone(before);
    now.metadata.annotations = { [CONDITIONS]: '[{"type":"A","status":"True"}]', [METRICS]: 'new' };
    const status = structuredClone(now);
    horizontalPodAutoscalerV1.prepareForUpdate(now, before);
    expect(now.metadata.annotations).toEqual({ [METRICS]: 'new' });
    horizontalPodAutoscalerV1.prepareForStatusUpdate(status, before);
    expect(status.metadata.annotations).toEqual({ [CONDITIONS]: '[{"type":"A","status":"True"}]', [METRICS]: '[]' });
    expect(horizontalPodAutoscalerV1.validateStatusUpdate(status, before, root)).toEqual([]);
  });
});
