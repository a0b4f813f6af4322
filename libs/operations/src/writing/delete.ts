import { job, type Namespace, namespace as namespaceKind, pod } from '@periplus/api';
import {
  badRequest,
  type DeepReadonly,
  type KubeObject,
  notFound,
  type Status,
  StatusError,
} from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import { WriteConflict } from '@periplus/store';
import { namedResource, storageKind } from '../cluster-state.ts';
import { objectResult } from '../reading/read.ts';
import type { DeleteOptions, DeleteResult, Disruption, ObjectResult, RequestContext, Target } from '../types.ts';
import { ATTEMPTS_MAX, currentObject, turnOf } from './change.ts';
import type { WriteDeps } from './create.ts';
import {
  checkDeleteOptions,
  checkDeletePreconditions,
  type Deletion,
  decideDeletion,
  decideNamespaceDeletion,
} from './deletion.ts';
import { disrupted } from './disruption.ts';

function deleted(target: Target, { metadata }: DeepReadonly<KubeObject>): Status {
  const { group, plural } = target.kind;
  const details = { name: metadata.name!, ...(group && { group }), kind: plural, uid: metadata.uid! };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function decide(target: Target, entry: Entry, options: DeleteOptions, nowMs: number): Deletion {
  const kind = storageKind(target.kind);
  if (kind === (namespaceKind as unknown)) {
    return decideNamespaceDeletion(kind, entry.object as DeepReadonly<Namespace>, options, nowMs);
  }
  return decideDeletion(kind, entry.object, options, nowMs);
}

/** A pod that is gone at once has no condition any more that could say why. */
const withReason = (deletion: Deletion, disruption: Disruption | undefined, nowMs: number): Deletion =>
  disruption && deletion.do === 'mark'
    ? { do: 'mark', object: disrupted(deletion.object, disruption, nowMs) }
    : deletion;

const stands = (item: ObjectResult, code: DeleteResult['code'], isChanged: boolean): DeleteResult => ({
  item,
  last: item,
  status: null,
  code,
  resourceVersion: isChanged ? item.resourceVersion : '',
  revision: isChanged ? item.revision : 0,
});

function removed(target: Target, entry: Entry, result: ObjectResult): DeleteResult {
  const { resourceVersion, revision } = result;
  if (target.kind.answersRemoved) {
    return { item: result, last: result, status: null, code: 200, resourceVersion, revision };
  }
  return { item: null, last: result, status: deleted(target, entry.object), code: 200, resourceVersion, revision };
}

/** Carries out what was decided; undefined when somebody else was faster, whom the cache has then seen. */
async function carryOut(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  entry: Entry,
  deletion: Deletion,
  options: DeleteOptions,
): Promise<DeleteResult | undefined> {
  const { kind } = target;
  const code = options.orphanDependents === false && deletion.do !== 'remove' ? 202 : 200;
  if (deletion.do === 'nothing') return stands(objectResult(entry, kind), code, false);
  const object = deletion.do === 'mark' ? deletion.object : null;
  try {
    const result = await deps.committer.commit({ context, verb: 'delete', kind, old: entry, object });
    return object === null ? removed(target, entry, result) : stands(result, code, true);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
    await deps.cluster.reach(error.revision);
    return undefined;
  }
}

async function decideAdmitted(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  entry: Entry,
  options: DeleteOptions,
): Promise<Deletion> {
  const old = currentObject(target, entry);
  checkDeletePreconditions(target.kind, old, options);
  const { name } = target;
  const waiting = deps.admission.admit({ operation: 'delete', context, target, name, object: null, old });
  if (waiting) await waiting;
  return decide(target, entry, options, context.nowMs);
}

/** Deletes one object, which the caller may. */
export const deleteAuthorized = (
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  options: DeleteOptions,
  disruption?: Disruption,
): Promise<DeleteResult> =>
  deps.turns.take(turnOf(target), () => deleteInTurn(deps, context, target, options, disruption));

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-deletion */
async function deleteInTurn(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  options: DeleteOptions,
  disruption: Disruption | undefined,
): Promise<DeleteResult> {
  const { cluster } = deps;
  const { kind, namespace, name } = target;
  let isFresh = false;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; ) {
    const entry = cluster.entry(kind, namespace, name);
    let refusal: unknown = null;
    if (entry) {
      try {
        const decided = await decideAdmitted(deps, context, target, entry, options);
        const deletion = withReason(decided, disruption, context.nowMs);
        if (deletion.do !== 'nothing' || isFresh) {
          const result = await carryOut(deps, context, target, entry, deletion, options);
          if (result) return result;
          isFresh = true;
          attempt++;
          continue;
        }
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        refusal = error;
      }
    } else refusal = notFound(namedResource(kind), name);
    if (isFresh && refusal) throw refusal;
    await cluster.refresh();
    isFresh = true;
  }
  throw new StatusError('Conflict', `${kind.plural} "${name}" changes faster than it can be deleted`);
}

const ORPHANS_WARNING =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

/** Who deletes a Job without saying what becomes of its pods seldom wants what he gets. */
export function warnOfOrphans(context: RequestContext, { kind }: Target, options: DeleteOptions): void {
  const says = options.propagationPolicy || options.orphanDependents !== undefined;
  if (!says && kind === (job as unknown)) context.warnings.push(ORPHANS_WARNING);
}

/** `disruption`: of a pod, which thereby has its status changed too. */
export async function deleteObject(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  options: DeleteOptions,
  disruption?: Disruption,
): Promise<DeleteResult> {
  deps.authorize(context, target, 'delete');
  if (disruption) {
    if (target.kind !== (pod as unknown)) throw badRequest('only pods are disrupted');
    deps.authorize(context, { ...target, subresource: 'status' }, 'patch');
  }
  checkDeleteOptions(options);
  warnOfOrphans(context, target, options);
  const result = await deleteAuthorized(deps, context, target, options, disruption);
  // From now on nothing may be created in it, by requests that this server has yet to see.
  if (target.kind === (namespaceKind as unknown)) await deps.cluster.reach(result.revision);
  return result;
}
