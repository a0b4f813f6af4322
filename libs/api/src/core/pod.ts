import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { warnOfAddress } from '../address-warnings.ts';
import { warnOfName } from '../apps/workload-warnings.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Errors, Warnings } from '../field-rules.ts';
import { setPodSpecDefaults } from '../pod-spec/defaults.ts';
import { mergeLabelKeys } from '../pod-spec/label-keys.ts';
import { checkPodSpec } from '../pod-spec/validation.ts';
import { warnOfPod } from '../pod-spec/warnings.ts';
import { ephemeralContainers } from './pod-ephemeral-containers.ts';
import { qosClassOf } from './pod-qos.ts';
import { resize } from './pod-resize.ts';
import { readyColumn, restartsColumn, statusColumn, wideColumns } from './pod-status.ts';
import type { Pod } from './pod-type.ts';
import { checkPodStatusUpdate, checkPodUpdate, MIRROR_ANNOTATION } from './pod-update.ts';

export type { Pod } from './pod-type.ts';

const IN_HOST_NAME =
  "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#pod-deletion-cost */
const DELETION_COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost';

const isInt32 = (text: string): boolean => /^(0|-?[1-9]\d{0,9})$/.test(text) && (Number(text) | 0) === Number(text);

/** In a pod, unlike in a template, a limit is also the request where none is given. */
function requestLimits(container: IContainer): void {
  const limits = container.resources?.limits;
  if (!limits || !container.resources) return;
  container.resources.requests ??= {};
  const { requests } = container.resources;
  for (const name in limits) if (!Object.hasOwn(requests, name)) requests[name] = limits[name]!;
}

/**
 * A pod that no node has, or that ended, goes at once; the others get the time that the request, else the
 * spec, grants them. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
 */
function gracePeriodSeconds(pod: DeepReadonly<Pod>, requested: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec.nodeName || phase === 'Failed' || phase === 'Succeeded') return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}

/** Two names of one thing: the first address alone, and all of them. Older agents know only the first. */
function alignAddresses(status: NonNullable<Pod['status']>): void {
  if (status.podIP && status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  else if (status.podIPs?.[0]) status.podIP = status.podIPs[0].ip;
  if (status.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }];
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/ */
const gatedCondition = ({ metadata }: Pod) => ({
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
  observedGeneration: metadata.generation,
  lastProbeTime: null as unknown as string,
  lastTransitionTime: metadata.creationTimestamp,
});

function check(errors: Errors, at: FieldPath, pod: DeepReadonly<Pod>): void {
  const { annotations } = pod.metadata;
  const mirror = annotations?.[MIRROR_ANNOTATION];
  if (mirror !== undefined && pod.spec.resourceClaims?.length) {
    errors.push(at.forbidden('static pods do not support resource claims'));
  }
  if (mirror !== undefined && !pod.spec.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(at.child('metadata').key('annotations', MIRROR_ANNOTATION).invalid(mirror, detail));
  }
  const cost = annotations?.[DELETION_COST_ANNOTATION];
  if (cost !== undefined && !isInt32(cost)) {
    const place = at.child('metadata').key('annotations', DELETION_COST_ANNOTATION);
    errors.push(place.invalid(cost, 'must be a 32bit integer'));
  }
  checkPodSpec(errors, at.child('spec'), pod.spec, true);
}

/** Only a new pod may not have ephemeral containers or, while it is gated, a node. */
function checkNew(errors: Errors, at: FieldPath, { spec }: DeepReadonly<Pod>): void {
  if (spec.ephemeralContainers?.length) {
    errors.push(at.child('spec', 'ephemeralContainers').forbidden('cannot be set on create'));
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    const detail = 'cannot be set until all schedulingGates have been cleared';
    errors.push(at.child('spec', 'nodeName').forbidden(detail));
  }
}

/** People rarely update pods, programs often: they are not told again. */
function warnOfNew(warnings: Warnings, at: FieldPath, pod: DeepReadonly<Pod>, old: DeepReadonly<Pod> | null): void {
  if (old !== null) return;
  warnOfName(warnings, at, pod, IN_HOST_NAME);
  warnOfPod(warnings, at, pod, false);
}

/** https://kubernetes.io/docs/concepts/workloads/pods/ */
export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  answersRemoved: true,
  generation: true,
  parts: { ephemeralcontainers: ephemeralContainers, resize },
  columns: [nameColumn, readyColumn, statusColumn, restartsColumn, ageColumn, ...wideColumns],
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    // Its name before v1, which kube-apiserver still takes.
    'spec.host': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.podIPs': (pod) => (pod.status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  setDefaults(pod) {
    pod.spec ??= { containers: [] };
    pod.status ??= {};
    alignAddresses(pod.status);
    setPodSpecDefaults(pod.spec);
    pod.spec.enableServiceLinks ??= true;
    for (const container of pod.spec.containers) requestLimits(container);
    for (const container of pod.spec.initContainers ?? []) requestLimits(container);
  },
  prepareForCreate(pod) {
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod.spec) };
    if (pod.spec.schedulingGates?.length) pod.status.conditions = [gatedCondition(pod)];
    mergeLabelKeys(pod);
  },
  prepareForStatusUpdate(pod, old) {
    pod.status ??= {};
    pod.status.qosClass ??= old.status?.qosClass;
    pod.metadata.ownerReferences = old.metadata.ownerReferences?.map((owner) => ({ ...owner }));
  },
  check,
  checkNew,
  checkUpdate: checkPodUpdate,
  warn: warnOfNew,
  checkStatusUpdate: checkPodStatusUpdate,
  warnOfStatus(warnings, at, { status }) {
    for (const list of ['podIPs', 'hostIPs'] as const) {
      status?.[list]?.forEach(({ ip }, i) => {
        warnOfAddress(warnings, at.child('status').index(list, i).child('ip'), ip);
      });
    }
  },
  gracePeriodSeconds,
});
