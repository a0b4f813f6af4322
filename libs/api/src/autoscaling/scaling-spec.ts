/** What an autoscaler may be told. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/ */
import {
  type DeepReadonly,
  dns1123Label,
  type FieldPath,
  parseApiVersion,
  parseQuantity,
  pathSegment,
} from '@periplus/apimachinery';
import type { ICrossVersionObjectReference } from 'kubernetes-models/autoscaling/v2/CrossVersionObjectReference';
import type { IHorizontalPodAutoscalerSpec } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerSpec';
import type { IHPAScalingRules } from 'kubernetes-models/autoscaling/v2/HPAScalingRules';
import type { IMetricIdentifier } from 'kubernetes-models/autoscaling/v2/MetricIdentifier';
import type { IMetricSpec } from 'kubernetes-models/autoscaling/v2/MetricSpec';
import type { IMetricTarget } from 'kubernetes-models/autoscaling/v2/MetricTarget';
import {
  checkNonNegativeQuantity,
  checkOneOf,
  checkOptionalOneOf,
  checkRequiredText,
  type Errors,
} from '../field-rules.ts';
import { checkContainerResourceName } from '../resource-names.ts';

export type ScalingSpec = DeepReadonly<IHorizontalPodAutoscalerSpec>;
type Target = DeepReadonly<IMetricTarget> | undefined;

const PERIOD_SECONDS_MAX = 1800;
const STABILIZATION_SECONDS_MAX = 3600;
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];
const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const POLICY_TYPES = ['Percent', 'Pods'];

