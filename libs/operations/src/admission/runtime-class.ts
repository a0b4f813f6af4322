import { type Pod, pod, type RuntimeClass, runtimeClass, sameValue } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';

type Spec = Pod['spec'];
type Toleration = NonNullable<Spec['tolerations']>[number];
type Found = DeepReadonly<RuntimeClass> | undefined;

const OVERHEAD_DIFFERS = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OVERHEAD_UNFOUNDED = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';

/** Whether whatever `other` tolerates, `one` does too. */
function covers(one: DeepReadonly<Toleration>, other: DeepReadonly<Toleration>): boolean {
  if (sameValue(one, other)) return true;
  if (one.key !== other.key && (one.key || one.operator !== 'Exists')) return false;
  if (one.effect !== other.effect && one.effect) return false;
  if (one.effect === 'NoExecute' && one.tolerationSeconds !== undefined) {
    if (other.tolerationSeconds === undefined || other.tolerationSeconds > one.tolerationSeconds) return false;
  }
  if (one.operator === 'Exists') return true;
  return (other.operator ?? 'Equal') === 'Equal' && one.value === other.value;
}

/** Both lists, without those that another one covers. */
export function mergeTolerations(
  first: readonly DeepReadonly<Toleration>[],
  second: readonly DeepReadonly<Toleration>[],
): Toleration[] {
  const all = [...first, ...second];
  const merged: DeepReadonly<Toleration>[] = [];
  all.forEach((toleration, i) => {
    if (merged.some((one) => covers(one, toleration))) return;
    if (all.slice(i + 1).some((one) => !sameValue(one, toleration) && covers(one, toleration))) return;
    merged.push(toleration);
  });
  return structuredClone(merged) as Toleration[];
}

function schedule(request: AdmissionRequest, { scheduling }: DeepReadonly<RuntimeClass>): void {
  if (!scheduling) return;
  const { spec } = request.object as Pod;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    spec.nodeSelector ??= {};
    const own = Object.hasOwn(spec.nodeSelector, key) ? spec.nodeSelector[key] : undefined;
    if (own !== undefined && own !== value) {
      const of = (what: string, chosen: string): string => `${what}.nodeSelector[${key}] = ${chosen}`;
      throw refused(request, `conflict: ${of('runtimeClass.scheduling', value)}; ${of('pod.spec', own)}`);
    }
    spec.nodeSelector[key] = value;
  }
  if (scheduling.tolerations?.length) {
    spec.tolerations = mergeTolerations(spec.tolerations ?? [], scheduling.tolerations);
  }
}

function apply(request: AdmissionRequest, found: Found): void {
  if (!found) return;
  const { spec } = request.object as Pod;
  const overhead = found.overhead?.podFixed;
  if (overhead) {
    if (spec.overhead && !sameValue(spec.overhead, overhead)) throw refused(request, OVERHEAD_DIFFERS);
    spec.overhead = { ...overhead };
  }
  schedule(request, found);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#runtimeclass */
export function runtimeClassAdmission(cluster: ClusterState): Admission {
  const find = ({ object }: AdmissionRequest): Found => {
    const name = (object as Pod).spec.runtimeClassName;
    return name === undefined ? undefined : cluster.object(runtimeClass, '', name);
  };
  return {
    name: 'RuntimeClass',
    handles: ({ kind, subresource }, operation) =>
      kind === (pod as unknown) && subresource === '' && operation === 'create',
    admit(request) {
      const name = (request.object as Pod).spec.runtimeClassName;
      if (name === undefined) return;
      const found = find(request);
      if (found) return apply(request, found);
      return cluster
        .eventually(() => find(request))
        .then((later) => {
          if (!later) throw refused(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
          apply(request, later);
        });
    },
    review(request) {
      const { overhead } = (request.object as Pod).spec;
      if (overhead === undefined) return;
      const defined = find(request)?.overhead?.podFixed;
      if (!defined && Object.keys(overhead).length > 0) throw refused(request, OVERHEAD_UNFOUNDED);
      if (defined && !sameValue(overhead, defined)) throw refused(request, OVERHEAD_DIFFERS);
    },
  };
}
