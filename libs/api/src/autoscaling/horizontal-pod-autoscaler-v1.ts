import {
  conform,
  type DeepReadonly,
  dns1123Subdomain,
  type FieldPath,
  type JsonObject,
  type JsonValue,
  type KubeObject,
} from '@periplus/apimachinery';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v1/HorizontalPodAutoscaler';
import type { IMetricSpec } from 'kubernetes-models/autoscaling/v2/MetricSpec';
import { defineKind } from '../define.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';
import {
  cpuUtilization,
  defaultMetrics,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscaler,
} from './horizontal-pod-autoscaler.ts';
import { checkScalingSpec } from './scaling-spec.ts';
import {
  BEHAVIOR,
  CONDITIONS,
  CURRENT_METRICS,
  METRICS,
  metricsFromV1,
  metricToV1,
  statusesFromV1,
  statusToV1,
  withCapitals,
} from './v1-annotations.ts';

export type HorizontalPodAutoscalerV1 = Stored<IHorizontalPodAutoscaler, 'spec'>;

const SPEC_ANNOTATIONS = [METRICS, BEHAVIOR];
const STATUS_ANNOTATIONS = [CURRENT_METRICS, CONDITIONS];
const OURS = [...SPEC_ANNOTATIONS, ...STATUS_ANNOTATIONS];

/** What is stored, with what of its annotations could not be read left out. */
interface Upgrade {
  object: HorizontalPodAutoscaler;
  /** The annotations that could not be read. */
  unreadable: string[];
}

function readJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const withoutOurs = (annotations: Record<string, string> = {}): Record<string, string> | undefined => {
  const others = Object.entries(annotations).filter(([name]) => !OURS.includes(name));
  return others.length > 0 ? Object.fromEntries(others) : undefined;
};

/** `object` as far as the fields of version 1 say. */
function fromFields({ metadata, spec, status }: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: target, ...shared } = spec;
  const { currentCPUUtilizationPercentage: current, currentReplicas, ...told } = status ?? { desiredReplicas: 0 };
  const { annotations, ...meta } = metadata;
  const others = withoutOurs(annotations);
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v2',
    metadata: { ...meta, ...(others && { annotations: others }) },
    spec: { ...shared, ...(target !== undefined && { metrics: [cpuUtilization(target)] }) },
    // As version 2 writes it.
    status: {
      ...told,
      ...(currentReplicas && { currentReplicas }),
      currentMetrics:
        current === undefined
          ? null
          : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }],
    } as NonNullable<HorizontalPodAutoscaler['status']>,
  };
}

/** Adds to the object what an annotation says. */
const readers: Record<string, (object: HorizontalPodAutoscaler, value: JsonValue) => void> = {
  [METRICS]({ spec }, value) {
    spec.metrics = [...metricsFromV1(value), ...(spec.metrics ?? [])];
  },
  [BEHAVIOR]({ spec }, value) {
    spec.behavior = withCapitals(value, 'remove') as typeof spec.behavior & object;
  },
  [CURRENT_METRICS]({ status }, value) {
    status!.currentMetrics = statusesFromV1(value);
  },
  [CONDITIONS]({ status }, value) {
    status!.conditions = value as never;
  },
};

const fits = (object: HorizontalPodAutoscaler): boolean =>
  conform(object as unknown as JsonObject, horizontalPodAutoscaler.schema).problem === undefined;

function upgrade(autoscaler: HorizontalPodAutoscalerV1): Upgrade {
  let object = fromFields(autoscaler);
  const unreadable: string[] = [];
  for (const name of OURS) {
    const text = autoscaler.metadata.annotations?.[name];
    if (text === undefined) continue;
    const value = readJson(text);
    const next = structuredClone(object);
    try {
      if (value === undefined) throw new TypeError('no JSON');
      readers[name]!(next, value);
      if (!fits(next)) throw new TypeError('not what it should be');
      object = next;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      unreadable.push(name);
    }
  }
  if (!object.spec.metrics?.length) object.spec.metrics = defaultMetrics();
  return { object, unreadable };
}

