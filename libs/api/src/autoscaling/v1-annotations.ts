/**
 * What version 1 of autoscalers has no fields for, and keeps in annotations: as JSON of types that were version 1's but
 * for the name of the version. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#api-object
 */
import { type DeepReadonly, isJsonObject, type JsonObject, type JsonValue } from '@periplus/apimachinery';
import type { IMetricSpec } from 'kubernetes-models/autoscaling/v2/MetricSpec';
import type { IMetricStatus } from 'kubernetes-models/autoscaling/v2/MetricStatus';

export const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
export const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
export const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
export const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

type Members = Record<string, unknown>;

/** Only what is there. */
const given = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

const member = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

/** `type` of a metric to the name of the field that goes with it. */
const fieldOf = (type: unknown): string =>
  typeof type === 'string' ? type.charAt(0).toLowerCase() + type.slice(1) : '';

const metricOf = (source: JsonObject): Members =>
  given({ name: source.metricName, selector: source.selector ?? source.metricSelector });

/** Each type of metric, from the form of version 1. */
const specFromV1: Record<string, (source: JsonObject) => Members> = {
  resource: ({ name, container, targetAverageUtilization, targetAverageValue }) =>
    given({
      name,
      container,
      target: given({
        type: targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
        averageUtilization: targetAverageUtilization,
        averageValue: targetAverageValue,
      }),
    }),
  pods: (source) => ({
    metric: metricOf(source),
    target: given({ type: 'AverageValue', averageValue: source.targetAverageValue }),
  }),
  object: (source) => ({
    describedObject: source.target,
    metric: metricOf(source),
    target: given({
      type: source.averageValue === undefined ? 'Value' : 'AverageValue',
      value: source.targetValue,
      averageValue: source.averageValue,
    }),
  }),
  external: (source) => ({
    metric: metricOf(source),
    target: given({
      type: source.targetValue === undefined ? 'AverageValue' : 'Value',
      value: source.targetValue,
      averageValue: source.targetAverageValue,
    }),
  }),
};
specFromV1.containerResource = specFromV1.resource!;

const statusFromV1: Record<string, (source: JsonObject) => Members> = {
  resource: ({ name, container, currentAverageUtilization, currentAverageValue }) =>
    given({
      name,
      container,
      current: given({ averageUtilization: currentAverageUtilization, averageValue: currentAverageValue }),
    }),
  pods: (source) => ({ metric: metricOf(source), current: given({ averageValue: source.currentAverageValue }) }),
  object: (source) => ({
    describedObject: source.target,
    metric: metricOf(source),
    current: given({ value: source.currentValue, averageValue: source.averageValue }),
  }),
  external: (source) => ({
    metric: metricOf(source),
    current: given({ value: source.currentValue, averageValue: source.currentAverageValue }),
  }),
};
statusFromV1.containerResource = statusFromV1.resource!;

function fromV1(metrics: JsonValue, forms: Record<string, (source: JsonObject) => Members>): unknown {
  if (!Array.isArray(metrics)) return metrics;
  return metrics.map((metric) => {
    const { type } = member(metric);
    const field = fieldOf(type);
    const form = Object.hasOwn(forms, field) ? forms[field] : undefined;
    const source = member(metric)[field];
    return { type, ...(form && source !== undefined && { [field]: form(member(source)) }) };
  });
}

export const metricsFromV1 = (metrics: JsonValue): IMetricSpec[] => fromV1(metrics, specFromV1) as IMetricSpec[];
export const statusesFromV1 = (metrics: JsonValue): IMetricStatus[] => fromV1(metrics, statusFromV1) as IMetricStatus[];

/** The inverse of `metricsFromV1`. */
export function metricToV1({ type, ...sources }: DeepReadonly<IMetricSpec>): Members {
  const { resource, containerResource, pods, object, external } = sources;
  const ofResource = (source: NonNullable<typeof containerResource> | NonNullable<typeof resource>): Members =>
    given({
      name: source.name,
      container: 'container' in source ? source.container : undefined,
      targetAverageUtilization: source.target?.averageUtilization,
      targetAverageValue: source.target?.averageValue,
    });
  return given({
    type,
    resource: resource && ofResource(resource),
    containerResource: containerResource && ofResource(containerResource),
    pods: pods && {
      ...given({ metricName: pods.metric?.name, selector: pods.metric?.selector }),
      targetAverageValue: pods.target?.averageValue ?? '0',
    },
    object: object && {
      target: object.describedObject,
      ...given({ metricName: object.metric?.name, selector: object.metric?.selector }),
      targetValue: object.target?.value ?? '0',
      ...given({ averageValue: object.target?.averageValue }),
    },
    external:
      external &&
      given({
        metricName: external.metric?.name,
        metricSelector: external.metric?.selector,
        targetValue: external.target?.value,
        targetAverageValue: external.target?.averageValue,
      }),
  });
}

/** The inverse of `statusesFromV1`. */
export function statusToV1({ type, ...sources }: DeepReadonly<IMetricStatus>): Members {
  const { resource, containerResource, pods, object, external } = sources;
  const ofResource = (source: NonNullable<typeof containerResource> | NonNullable<typeof resource>): Members => ({
    ...given({
      name: source.name,
      container: 'container' in source ? source.container : undefined,
      currentAverageUtilization: source.current?.averageUtilization,
    }),
    currentAverageValue: source.current?.averageValue ?? '0',
  });
  return given({
    type,
    resource: resource && ofResource(resource),
    containerResource: containerResource && ofResource(containerResource),
    pods: pods && {
      ...given({ metricName: pods.metric?.name, selector: pods.metric?.selector }),
      currentAverageValue: pods.current?.averageValue ?? '0',
    },
    object: object && {
      target: object.describedObject,
      ...given({ metricName: object.metric?.name, selector: object.metric?.selector }),
      currentValue: object.current?.value ?? '0',
      ...given({ averageValue: object.current?.averageValue }),
    },
    external: external && {
      ...given({ metricName: external.metric?.name, metricSelector: external.metric?.selector }),
      currentValue: external.current?.value ?? '0',
      ...given({ currentAverageValue: external.current?.averageValue }),
    },
  });
}

/** The behaviour stands there under Go's names: `{"ScaleUp":{"SelectPolicy":"Max"}}`. Read without regard to case. */
export function withCapitals(value: unknown, change: 'add' | 'remove'): unknown {
  if (Array.isArray(value)) return value.map((item) => withCapitals(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const first = change === 'add' ? name.charAt(0).toUpperCase() : name.charAt(0).toLowerCase();
      return [first + name.slice(1), withCapitals(inner, change)];
    }),
  );
}
