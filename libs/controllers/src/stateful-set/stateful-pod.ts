import { type Pod, type StatefulSet, statefulSet } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { REVISION_LABEL } from '../controller-revision/revision-history.ts';
import { podOfTemplate } from '../pod-of-template.ts';
import type { PodView } from '../pod-state.ts';
import { ordinalOf, podNameOf, type StatefulSetView } from './members.ts';
import { claimNameOf } from './pod-claims.ts';

type Template = DeepReadonly<StatefulSet>['spec']['template'];

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-name-label */
const NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-index-label */
const INDEX_LABEL = 'apps.kubernetes.io/pod-index';

const identityLabels = (name: string, ordinal: number): Readonly<Record<string, string>> => ({
  [NAME_LABEL]: name,
  [INDEX_LABEL]: String(ordinal),
});

/** The pod of an ordinal: its name is its host name, its claims are its own. `revision` is the mark of `template`. */
export function statefulPod(
  set: StatefulSetView,
  ordinal: number,
  template: Template,
  revision: string,
): DeepReadonly<Pod> {
  const name = podNameOf(set, ordinal);
  const pod = podOfTemplate(set, statefulSet, name, template);
  const claims = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimNameOf(set, claim, ordinal) },
  }));
  const others = (pod.spec.volumes ?? []).filter((volume) => !claims.some((claim) => claim.name === volume.name));
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, ...identityLabels(name, ordinal), [REVISION_LABEL]: revision },
    },
    spec: {
      ...pod.spec,
      hostname: name,
      subdomain: set.spec.serviceName,
      ...(claims.length + others.length > 0 && { volumes: [...claims, ...others] }),
    },
  };
}

/** The labels of its identity that a pod lacks, as one that was adopted may; undefined when it has them. */
export function missingIdentity(set: StatefulSetView, pod: PodView): Readonly<Record<string, string>> | undefined {
  const wanted = identityLabels(pod.metadata.name ?? '', ordinalOf(set, pod) ?? 0);
  const hasAll = Object.entries(wanted).every(([label, value]) => pod.metadata.labels?.[label] === value);
  return hasAll ? undefined : wanted;
}
