import {
  builtinKinds,
  type Deployment,
  deployment,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler,
  type PodMetrics,
  pod,
  replicationController,
} from '@periplus/api';
import { conditionOf } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { type AutoscalerSettings, hpaController } from './hpa-controller.ts';
import type { HeardMetrics } from './pod-usage.ts';

const settings: AutoscalerSettings = {
  ...{ syncPeriodMs: 15_000, downscaleStabilizationMs: 300_000, tolerance: 0.1 },
  ...{ cpuInitializationMs: 300_000, initialReadinessDelayMs: 30_000 },
};

let sim: Simulation;
let heard: HeardMetrics | undefined;

const controller = hpaController(builtinKinds(), { in: () => heard }, settings);
const time = (ms: number): string => new Date(ms).toISOString().replace('.000', '');

type Spec = Partial<HorizontalPodAutoscaler['spec']>;
const cpu = (averageUtilization: number): Spec['metrics'] => [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } },
];

function putAutoscaler(spec: Spec = {}): void {
  const autoscaler: HorizontalPodAutoscaler = {
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { namespace: 'd', name: 'web' } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      ...{ minReplicas: 1, maxReplicas: 10, metrics: cpu(50) },
      ...spec,
    },
  };
  const kind = horizontalPodAutoscaler;
  kind.setDefaults(autoscaler);
  sim.cluster.put(kind, { ...autoscaler, status: get()?.status ?? { desiredReplicas: 0 } });
}

const get = () => sim.cluster.view().get(horizontalPodAutoscaler, 'd', 'web') as HorizontalPodAutoscaler | undefined;
const condition = (type: string) => {
  const found = conditionOf(get()?.status?.conditions, type);
  return found && [found.status, found.reason, found.message];
};
const replicas = () => sim.cluster.view().get(deployment, 'd', 'web')?.spec.replicas;

function putTarget(count: number): void {
  const labels = { app: 'web' };
  const object = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'd', name: 'web' } },
    spec: { replicas: count, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: {} } },
  };
  sim.cluster.put(deployment, object as unknown as Deployment);
}

interface TestPod {
  /** Thousandths of a core; undefined: not heard of. */
  uses?: number;
  requests?: number | null;
  ready?: boolean;
  phase?: string;
  startedSecondsAgo?: number;
  /** Of the Ready condition. */
  changedSecondsAgo?: number;
}

/** The pods of the target, with what was measured of them just now. */
function putPods(...pods: TestPod[]): void {
  const now = sim.cluster.nowMs;
  const byPod = new Map<string, PodMetrics>();
  for (const { metadata } of sim.pods()) sim.cluster.remove(pod, 'd', metadata.name ?? '');
  pods.forEach((one, i) => {
    const { uses, requests = 100, ready = true, phase = 'Running' } = one;
    const { startedSecondsAgo = 3_600, changedSecondsAgo = 3_500 } = one;
    const name = `web-${i}`;
    const resources = requests === null ? {} : { requests: { cpu: `${requests}m`, memory: '64Mi' } };
    sim.cluster.put(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'd', name, labels: { app: 'web' } } },
      spec: { nodeName: 'n', containers: [{ name: 'app', image: 'i', resources }] },
      status: {
        ...{ phase, startTime: time(now - startedSecondsAgo * 1_000) },
        conditions: [
          {
            ...{ type: 'Ready', status: ready ? 'True' : 'False' },
            lastTransitionTime: time(now - changedSecondsAgo * 1_000),
          },
        ],
      },
    } as never);
    if (uses === undefined) return;
    byPod.set(name, {
      ...{ apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', metadata: { namespace: 'd', name } },
      ...{ timestamp: time(now), window: '10s' },
      containers: [{ name: 'app', usage: { cpu: `${uses}m`, memory: '32Mi' } }],
    });
  });
  heard = { byPod };
}

const times = (count: number, one: TestPod): TestPod[] => Array.from({ length: count }, () => one);
const look = () => sim.reconcile(controller, { namespace: 'd', name: 'web' });

beforeEach(() => {
  sim = new Simulation(controller);
  heard = { byPod: new Map() };
});

