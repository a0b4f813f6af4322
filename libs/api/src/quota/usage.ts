/** What an object counts for in the quotas of its namespace. https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
import {
  type DeepReadonly,
  type GroupResource,
  type KubeObject,
  parseQuantity,
  Quantity,
} from '@periplus/apimachinery';
import type { PersistentVolumeClaim } from '../core/persistent-volume-claim.ts';
import type { Pod } from '../core/pod-type.ts';
import type { Service } from '../core/service-type.ts';
import { type Amounts, amountsOf, podLimits, podRequests } from '../pod-spec/pod-resources.ts';
import { RESULTS_MAX } from '../resource/limits.ts';
import type { ResourceClaim } from '../resource/resource-claim.ts';
import { HUGE_PAGES, isExtended } from '../resource-names.ts';
import { storageClassOf } from '../storage/storage-class-of.ts';

const ONE = Quantity.ofInteger(1);
/** Counted under their own name, as they were before `count/` came. */
const COUNTED_BY_NAME = ['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'];
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const CLASS_SUFFIX = '.storageclass.storage.k8s.io/';

const hasEnded = ({ status }: DeepReadonly<Pod>): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** What requests and limits count for, of a container or of a whole pod. */
function computeUsage(requests: Amounts, limits: Amounts): Map<string, Quantity> {
  const usage = new Map<string, Quantity>();
  for (const [name, amount] of requests) {
    if (COMPUTE.includes(name) || name.startsWith(HUGE_PAGES)) {
      usage.set(name, amount);
      usage.set(`requests.${name}`, amount);
    } else if (isExtended(name)) usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount);
  return usage;
}

/** Pods that have ended take nothing any more; that they are still there counts as `count/pods`. */
function podUsage(pod: DeepReadonly<Pod>): Amounts {
  if (hasEnded(pod)) return new Map();
  return computeUsage(podRequests(pod.spec), podLimits(pod.spec)).set('pods', ONE);
}

function serviceUsage({ spec }: DeepReadonly<Service>): Amounts {
  const { type, ports = [], allocateLoadBalancerNodePorts } = spec;
  const isBalancer = type === 'LoadBalancer';
  const counted =
    isBalancer && allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort) : ports;
  return new Map([
    ['services', ONE],
    ['services.nodeports', Quantity.ofInteger(isBalancer || type === 'NodePort' ? counted.length : 0)],
    ['services.loadbalancers', Quantity.ofInteger(isBalancer ? 1 : 0)],
  ]);
}

/** Of a claim that grows, the larger of what it wants and what it was given. */
function claimUsage(claim: DeepReadonly<PersistentVolumeClaim>): Amounts {
  const { spec, status } = claim;
  const usage = new Map([['persistentvolumeclaims', ONE]]);
  const sizes = [spec.resources?.requests?.storage, status?.allocatedResources?.storage].flatMap((size) =>
    size === undefined ? [] : [parseQuantity(size)],
  );
  const [size] = sizes.sort((one, other) => other.compare(one));
  if (size) usage.set('requests.storage', size);
  const storageClass = storageClassOf(claim);
  if (!storageClass) return usage;
  for (const [name, amount] of [...usage]) usage.set(`${storageClass}${CLASS_SUFFIX}${name}`, amount);
  return usage;
}

const DEVICES_SUFFIX = '.deviceclass.resource.k8s.io/devices';

/** As many devices of each class as the claim may be given; of several that would do, the most. */
function deviceUsage({ spec }: DeepReadonly<ResourceClaim>): Amounts {
  const usage = new Map<string, Quantity>();
  for (const { exactly, firstAvailable = [] } of spec.devices.requests ?? []) {
    const most = new Map<string, number>();
    for (const { deviceClassName, allocationMode, count = 0 } of exactly ? [exactly] : firstAvailable) {
      const devices = allocationMode === 'All' ? RESULTS_MAX : count;
      most.set(deviceClassName, Math.max(devices, most.get(deviceClassName) ?? 0));
    }
    for (const [deviceClass, devices] of most) {
      const name = `${deviceClass}${DEVICES_SUFFIX}`;
      usage.set(name, (usage.get(name) ?? Quantity.zero).add(Quantity.ofInteger(devices)));
    }
  }
  return usage;
}

const NOTHING: Amounts = new Map();

function ofItsKind(group: string, resource: string, object: DeepReadonly<KubeObject>): Amounts {
  if (group === 'resource.k8s.io' && resource === 'resourceclaims') {
    return deviceUsage(object as DeepReadonly<ResourceClaim>);
  }
  if (group !== '') return NOTHING;
  switch (resource) {
    case 'pods':
      return podUsage(object as DeepReadonly<Pod>);
    case 'services':
      return serviceUsage(object as DeepReadonly<Service>);
    case 'persistentvolumeclaims':
      return claimUsage(object as DeepReadonly<PersistentVolumeClaim>);
    default:
      return COUNTED_BY_NAME.includes(resource) ? new Map([[resource, ONE]]) : NOTHING;
  }
}

/** `object` is valid, and one of `resource`'s. */
export function quotaUsage({ group, resource }: GroupResource, object: DeepReadonly<KubeObject>): Amounts {
  const counted = new Map([[`count/${group ? `${resource}.${group}` : resource}`, ONE]]);
  for (const [name, amount] of ofItsKind(group, resource, object)) counted.set(name, amount);
  return counted;
}

const MUST_BE_SAID = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/**
 * What a pod must say because `names` are limited, and does not: `limits.cpu for: a,b; memory for: a`; '' when it says
 * it all.
 */
export function unsaid(names: readonly string[], { spec }: DeepReadonly<Pod>): string {
  const required = names.filter((name) => MUST_BE_SAID.includes(name)).sort();
  if (required.length === 0) return '';
  const whole = computeUsage(amountsOf(spec.resources?.requests), amountsOf(spec.resources?.limits));
  const containers = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name, resources }) => ({
    name,
    usage: computeUsage(amountsOf(resources?.requests), amountsOf(resources?.limits)),
  }));
  return required
    .flatMap((resource) => {
      const silent = containers.filter(({ usage }) => !usage.has(resource) && !whole.has(resource));
      const who = [...new Set(silent.map(({ name }) => name))].sort().join(',');
      return silent.length === 0 ? [] : [`${resource} for: ${who}`];
    })
    .join('; ');
}
