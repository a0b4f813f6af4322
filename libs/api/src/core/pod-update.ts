/** What may change in a pod: hardly anything of its spec, and of its status what makes sense. */
import {
  type DeepReadonly,
  dns1123Subdomain,
  type FieldPath,
  inRange,
  ipAddress,
  qualifiedName,
} from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IContainerStatus } from 'kubernetes-models/v1/ContainerStatus';
import type { INodeSelectorTerm } from 'kubernetes-models/v1/NodeSelectorTerm';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { differences } from '../differences.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, type Errors, unlessKept } from '../field-rules.ts';
import { checkClaimStatuses } from './pod-claim-status.ts';
import type { Pod } from './pod-type.ts';

type Spec = DeepReadonly<IPodSpec>;
type Containers = readonly DeepReadonly<IContainer>[];

/** Of pods that a node runs by itself. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const SECONDS_MAX = 2 ** 31 - 1;
const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** A shorter deadline, or a first one. Returns whether the rest is worth looking at. */
function checkDeadline(errors: Errors, at: FieldPath, now: Spec, old: Spec): boolean {
  const { activeDeadlineSeconds: seconds } = now;
  const { activeDeadlineSeconds: before } = old;
  const place = at.child('activeDeadlineSeconds');
  if (seconds === undefined) {
    if (before !== undefined) {
      errors.push(place.invalid(null, 'must not update from a positive integer to nil value'));
    }
    return true;
  }
  const [problem] = inRange(seconds, 0, SECONDS_MAX);
  if (problem) errors.push(place.invalid(seconds, problem));
  else if (before !== undefined && before < seconds) {
    errors.push(place.invalid(seconds, 'must be less than or equal to previous value'));
  } else return true;
  return false;
}

/** Tolerations may be added; of those that were, only tolerationSeconds may change. */
function checkTolerationsKept(errors: Errors, at: FieldPath, now: Spec, old: Spec): void {
  const isKept = old.tolerations?.every((before) =>
    now.tolerations?.some((after) => {
      const { tolerationSeconds: _, ...rest } = after;
      const { tolerationSeconds: __, ...restBefore } = before;
      return sameValue(rest, restBefore);
    }),
  );
  if (isKept === false) {
    const detail = 'existing toleration can not be modified except its tolerationSeconds';
    errors.push(at.child('tolerations').forbidden(detail));
  }
}

function checkGatesOnlyRemoved(errors: Errors, at: FieldPath, now: Spec, old: Spec): void {
  now.schedulingGates?.forEach(({ name }, i) => {
    if (old.schedulingGates?.some((gate) => gate.name === name)) return;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(at.index('schedulingGates', i).child('name').forbidden(detail));
  });
}

/** While a pod is gated, where it may run can still be narrowed. https://kep.k8s.io/3838 */
function checkGatedDirectives(errors: Errors, at: FieldPath, now: Spec, old: Spec): void {
  for (const [label, value] of Object.entries(old.nodeSelector ?? {})) {
    if (now.nodeSelector?.[label] === value) continue;
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(at.child('nodeSelector').invalid(now.nodeSelector ?? {}, detail));
    break;
  }
  const before = old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const after = now.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!before?.length) return;
  const place = at.child('affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (after?.length !== before.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.push(place.child('nodeSelectorTerms').invalid(after ?? null, detail));
    return;
  }
  before.forEach((term, i) => {
    if (onlyAdds(term, after[i]!)) return;
    const detail = 'only additions are allowed (no mutations or deletions)';
    errors.push(place.index('nodeSelectorTerms', i).invalid(after[i], detail));
  });
}

/** A term without requirements matches nothing: more of them would widen it. */
function onlyAdds(old: DeepReadonly<INodeSelectorTerm>, now: DeepReadonly<INodeSelectorTerm>): boolean {
  const { matchExpressions: expressions = [], matchFields: fields = [] } = old;
  if (expressions.length + fields.length === 0) return !now.matchExpressions?.length && !now.matchFields?.length;
  return (
    sameValue(now.matchExpressions?.slice(0, expressions.length), expressions) &&
    sameValue(now.matchFields?.slice(0, fields.length), fields)
  );
}

function checkSameContainers(
  errors: Errors,
  at: FieldPath,
  list: string,
  now: Containers = [],
  old: Containers = [],
): boolean {
  if (now.length === old.length) return true;
  errors.push(at.child(list).forbidden('pod updates may not add or remove containers'));
  return false;
}

/** The new containers with the images of the old. */
const withImagesOf = (old: Containers | undefined, now: Containers | undefined): Containers | undefined =>
  now?.map((container, i) => (old?.[i] ? { ...container, image: old[i].image } : container));

