/** What a pod asks for as a whole. https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers */
import { type DeepReadonly, parseQuantity, Quantity } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';

/** Amounts by the name of the resource. */
export type Amounts = ReadonlyMap<string, Quantity>;

type Combine = (one: Quantity, other: Quantity) => Quantity;
type List = 'requests' | 'limits';

const sum: Combine = (one, other) => one.add(other);
const larger: Combine = (one, other) => (one.compare(other) >= 0 ? one : other);

export function amountsOf(
  quantities: DeepReadonly<Record<string, string | number>> | undefined,
): Map<string, Quantity> {
  const amounts = new Map<string, Quantity>();
  for (const name in quantities) amounts.set(name, parseQuantity(quantities[name]!));
  return amounts;
}

function combine(into: Map<string, Quantity>, other: Amounts, how: Combine): void {
  for (const [name, amount] of other) into.set(name, how(into.get(name) ?? Quantity.zero, amount));
}

/** Of all that run together, or of the largest init container with the sidecars before it, where that is more. */
function ofContainers({ containers, initContainers = [] }: DeepReadonly<IPodSpec>, list: List): Map<string, Quantity> {
  const own = ({ resources }: DeepReadonly<IContainer>) => amountsOf(resources?.[list]);
  const total = new Map<string, Quantity>();
  for (const container of containers) combine(total, own(container), sum);
  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const container of initContainers) {
    const amounts = own(container);
    if (container.restartPolicy === 'Always') {
      combine(total, amounts, sum);
      combine(sidecars, amounts, sum);
      combine(peak, sidecars, larger);
    } else {
      combine(amounts, sidecars, sum);
      combine(peak, amounts, larger);
    }
  }
  combine(total, peak, larger);
  return total;
}

/** Overhead comes on top of what is asked for; where there is no limit it makes none. */
function ofPod(spec: DeepReadonly<IPodSpec>, list: List): Amounts {
  const total = ofContainers(spec, list);
  for (const [name, amount] of amountsOf(spec.resources?.[list])) total.set(name, amount);
  for (const [name, amount] of amountsOf(spec.overhead)) {
    const before = total.get(name);
    if (before || list === 'requests') total.set(name, (before ?? Quantity.zero).add(amount));
  }
  return total;
}

export const podRequests = (spec: DeepReadonly<IPodSpec>): Amounts => ofPod(spec, 'requests');
export const podLimits = (spec: DeepReadonly<IPodSpec>): Amounts => ofPod(spec, 'limits');