function checkReference(
  errors: Errors,
  at: FieldPath,
  reference: DeepReadonly<Partial<ICrossVersionObjectReference>> = {},
): void {
  checkRequiredText(errors, at, 'kind', reference.kind, pathSegment);
  checkRequiredText(errors, at, 'name', reference.name, pathSegment);
  const { apiVersion } = reference;
  if (apiVersion && !parseApiVersion(apiVersion)) {
    errors.push(at.child('apiVersion').invalid(apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
}

function checkMetricName(errors: Errors, at: FieldPath, metric: DeepReadonly<IMetricIdentifier> | undefined): void {
  if (!metric?.name) errors.push(at.child('metric', 'name').required('must specify a metric name'));
  else {
    for (const problem of pathSegment(metric.name)) {
      errors.push(at.child('metric', 'name').invalid(metric.name, problem));
    }
  }
}

function checkTarget(errors: Errors, at: FieldPath, target: Target): void {
  const { type = '', averageUtilization } = target ?? {};
  const place = at.child('target');
  if (!type) errors.push(place.child('type').required('must specify a metric target type'));
  if (!TARGET_TYPES.includes(type)) {
    errors.push(place.child('type').invalid(type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target?.[field];
    if (quantity === undefined || parseQuantity(quantity).value() > 0) continue;
    errors.push(place.child(field).invalid(parseQuantity(quantity).toString(), 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(place.child('averageUtilization').invalid(averageUtilization, 'must be greater than 0'));
  }
}

function checkResourceTarget(errors: Errors, at: FieldPath, target: Target): void {
  checkTarget(errors, at, target);
  const place = at.child('target');
  const utilization = target?.averageUtilization !== undefined;
  const value = target?.averageValue !== undefined;
  if (!utilization && !value) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(place.child('averageUtilization').required(detail));
  }
  if (utilization && value) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(place.child('averageValue').forbidden(detail));
  }
}

const lacksValue = (target: Target): boolean => target?.value === undefined && target?.averageValue === undefined;

/** What each type of metric names, by the field that has its name. */
const SOURCES = {
  object(errors, at, { describedObject, metric, target }) {
    checkReference(errors, at.child('describedObject'), describedObject);
    checkMetricName(errors, at, metric);
    checkTarget(errors, at, target);
    if (lacksValue(target)) {
      errors.push(at.child('target', 'averageValue').required('must set either a target value or averageValue'));
    }
  },
  external(errors, at, { metric, target }) {
    checkMetricName(errors, at, metric);
    checkTarget(errors, at, target);
    if (lacksValue(target)) {
      const detail = 'must set either a target value for metric or a per-pod target';
      errors.push(at.child('target', 'averageValue').required(detail));
    }
    if (target?.value !== undefined && target.averageValue !== undefined) {
      const detail = 'may not set both a target value for metric and a per-pod target';
      errors.push(at.child('target', 'value').forbidden(detail));
    }
  },
  pods(errors, at, { metric, target }) {
    checkMetricName(errors, at, metric);
    checkTarget(errors, at, target);
    if (target?.averageValue === undefined) {
      errors.push(at.child('target', 'averageValue').required('must specify a positive target averageValue'));
    }
  },
  resource(errors, at, { name, target }) {
    if (!name) errors.push(at.child('name').required('must specify a resource name'));
    checkResourceTarget(errors, at, target);
  },
  containerResource(errors, at, { name, container, target }) {
    if (!name) errors.push(at.child('name').required('must specify a resource name'));
    else checkContainerResourceName(errors, at.child('name'), name);
    if (!container) errors.push(at.child('container').required('must specify a container'));
    for (const problem of container ? dns1123Label(container) : []) {
      errors.push(at.child('container').invalid(container, problem));
    }
    checkResourceTarget(errors, at, target);
  },
} satisfies {
  [F in Exclude<keyof IMetricSpec, 'type'>]: (
    errors: Errors,
    at: FieldPath,
    source: DeepReadonly<NonNullable<IMetricSpec[F]>>,
  ) => void;
};

type SourceName = keyof typeof SOURCES;
const NAMES = Object.keys(SOURCES) as SourceName[];
const TYPE_OF: Record<SourceName, string> = {
  object: 'Object',
  external: 'External',
  pods: 'Pods',
  resource: 'Resource',
  containerResource: 'ContainerResource',
};
const TYPES = Object.values(TYPE_OF).sort();

function checkMetric(errors: Errors, at: FieldPath, metric: DeepReadonly<IMetricSpec>): void {
  if (!metric.type) errors.push(at.child('type').required('must specify a metric source type'));
  if (!TYPES.includes(metric.type)) errors.push(at.child('type').notSupported(metric.type, TYPES));
  const expected = NAMES.find((name) => TYPE_OF[name] === metric.type);
  const [first, ...others] = NAMES.filter((name) => metric[name]);
  if (first)
    (SOURCES[first] as (errors: Errors, at: FieldPath, source: object) => void)(
      errors,
      at.child(first),
      metric[first]!,
    );
  if (expected && !metric[expected]) {
    errors.push(at.child(expected).required('must populate information for the given metric source'));
  }
  if (first && others.length === 0) return;
  for (const name of first ? [first, ...others] : []) {
    if (name !== expected) errors.push(at.child(name).forbidden('must populate the given metric source only'));
  }
}

function checkRules(errors: Errors, at: FieldPath, rules: DeepReadonly<IHPAScalingRules> | undefined): void {
  if (!rules) return;
  const { stabilizationWindowSeconds: seconds = 0, policies = [], tolerance } = rules;
  const window = at.child('stabilizationWindowSeconds');
  if (seconds < 0) errors.push(window.invalid(seconds, 'must be greater than or equal to zero'));
  if (seconds > STABILIZATION_SECONDS_MAX) {
    errors.push(window.invalid(seconds, `must be less than or equal to ${STABILIZATION_SECONDS_MAX}`));
  }
  checkOptionalOneOf(errors, at, 'selectPolicy', rules.selectPolicy, SELECT_POLICIES);
  if (policies.length === 0) errors.push(at.child('policies').required('must specify at least one Policy'));
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const place = at.index('policies', i);
    checkOneOf(errors, place, 'type', type, POLICY_TYPES);
    if (value <= 0) errors.push(place.child('value').invalid(value, 'must be greater than zero'));
    const period = place.child('periodSeconds');
    if (periodSeconds <= 0) errors.push(period.invalid(periodSeconds, 'must be greater than zero'));
    if (periodSeconds > PERIOD_SECONDS_MAX) {
      errors.push(period.invalid(periodSeconds, `must be less than or equal to ${PERIOD_SECONDS_MAX}`));
    }
  });
  if (tolerance !== undefined) checkNonNegativeQuantity(errors, at.child('tolerance'), tolerance);
}

export function checkScalingSpec(errors: Errors, at: FieldPath, spec: ScalingSpec): void {
  const { minReplicas, maxReplicas, metrics = [], behavior } = spec;
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(at.child('minReplicas').invalid(minReplicas, 'must be greater than or equal to 1'));
  }
  const most = at.child('maxReplicas');
  if (maxReplicas < 1) errors.push(most.invalid(maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(most.invalid(maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  checkReference(errors, at.child('scaleTargetRef'), spec.scaleTargetRef);
  metrics.forEach((metric, i) => {
    checkMetric(errors, at.index('metrics', i), metric);
  });
  checkRules(errors, at.child('behavior', 'scaleUp'), behavior?.scaleUp);
  checkRules(errors, at.child('behavior', 'scaleDown'), behavior?.scaleDown);
}