describe('the number of replicas', () => {
  const starting = { startedSecondsAgo: 60, changedSecondsAgo: 55 };
  it.each<[string, number, TestPod[], number]>([
    ['stays within the tolerance', 4, times(4, { uses: 54 }), 4],
    ['grows with the use', 4, times(4, { uses: 70 }), 6],
    ['is rounded up', 3, times(3, { uses: 56 }), 4],
    ['does not more than double', 2, times(2, { uses: 500 }), 4],
    ['is at least four where it grows', 1, [{ uses: 500 }], 4],
    ['does not exceed the maximum', 8, times(8, { uses: 500 }), 10],
    ['counts no pods that failed', 4, [...times(4, { uses: 70 }), { phase: 'Failed', uses: 900 }], 6],
    ['takes pods without metrics for idle when it would grow', 4, [...times(3, { uses: 100 }), {}], 6],
    ['does not turn round on their account', 4, [...times(1, { uses: 60 }), ...times(3, {})], 4],
    ['takes pending pods for idle when it would grow', 4, [...times(3, { uses: 100 }), { phase: 'Pending' }], 6],
    [
      'takes pods that are starting for idle when it would grow',
      4,
      [...times(3, { uses: 100 }), { uses: 900, ready: false, ...starting }],
      6,
    ],
    ['counts a starting pod that is ready for a window', 2, times(2, { uses: 70, ...starting }), 3],
    [
      'does not count one whose use was measured before it was ready',
      2,
      [{ uses: 40 }, { uses: 900, startedSecondsAgo: 60, changedSecondsAgo: 5 }],
      2,
    ],
    ['counts a pod that lost its readiness later', 2, times(2, { uses: 75, ready: false }), 3],
    [
      'does not count one that never was ready',
      2,
      [{ uses: 50 }, { uses: 900, ready: false, startedSecondsAgo: 600, changedSecondsAgo: 590 }],
      2,
    ],
  ])('%s', (_what, current, pods, wanted) => {
    putTarget(current);
    putAutoscaler();
    putPods(...pods);
    look();
    expect(replicas()).toBe(wanted);
    expect(get()?.status?.desiredReplicas).toBe(wanted);
    expect(condition('ScalingActive')?.[0]).toBe('True');
  });

  it('follows the metric that asks for most', () => {
    putTarget(2);
    const memory = { type: 'AverageValue', averageValue: '16Mi' };
    putAutoscaler({ metrics: [...cpu(50)!, { type: 'Resource', resource: { name: 'memory', target: memory } }] });
    putPods(...times(2, { uses: 50 }));
    look();
    expect(replicas()).toBe(4);
    expect(sim.events).toEqual(['SuccessfulRescale New size: 4; reason: memory resource above target']);
    expect(get()?.status?.currentMetrics).toEqual([
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 50, averageValue: '50m' } } },
      { type: 'Resource', resource: { name: 'memory', current: { averageValue: '33554432' } } },
    ]);
  });

  it('looks at one container where it is told to', () => {
    putTarget(2);
    const target = { type: 'Utilization', averageUtilization: 50 };
    putAutoscaler({
      metrics: [{ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'app', target } }],
    });
    putPods(...times(2, { uses: 75 }));
    look();
    expect(replicas()).toBe(3);
    expect(condition('ScalingActive')?.[2]).toBe(
      'the HPA was able to successfully calculate a replica count from cpu container resource utilization (percentage of request)',
    );
  });

  it('has a tolerance of its own for each direction', () => {
    putTarget(4);
    putAutoscaler({ behavior: { scaleUp: { tolerance: '500m' }, scaleDown: { stabilizationWindowSeconds: 0 } } });
    putPods(...times(4, { uses: 74 }));
    look();
    expect(replicas()).toBe(4);
    putPods(...times(4, { uses: 35 }));
    look();
    expect(replicas()).toBe(3);
  });

  it('is that of any kind with a scale', () => {
    const spec = { replicas: 2, selector: { app: 'web' }, template: {} };
    const metadata = { namespace: 'd', name: 'web' };
    sim.cluster.put(replicationController, {
      ...{ apiVersion: 'v1', kind: 'ReplicationController', metadata, spec },
    } as never);
    putAutoscaler({ scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name: 'web' } });
    putPods(...times(2, { uses: 75 }));
    look();
    expect(sim.cluster.view().get(replicationController, 'd', 'web')?.spec.replicas).toBe(3);
  });
});