const isCpuUtilization = ({ type, resource }: IMetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined;

function fromStorage(stored: KubeObject): HorizontalPodAutoscalerV1 {
  const { metadata, spec, status } = stored as HorizontalPodAutoscaler;
  const { metrics = [], behavior, ...shared } = spec;
  const { currentMetrics: metricsNow, conditions = [], ...counts } = status ?? { desiredReplicas: 0 };
  const currentMetrics = metricsNow ?? [];
  const others = metrics.filter((metric) => !isCpuUtilization(metric));
  const target = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const current = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current.averageUtilization;
  const added = {
    ...(others.length > 0 && { [METRICS]: JSON.stringify(others.map(metricToV1)) }),
    ...(currentMetrics.length > 0 && { [CURRENT_METRICS]: JSON.stringify(currentMetrics.map(statusToV1)) }),
    ...(conditions.length > 0 && { [CONDITIONS]: JSON.stringify(conditions) }),
    ...(behavior && { [BEHAVIOR]: JSON.stringify(withCapitals(behavior, 'add')) }),
  };
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...metadata,
      ...(Object.keys(added).length > 0 && { annotations: { ...metadata.annotations, ...added } }),
    },
    spec: { ...shared, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: {
      currentReplicas: 0,
      ...counts,
      ...(current !== undefined && { currentCPUUtilizationPercentage: current }),
    },
  };
}

/** Whoever changes one half of an object may not change what annotations say of the other. */
function keepAnnotations(
  { metadata }: HorizontalPodAutoscalerV1,
  { metadata: old }: DeepReadonly<HorizontalPodAutoscalerV1>,
  names: readonly string[],
): void {
  const annotations = { ...metadata.annotations };
  for (const name of names) {
    const before = old.annotations?.[name];
    if (before === undefined) delete annotations[name];
    else annotations[name] = before;
  }
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  else delete metadata.annotations;
}

function check(errors: Errors, at: FieldPath, autoscaler: DeepReadonly<HorizontalPodAutoscalerV1>): void {
  const { object, unreadable } = upgrade(autoscaler as HorizontalPodAutoscalerV1);
  for (const name of unreadable) {
    const text = autoscaler.metadata.annotations?.[name];
    errors.push(at.child('metadata').key('annotations', name).invalid(text, 'must be JSON of what it is named after'));
  }
  checkScalingSpec(errors, at.child('spec'), object.spec as DeepReadonly<typeof object.spec>);
}

/** The older form. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/ */
export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscalerV1>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  nameRule: dns1123Subdomain,
  storedAs: {
    kind: horizontalPodAutoscaler,
    toStorage: (autoscaler) => upgrade(autoscaler).object,
    fromStorage,
  },
  columns: horizontalPodAutoscaler.columns.map((column) => ({
    ...column,
    of: (autoscaler: DeepReadonly<HorizontalPodAutoscalerV1>, nowMs: number) =>
      column.of(
        upgrade(autoscaler as HorizontalPodAutoscalerV1).object as DeepReadonly<HorizontalPodAutoscaler>,
        nowMs,
      ),
  })),
  check,
  checkStatusUpdate(errors, at, { status }) {
    checkNonNegative(errors, at.child('status'), 'currentReplicas', status?.currentReplicas);
    checkNonNegative(errors, at.child('status'), 'desiredReplicas', status?.desiredReplicas);
  },
  setDefaults(autoscaler) {
    autoscaler.spec ??= {} as HorizontalPodAutoscalerV1['spec'];
    autoscaler.spec.maxReplicas ??= 0;
    autoscaler.spec.minReplicas ??= 1;
    autoscaler.status ??= { currentReplicas: 0, desiredReplicas: 0 };
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
    keepAnnotations(autoscaler, { ...autoscaler, metadata: {} }, STATUS_ANNOTATIONS);
  },
  prepareForUpdate: (autoscaler, old) => keepAnnotations(autoscaler, old, STATUS_ANNOTATIONS),
  prepareForStatusUpdate: (autoscaler, old) => keepAnnotations(autoscaler, old, SPEC_ANNOTATIONS),
});
