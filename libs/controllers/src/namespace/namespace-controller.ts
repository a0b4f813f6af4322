import { coreEvent, type Kind, type KindRegistry, type Namespace, namespace, pod } from '@periplus/api';
import { type Condition, conditionOf, type DeepReadonly, formatTime, type KubeObject } from '@periplus/apimachinery';
import type { Change, Entry, View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';

type NamespaceView = DeepReadonly<Namespace>;
type ObjectView = DeepReadonly<KubeObject>;

const FINALIZER = 'kubernetes';
/** Deletions that one plan asks for; the rest follow when these are seen. */
const DELETIONS_MAX = 1_000;

const isTerminating = (ns: NamespaceView | undefined): ns is NamespaceView =>
  ns?.metadata.deletionTimestamp !== undefined;

/**
 * Empties namespaces that are being deleted, then lets them go. Their Events follow by themselves: the api-server sees
 * to that, and no controller knows them.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
 */
export function namespaceController(kinds: KindRegistry): Controller<Namespace> {
  const namespaced = kinds
    .all()
    .filter((kind) => kind.namespaced && kind.isStored && !kind.storedAs && kind !== coreEvent);
  /** What came too late, and what is gone now, concerns a namespace on its way out. */
  const comesOrGoes = ({ type, entry }: Change, view: View): boolean =>
    type !== 'modified' && isTerminating(view.get(namespace, '', entry.key.namespace));
  const namespaceOf = (now: ObjectView | null, old: ObjectView | null): ObjectRef[] => [
    { namespace: '', name: (now ?? old)?.metadata.namespace ?? '' },
  ];
  return defineController<Namespace>({
    name: 'namespace',
    for: namespace,
    watches: namespaced.map((kind) => watchRule(kind, namespaceOf, comesOrGoes)),
    reconcile({ name }, view) {
      const ns = view.get(namespace, '', name);
      return isTerminating(ns) && ns.spec.finalizers?.includes(FINALIZER) ? empty(ns, kinds, view) : idle;
    },
  });
}

function empty(ns: NamespaceView, kinds: KindRegistry, view: View): Plan {
  const content = [...view.entries(undefined, ns.metadata.name)];
  const status = {
    ...ns.status,
    phase: 'Terminating',
    conditions: conditionsOf(ns, content, view.nowMs),
  };
  const statusCommands = setStatus(namespace, ns, status);
  if (content.length === 0) return { steps: [statusCommands.length > 0 ? statusCommands : [finalize(ns)]] };
  // Nothing that a pod may depend on goes before the pod: https://github.com/kubernetes/enhancements/issues/5080
  const pods = content.filter(({ key }) => key.group === '' && key.resource === pod.plural);
  const deletions = (pods.length > 0 ? pods : content).flatMap((entry) => deletionOf(entry, kinds));
  return { steps: [statusCommands, deletions.slice(0, DELETIONS_MAX)].filter((step) => step.length > 0) };
}

/** Pods get their grace; what is on its way already, or kept by a finalizer, is only waited for. */
function deletionOf({ key, object }: Entry, kinds: KindRegistry): Command[] {
  const kind: Kind | undefined = kinds.storageKind(key.group, key.resource);
  if (!kind || object.metadata.deletionTimestamp) return [];
  return [
    {
      verb: 'delete',
      kind,
      namespace: key.namespace,
      name: key.name,
      ifUid: object.metadata.uid,
      propagationPolicy: 'Background',
    },
  ];
}

/** Only the finalize subresource may change the spec. */
function finalize(ns: NamespaceView): Command {
  const finalizers = ns.spec.finalizers?.filter((name) => name !== FINALIZER);
  const object: NamespaceView = { ...ns, spec: { ...ns.spec, finalizers } };
  return {
    verb: 'update',
    kind: namespace,
    namespace: '',
    name: ns.metadata.name ?? '',
    subresource: 'finalize',
    ifUid: ns.metadata.uid,
    ifResourceVersion: ns.metadata.resourceVersion,
    object,
  };
}

/** `pods. has 2 resource instances, configmaps. has 1 resource instances` */
function remaining(content: readonly Entry[]): string {
  const counts = new Map<string, number>();
  for (const { key } of content) {
    const resource = `${key.resource}.${key.group}`;
    counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, count]) => `${resource} has ${count} resource instances`)
    .join(', ');
}

/** `example.com/hold in 3 resource instances` */
function remainingFinalizers(content: readonly Entry[]): string {
  const counts = new Map<string, number>();
  for (const { object } of content) {
    for (const finalizer of object.metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
    .join(', ');
}

/** The conditions of a namespace that is being deleted, in Kubernetes' words. */
function conditionsOf(ns: NamespaceView, content: readonly Entry[], nowMs: number): Condition[] {
  const resources = remaining(content);
  const finalizers = remainingFinalizers(content);
  const wanted: Condition[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: 'False',
      reason: 'ContentDeleted',
      message: 'All content successfully deleted, may be waiting on finalization',
    },
    resources
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${resources}`,
        }
      : {
          type: 'NamespaceContentRemaining',
          status: 'False',
          reason: 'ContentRemoved',
          message: 'All content successfully removed',
        },
    finalizers
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${finalizers}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ];
  return wanted.map((condition) => {
    const present = conditionOf(ns.status?.conditions, condition.type);
    const lastTransitionTime = present?.status === condition.status ? present.lastTransitionTime : formatTime(nowMs);
    return { ...condition, lastTransitionTime };
  });
}