describe('fewer replicas', () => {
  it('come when fewer were enough for five minutes', () => {
    putTarget(4);
    putAutoscaler();
    putPods(...times(4, { uses: 10 }));
    look();
    expect(replicas()).toBe(4);
    expect(condition('AbleToScale')).toEqual([
      'True',
      'ScaleDownStabilized',
      'recent recommendations were higher than current one, applying the highest recent recommendation',
    ]);
    sim.advance(299_000);
    look();
    expect(replicas()).toBe(4);
    sim.advance(1_000);
    look();
    expect(replicas()).toBe(1);
    expect(sim.events).toEqual(['SuccessfulRescale New size: 1; reason: All metrics below target']);
  });

  it('wait for what their own window says, and go no faster than their policy', () => {
    putTarget(10);
    const policies = [{ type: 'Pods', value: 2, periodSeconds: 60 }];
    putAutoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 30, policies } } });
    putPods(...times(10, { uses: 10 }));
    look();
    sim.advance(30_000);
    look();
    expect(replicas()).toBe(8);
    expect(condition('ScalingLimited')).toEqual([
      'True',
      'ScaleDownLimit',
      'the desired replica count is decreasing faster than the maximum scale rate',
    ]);
    sim.advance(30_000);
    putPods(...times(8, { uses: 10 }));
    look();
    expect(replicas()).toBe(8);
    sim.advance(30_000);
    look();
    expect(replicas()).toBe(6);
  });

  it('never come where that is disabled', () => {
    putTarget(4);
    putAutoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' } } });
    putPods(...times(4, { uses: 1 }));
    look();
    sim.advance(60_000);
    look();
    expect(replicas()).toBe(4);
  });

  it('do not come on the word of some metrics while others say nothing', () => {
    putTarget(4);
    putAutoscaler({
      metrics: [
        ...cpu(50)!,
        { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '1' } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    });
    putPods(...times(4, { uses: 10 }));
    look();
    sim.advance(60_000);
    look();
    expect(replicas()).toBe(4);
    expect(condition('ScalingActive')?.slice(0, 2)).toEqual(['False', 'FailedGetPodsMetric']);
    putPods(...times(4, { uses: 75 }));
    look();
    expect(replicas()).toBe(6);
  });
});

describe('more replicas', () => {
  it('come no faster than the policy that allows most', () => {
    putTarget(4);
    const policies = [
      { type: 'Pods', value: 1, periodSeconds: 60 },
      { type: 'Percent', value: 50, periodSeconds: 60 },
    ];
    putAutoscaler({ behavior: { scaleUp: { policies } } });
    putPods(...times(4, { uses: 500 }));
    look();
    expect(replicas()).toBe(6);
    expect(condition('ScalingLimited')?.slice(0, 2)).toEqual(['True', 'ScaleUpLimit']);
    sim.advance(59_000);
    putPods(...times(6, { uses: 500 }));
    look();
    expect(replicas()).toBe(6);
    sim.advance(1_000);
    look();
    expect(replicas()).toBe(9);
  });

  it('wait for their window', () => {
    putTarget(2);
    putAutoscaler({ behavior: { scaleUp: { stabilizationWindowSeconds: 60 } } });
    putPods(...times(2, { uses: 100 }));
    look();
    expect(replicas()).toBe(2);
    expect(condition('AbleToScale')?.[1]).toBe('ScaleUpStabilized');
    sim.advance(60_000);
    look();
    expect(replicas()).toBe(4);
  });
});

