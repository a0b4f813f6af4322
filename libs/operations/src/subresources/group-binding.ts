import { POD_GROUP_SCHEDULED, type Pod, type PodGroup, pod, podGroup } from '@periplus/api';
import {
  at,
  conflict,
  type DeepReadonly,
  dns1123Subdomain,
  type FieldError,
  formatTime,
  invalid,
  type KubeObject,
  notFound,
  StatusError,
  staleVersion,
  WRITES_PER_REVISION_MAX,
  withCondition,
} from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import { type Store, WriteConflict } from '@periplus/store';
import { namedResource } from '../cluster-state.ts';
import type { Body, ObjectResult, RequestContext, Target } from '../types.ts';
import { checkPreconditions } from '../writing/change.ts';
import { resultOf, writeOf } from '../writing/committer.ts';
import type { WriteDeps } from '../writing/create.ts';
import type { DecidedChange } from '../writing/decided-change.ts';
import { decodeBody } from '../writing/decode.ts';
import { checkNamedAs } from '../writing/metadata.ts';
import { bound, checkUnbound } from './binding.ts';
import { podGroupBindingBody } from './body-schemas.ts';

/** As often the whole is tried again when somebody else was faster with one of the pods. */
const ATTEMPTS_MAX = 8;
/** Of one group, whose own condition is written with them. What etcd takes at once may be less. */
const PODS_MAX = WRITES_PER_REVISION_MAX - 1;

interface PodBinding {
  readonly name?: string;
  readonly uid?: string;
  readonly node?: string;
}

interface PodGroupBinding extends KubeObject {
  bindings?: readonly PodBinding[];
}

/** `labels` are what admission adds. */
type Checked = Required<PodBinding> & { readonly labels?: Readonly<Record<string, string>> };

export interface GroupBindingDeps extends WriteDeps {
  store: Pick<Store, 'commitAll'>;
}

/** The bindings, each complete and each of another pod. Throws Invalid. */
function checked({ metadata, bindings = [] }: PodGroupBinding): readonly Checked[] {
  const errors: FieldError[] = [];
  if (bindings.length === 0) errors.push(at('bindings').required());
  if (bindings.length > PODS_MAX) errors.push(at('bindings').tooMany(bindings.length, PODS_MAX));
  const names = new Set<string>();
  bindings.forEach(({ name, uid, node }, position) => {
    const place = at().index('bindings', position);
    if (!name) errors.push(place.child('name').required());
    else if (names.size === names.add(name).size) errors.push(place.child('name').duplicate(name));
    if (!uid) errors.push(place.child('uid').required());
    if (!node) errors.push(place.child('node').required());
    else for (const problem of dns1123Subdomain(node)) errors.push(place.child('node').invalid(node, problem));
  });
  if (errors.length > 0) throw invalid(podGroupBindingBody, metadata.name ?? '', errors);
  return bindings as readonly Checked[];
}

/** Pods of the group on their nodes, and the group that says so. Throws what refuses any of them. */
function decide(
  { cluster }: GroupBindingDeps,
  context: RequestContext,
  target: Target,
  bindings: readonly Checked[],
): DecidedChange[] {
  const { namespace, name: group } = target;
  const found = (kind: typeof pod | typeof podGroup, name: string): Entry => {
    const entry = cluster.entry(kind as unknown as Target['kind'], namespace, name);
    if (!entry) throw notFound(namedResource(kind as unknown as Target['kind']), name);
    return entry;
  };
  const decided = { context, verb: 'bind' };
  const changes = bindings.map(({ name, uid, ...more }): DecidedChange => {
    const entry = found(pod, name);
    const kind = pod as unknown as Target['kind'];
    checkPreconditions({ kind, namespace, name, subresource: '' }, entry, { uid });
    const old = entry.object as DeepReadonly<Pod>;
    if (old.spec.schedulingGroup?.podGroupName !== group) {
      throw conflict({ group: '', resource: 'pods/binding' }, name, `pod ${name} is not of pod group ${group}`);
    }
    checkUnbound(old);
    return { ...decided, kind, old: entry, object: bound(old, more, context.nowMs) };
  });
  const entry = found(podGroup, group);
  const before = entry.object as unknown as DeepReadonly<PodGroup>;
  const conditions = scheduled(before, context.nowMs);
  if (conditions === before.status?.conditions) return changes;
  const object = { ...before, status: { ...before.status, conditions } } as KubeObject;
  return [...changes, { ...decided, kind: target.kind, old: entry, object }];
}

const scheduled = ({ status }: DeepReadonly<PodGroup>, nowMs: number) =>
  withCondition(
    status?.conditions,
    { type: POD_GROUP_SCHEDULED, status: 'True', reason: 'Scheduled', message: 'All required pods have nodes' },
    formatTime(nowMs),
  );

/** As `decide`; what an out of date cache made us refuse is looked at again with one that is not. */
async function decideFresh(...asked: Parameters<typeof decide>): Promise<DecidedChange[]> {
  try {
    return decide(...asked);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    await asked[0].cluster.refresh();
    return decide(...asked);
  }
}

/**
 * Gives pods of a group to nodes, all in one transaction of etcd or none, and says in the group's condition that it is
 * scheduled. Optimistic, without the turns that changes of single objects take: the compares of the transaction decide.
 * Bindings change nothing that quotas count.
 */
export async function bindPodGroup(
  deps: GroupBindingDeps,
  context: RequestContext,
  target: Target,
  body: Body,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'create');
  const binding = decodeBody(context, podGroupBindingBody, body.value, body) as PodGroupBinding;
  binding.metadata.name ||= target.name;
  checkNamedAs(binding, target);
  const bindings = checked(binding);
  const waiting = deps.admission.admit({
    ...{ operation: 'create', context, target, name: target.name, object: binding, old: null },
  });
  if (waiting) await waiting;
  for (let attempt = 1; ; attempt++) {
    const changes = await decideFresh(deps, context, target, bindings);
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
    if (context.dryRun) return resultOf(status, '', 0, 201);
    try {
      const [first] = await deps.store.commitAll({ writes: changes.map(writeOf), standing: [] });
      return { ...resultOf(status, '', first!.revision, 201), resourceVersion: first!.resourceVersion };
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      await deps.cluster.reach(error.revision);
      const { kind, old } = changes[error.place]!;
      if (attempt >= ATTEMPTS_MAX) throw staleVersion(namedResource(kind), old!.key.name);
    }
  }
}