/** The new spec with everything that was allowed to change as it was. */
function withChangeableOf(old: Spec, now: Spec): Spec {
  const isGated = (old.schedulingGates?.length ?? 0) > 0;
  const graceWasMended = (old.terminationGracePeriodSeconds ?? 0) < 0 && now.terminationGracePeriodSeconds === 1;
  return {
    ...now,
    containers: withImagesOf(old.containers, now.containers) ?? [],
    initContainers: withImagesOf(old.initContainers, now.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    ...(graceWasMended && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
    ...(isGated && {
      nodeSelector: old.nodeSelector,
      affinity: { ...now.affinity, nodeAffinity: old.affinity?.nodeAffinity },
    }),
  };
}

export function checkMirrorAnnotation(
  errors: Errors,
  at: FieldPath,
  now: DeepReadonly<Pod>,
  old: DeepReadonly<Pod>,
): void {
  const before = old.metadata.annotations?.[MIRROR_ANNOTATION];
  const after = now.metadata.annotations?.[MIRROR_ANNOTATION];
  if (before === after) return;
  const what = before === undefined ? 'add' : 'remove or update';
  const place = at.child('metadata').key('annotations', MIRROR_ANNOTATION);
  errors.push(place.forbidden(`may not ${what} mirror pod annotation`));
}

export function checkPodUpdate(errors: Errors, at: FieldPath, pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): void {
  checkMirrorAnnotation(errors, at, pod, old);
  if (sameValue(pod.spec, old.spec)) return;
  const place = at.child('spec');
  const { spec } = pod;
  if (!checkSameContainers(errors, place, 'containers', spec.containers, old.spec.containers)) return;
  if (!checkSameContainers(errors, place, 'initContainers', spec.initContainers, old.spec.initContainers)) return;
  if (!checkDeadline(errors, place, spec, old.spec)) return;
  checkTolerationsKept(errors, place, spec, old.spec);
  checkGatesOnlyRemoved(errors, place, spec, old.spec);
  if (old.spec.schedulingGates?.length) checkGatedDirectives(errors, place, spec, old.spec);
  const rest = withChangeableOf(old.spec, spec);
  if (sameValue(rest, old.spec)) return;
  const detail = `pod updates may not change fields other than ${CHANGEABLE}`;
  errors.push(place.forbidden([detail, ...differences(old.spec, rest, 'spec')].join('\n')));
}

type Statuses = readonly DeepReadonly<IContainerStatus>[] | undefined;

/** A container that ended for good does not come back. */
function checkEndsStay(
  errors: Errors,
  at: FieldPath,
  list: string,
  now: Statuses,
  old: Statuses,
  { restartPolicy = 'Always', initContainers = [] }: Spec,
): void {
  if (restartPolicy === 'Always') return;
  old?.forEach(({ name, state }, i) => {
    if (!state?.terminated || (state.terminated.exitCode !== 0 && restartPolicy === 'OnFailure')) return;
    if (initContainers.some((container) => container.name === name && container.restartPolicy === 'Always')) return;
    if (now?.some((status) => status.name === name && !status.state?.terminated)) {
      errors.push(at.index(list, i).child('state').forbidden('may not be transitioned to non-terminated state'));
    }
  });
}

function checkAddresses(
  errors: Errors,
  at: FieldPath,
  list: string,
  addresses: readonly { readonly ip?: string }[] = [],
  old: readonly { readonly ip?: string }[] = [],
): void {
  const rule = unlessKept(
    ipAddress,
    old.map(({ ip }) => ip),
  );
  const seen = new Set<string>();
  addresses.forEach(({ ip = '' }, i) => {
    for (const problem of rule(ip)) errors.push(at.index(list, i).invalid(ip, problem));
    if (seen.has(ip)) errors.push(at.index(list, i).duplicate({ ip }));
    seen.add(ip);
  });
  const families = new Set(addresses.map(({ ip = '' }) => ip.includes(':')));
  if (addresses.length > families.size) {
    errors.push(at.child(list).invalid(addresses, 'may specify no more than one IP for each IP family'));
  }
}

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];

export function checkPodStatusUpdate(
  errors: Errors,
  at: FieldPath,
  pod: DeepReadonly<Pod>,
  old: DeepReadonly<Pod>,
): void {
  checkMirrorAnnotation(errors, at, pod, old);
  const place = at.child('status');
  const { status = {} } = pod;
  const { status: before = {} } = old;
  status.conditions?.forEach(({ type }, i) => {
    if (SYSTEM_CONDITIONS.includes(type)) return;
    // Kubernetes reports them below the metadata, with a capital.
    for (const problem of qualifiedName(type)) {
      errors.push(at.child('metadata').index('conditions', i).child('Type').invalid(type, problem));
    }
  });
  if (status.nominatedNodeName && status.nominatedNodeName !== before.nominatedNodeName) {
    for (const problem of dns1123Subdomain(status.nominatedNodeName)) {
      errors.push(place.child('nominatedNodeName').invalid(status.nominatedNodeName, problem));
    }
  }
  checkImmutable(errors, place, 'qosClass', status.qosClass, before.qosClass);
  checkEndsStay(errors, place, 'containerStatuses', status.containerStatuses, before.containerStatuses, old.spec);
  const { initContainerStatuses } = status;
  checkEndsStay(errors, place, 'initContainerStatuses', initContainerStatuses, before.initContainerStatuses, old.spec);
  checkAddresses(errors, place, 'podIPs', status.podIPs, before.podIPs);
  checkAddresses(errors, place, 'hostIPs', status.hostIPs, before.hostIPs);
  if (status.hostIPs?.length && status.hostIPs[0]?.ip !== status.hostIP) {
    errors.push(place.index('hostIPs', 0).child('ip').invalid(status.hostIPs[0]?.ip, 'must be equal to `hostIP`'));
  }
  checkClaimStatuses(errors, place, pod);
}