describe('the conditions', () => {
  const failures: [string, () => void, string[]][] = [
    [
      'a target that is not there',
      () => putAutoscaler(),
      [
        'False',
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: deployments.apps "web" not found`,
      ],
    ],
    [
      'a kind that is not there',
      () => putAutoscaler({ scaleTargetRef: { apiVersion: 'x/v1', kind: 'Thing', name: 'web' } }),
      [
        'False',
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: no matches for kind "Thing" in group "x"`,
      ],
    ],
  ];
  it.each(failures)('tell of %s', (_what, put, expected) => {
    put();
    look();
    expect(condition('AbleToScale')).toEqual(expected);
    expect(sim.events[0]).toBe(`FailedGetScale ${expected[2]!.split('scale: ')[1]}`);
  });

  it('tell of a target that is switched off', () => {
    putTarget(0);
    putAutoscaler();
    look();
    expect(replicas()).toBe(0);
    expect(condition('ScalingActive')).toEqual([
      ...['False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero'],
    ]);
  });

  const CUSTOM =
    'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';
  const value = { type: 'AverageValue', averageValue: '5' };
  const describedObject = { kind: 'Ingress', name: 'main' };
  const missing: [string, NonNullable<Spec['metrics']>[number], TestPod[], string, string][] = [
    [
      'no metrics',
      cpu(50)![0]!,
      [{}],
      'FailedGetResourceMetric',
      'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    ],
    [
      'no pods',
      cpu(50)![0]!,
      [],
      'FailedGetResourceMetric',
      'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    ],
    [
      'no pod that is ready',
      cpu(50)![0]!,
      [{ uses: 1, phase: 'Pending' }],
      'FailedGetResourceMetric',
      'failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)',
    ],
    [
      'no requests',
      cpu(50)![0]!,
      [{ uses: 1, requests: null }],
      'FailedGetResourceMetric',
      'failed to get cpu utilization: missing request for cpu in container app of Pod web-0',
    ],
    [
      'no such container',
      { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'side', target: value } },
      [{ uses: 1 }],
      'FailedGetContainerResourceMetric',
      'failed to get cpu usage: unable to get metrics for resource cpu: failed to get container metrics: container side not present in metrics for pod d/web-0',
    ],
    [
      'metrics of pods',
      { type: 'Pods', pods: { metric: { name: 'hits' }, target: value } },
      [{ uses: 1 }],
      'FailedGetPodsMetric',
      `unable to get metric hits: ${CUSTOM}`,
    ],
    [
      'metrics of an object',
      { type: 'Object', object: { metric: { name: 'hits' }, describedObject, target: value } },
      [{ uses: 1 }],
      'FailedGetObjectMetric',
      `unable to get metric hits: Ingress on d main/${CUSTOM}`,
    ],
    [
      'metrics from elsewhere',
      { type: 'External', external: { metric: { name: 'queue' }, target: value } },
      [{ uses: 1 }],
      'FailedGetExternalMetric',
      'unable to get external metric d/queue/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)',
    ],
  ];
  it.each(missing)('tell of %s', (_what, metric, pods, reason, problem) => {
    putTarget(2);
    putAutoscaler({ metrics: [metric] });
    putPods(...pods);
    look();
    expect(condition('ScalingActive')).toEqual([
      ...['False', reason, `the HPA was unable to compute the replica count: ${problem}`],
    ]);
    expect(sim.events[0]).toBe(`${reason} ${problem}`);
    expect(sim.events[1]).toMatch(
      /^FailedComputeMetricsReplicas invalid metrics \(1 invalid out of 1\), first error is: /,
    );
    expect(get()?.status?.currentReplicas).toBe(2);
  });

  it('tell that the api-server did not say', () => {
    putTarget(2);
    putAutoscaler();
    heard = { problem: 'the server is on fire' };
    look();
    expect(condition('ScalingActive')?.[2]).toContain(
      'unable to fetch metrics from resource metrics API: the server is on fire',
    );
  });

  it('tell of a scale that was refused', () => {
    putTarget(2);
    putAutoscaler();
    putPods(...times(2, { uses: 75 }));
    const plan = controller.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view());
    const [scale] = plan.steps[0] as [Command];
    expect(scale).toMatchObject({ verb: 'patch', subresource: 'scale', patch: { spec: { replicas: 3 } } });
    const error = { message: 'not today' } as never;
    const [status] = plan.onRefusal!([{ command: scale, error }]) as [Command & { patch: { status: object } }];
    expect(status.patch.status).toMatchObject({
      conditions: expect.arrayContaining([
        expect.objectContaining({
          ...{ type: 'AbleToScale', status: 'False', reason: 'FailedUpdateScale' },
          message: 'the HPA controller was unable to update the target scale: not today',
        }),
      ]),
    });
    expect(plan.events).toContainEqual(
      expect.objectContaining({ onRefusalOf: scale, message: expect.stringMatching(/^New size: 3; .*; error$/) }),
    );
  });
});

describe('the limits', () => {
  it.each([
    [20, 10, 'Current number of replicas above Spec.MaxReplicas'],
    [1, 3, 'Current number of replicas below Spec.MinReplicas'],
  ])('are kept at once, whatever is measured: %i', (current, wanted, why) => {
    putTarget(current);
    putAutoscaler({ minReplicas: 3 });
    look();
    expect(replicas()).toBe(wanted);
    expect(sim.events).toEqual([`SuccessfulRescale New size: ${wanted}; reason: ${why}`]);
  });
});

it('does nothing before anything is heard, and looks again after the period', () => {
  putTarget(2);
  putAutoscaler();
  heard = undefined;
  expect(controller.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view())).toEqual({
    ...{ steps: [], lookAgainMs: 15_000 },
  });
});

it('writes nothing while nothing changes', () => {
  putTarget(2);
  putAutoscaler();
  putPods(...times(2, { uses: 50 }));
  expect(look()).toBe(true);
  sim.advance(15_000);
  putPods(...times(2, { uses: 50 }));
  expect(look()).toBe(false);
});
