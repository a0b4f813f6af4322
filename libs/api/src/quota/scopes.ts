/** Which objects a quota is about. https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes */
import type { DeepReadonly, GroupResource, KubeObject } from '@periplus/apimachinery';
import type { IScopedResourceSelectorRequirement } from 'kubernetes-models/v1/ScopedResourceSelectorRequirement';
import type { PersistentVolumeClaim } from '../core/persistent-volume-claim.ts';
import { qosClassOf } from '../core/pod-qos.ts';
import type { Pod } from '../core/pod-type.ts';
import type { ResourceQuota } from '../core/resource-quota.ts';

type Requirement = DeepReadonly<IScopedResourceSelectorRequirement>;
type Spec = DeepReadonly<Pod>['spec'];

/** Whether one of the names an object has for the scope is a wanted one. */
function holds({ operator, values = [] }: Requirement, names: readonly string[]): boolean {
  switch (operator) {
    case 'Exists':
      return names.length > 0;
    case 'DoesNotExist':
      return names.length === 0;
    case 'In':
      return names.some((name) => values.includes(name));
    default:
      return !names.some((name) => values.includes(name));
  }
}

const ends = ({ activeDeadlineSeconds }: Spec): boolean => (activeDeadlineSeconds ?? -1) >= 0;

function looksAcrossNamespaces({ affinity }: Spec): boolean {
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  return [podAffinity, podAntiAffinity].some((rules) => {
    const preferred = rules?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const required = rules?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const terms = [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)];
    return terms.some(({ namespaces, namespaceSelector }) => namespaces?.length || namespaceSelector);
  });
}

function podIsIn(requirement: Requirement, { spec }: DeepReadonly<Pod>): boolean {
  switch (requirement.scopeName) {
    case 'Terminating':
      return ends(spec);
    case 'NotTerminating':
      return !ends(spec);
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort';
    case 'PriorityClass':
      return holds(requirement, spec.priorityClassName ? [spec.priorityClassName] : []);
    case 'CrossNamespacePodAffinity':
      return looksAcrossNamespaces(spec);
    default:
      return false;
  }
}

function claimIsIn(requirement: Requirement, { spec, status }: DeepReadonly<PersistentVolumeClaim>): boolean {
  if (requirement.scopeName !== 'VolumeAttributesClass') return false;
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return holds(
    requirement,
    names.flatMap((name) => (name ? [name] : [])),
  );
}

const matches = (requirement: Requirement, resource: string, object: DeepReadonly<KubeObject>): boolean => {
  if (resource === 'pods') return podIsIn(requirement, object as DeepReadonly<Pod>);
  return resource === 'persistentvolumeclaims' && claimIsIn(requirement, object as DeepReadonly<PersistentVolumeClaim>);
};

/** Whether the quota is about the object, which is one of `resource`'s. Quotas with scopes are about pods or claims. */
export function isInScope(
  { spec }: DeepReadonly<ResourceQuota>,
  { group, resource }: GroupResource,
  object: DeepReadonly<KubeObject>,
): boolean {
  const { scopes = [], scopeSelector } = spec;
  const requirements: readonly Requirement[] = [
    ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' }) as Requirement),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  return requirements.every((requirement) => group === '' && matches(requirement, resource, object));
}
