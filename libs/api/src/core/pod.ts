import type { DeepReadonly } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPod } from 'kubernetes-models/v1/Pod';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { qosClassOf } from './pod-qos.ts';
import { readyColumn, restartsColumn, statusColumn, wideColumns } from './pod-status.ts';
import { setPodSpecDefaults } from './pod-template.ts';

export type Pod = Stored<IPod, 'spec'>;

/** In a pod, unlike in a template, a limit is also the request where none is given. */
function requestLimits(container: IContainer): void {
  const limits = container.resources?.limits;
  if (!limits || !container.resources) return;
  container.resources.requests ??= {};
  for (const name in limits) container.resources.requests[name] ??= limits[name]!;
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

/** https://kubernetes.io/docs/concepts/workloads/pods/ */
export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  columns: [nameColumn, readyColumn, statusColumn, restartsColumn, ageColumn, ...wideColumns],
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
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
    setPodSpecDefaults(pod.spec);
    pod.spec.enableServiceLinks ??= true;
    for (const container of pod.spec.containers) requestLimits(container);
    for (const container of pod.spec.initContainers ?? []) requestLimits(container);
  },
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod.spec) };
  },
  prepareForStatusUpdate(pod, old) {
    pod.status ??= {};
    pod.status.qosClass = old.status?.qosClass;
  },
  gracePeriodSeconds,
});
