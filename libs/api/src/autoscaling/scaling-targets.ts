/** The column of an autoscaler that says what it measures, next to what it wants: `cpu: 40%/80%`. */
import { type DeepReadonly, parseQuantity } from '@periplus/apimachinery';
import type { IMetricSpec } from 'kubernetes-models/autoscaling/v2/MetricSpec';
import type { IMetricStatus } from 'kubernetes-models/autoscaling/v2/MetricStatus';
import type { IMetricTarget } from 'kubernetes-models/autoscaling/v2/MetricTarget';
import type { IMetricValueStatus } from 'kubernetes-models/autoscaling/v2/MetricValueStatus';

type Spec = DeepReadonly<IMetricSpec>;
type Current = DeepReadonly<IMetricValueStatus> | undefined;
type Quantity = string | number | undefined;

const SHOWN_MAX = 2;
const UNKNOWN = '<unknown>';

const amount = (quantity: Quantity): string => (quantity === undefined ? UNKNOWN : parseQuantity(quantity).toString());
const share = (utilization: number | undefined, unset: string): string =>
  utilization === undefined ? unset : `${utilization}%`;

/** Of metrics of objects and of things outside. */
function valueText(target: DeepReadonly<Partial<IMetricTarget>>, current: Current): string {
  return target.averageValue === undefined
    ? `${amount(current?.value)}/${amount(target.value)}`
    : `${amount(current?.averageValue)}/${amount(target.averageValue)} (avg)`;
}

function resourceText(name: string, target: DeepReadonly<Partial<IMetricTarget>>, current: Current): string {
  return target.averageValue === undefined
    ? `${name}: ${share(current?.averageUtilization, UNKNOWN)}/${share(target.averageUtilization, '<auto>')}`
    : `${name}: ${amount(current?.averageValue)}/${amount(target.averageValue)}`;
}

function textOf(spec: Spec, status: DeepReadonly<IMetricStatus> | undefined): string {
  const { external, pods, object, resource, containerResource } = spec;
  if (spec.type === 'External' && external) return valueText(external.target ?? {}, status?.external?.current);
  if (spec.type === 'Object' && object) return valueText(object.target ?? {}, status?.object?.current);
  if (spec.type === 'Pods' && pods) {
    return `${amount(status?.pods?.current?.averageValue)}/${amount(pods.target?.averageValue)}`;
  }
  if (spec.type === 'Resource' && resource) {
    return resourceText(resource.name, resource.target ?? {}, status?.resource?.current);
  }
  if (spec.type === 'ContainerResource' && containerResource) {
    return resourceText(containerResource.name, containerResource.target ?? {}, status?.containerResource?.current);
  }
  return '<unknown type>';
}

export function targetsText(
  specs: readonly Spec[] = [],
  statuses: readonly DeepReadonly<IMetricStatus>[] | null = [],
): string {
  if (specs.length === 0) return '<none>';
  const shown = specs.slice(0, SHOWN_MAX).map((spec, i) => textOf(spec, statuses?.[i]));
  const more = specs.length - SHOWN_MAX;
  return more > 0 ? `${shown.join(', ')} + ${more} more...` : shown.join(', ');
}
