import { type Kind, type Scale, scaleOf } from '@periplus/api';
import {
  at,
  invalid,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  parseVersion,
} from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { Body, ObjectResult, Patch, Preconditions, RequestContext, Target } from '../types.ts';
import { APPLY_PATCH, decideApply } from '../writing/apply.ts';
import { ATTEMPTS_MAX, changeObject, checkPreconditions, currentObject, type Decision } from '../writing/change.ts';
import { resultOf } from '../writing/committer.ts';
import { decodeConfiguration } from '../writing/configuration.ts';
import type { WriteDeps } from '../writing/create.ts';
import { decodeBody } from '../writing/decode.ts';
import { managedByUpdate } from '../writing/field-managers.ts';
import { checkNamedAs } from '../writing/metadata.ts';
import { applyPatch, checkNotForced } from '../writing/patch.ts';
import { decideUpdate } from '../writing/update.ts';
import { scaleBody } from './body-schemas.ts';

const PATCH_ATTEMPTS_MAX = 5;

/** A copy of `object` with another value at `path`; shares everything beside the path. */
function withValueAt(object: JsonObject, [name, ...rest]: readonly string[], value: JsonValue): JsonObject {
  if (name === undefined) return object;
  const inner = object[name];
  const changed = rest.length === 0 ? value : withValueAt(isJsonObject(inner) ? inner : {}, rest, value);
  return { ...object, [name]: changed };
}

export const scaleResult = (kind: Kind, { object, resourceVersion, revision }: ObjectResult): ObjectResult =>
  resultOf(scaleOf(kind, object), resourceVersion, revision);

function check(target: Target, { spec, metadata }: Scale, entry: Entry): void {
  const replicas = spec?.replicas ?? 0;
  if (replicas < 0) {
    const why = 'must be greater than or equal to 0';
    throw invalid(scaleBody, target.name, [at('spec', 'replicas').invalid(replicas, why)]);
  }
  const { uid, resourceVersion } = metadata;
  if (resourceVersion && !parseVersion(resourceVersion)) {
    const why = 'must be a resourceVersion that this server has issued';
    throw invalid(scaleBody, target.name, [at('metadata', 'resourceVersion').invalid(resourceVersion, why)]);
  }
  checkPreconditions(target, entry, { uid, resourceVersion });
}

/** Where the one number stands in the object. */
const replicasPath = ({ kind }: Target): string[] => kind.scale!.specReplicas.replace(/^\./, '').split('.');

/** Changes the one number, by the rules of an update of the whole object. */
function decide(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  scale: Scale,
  entry: Entry,
): Promise<Decision> {
  check(target, scale, entry);
  const current = currentObject(target, entry) as unknown as JsonObject;
  const object = withValueAt(current, replicasPath(target), scale.spec?.replicas ?? 0) as unknown as KubeObject;
  const whole = { ...object, metadata: { ...object.metadata } };
  const manage = managedByUpdate(context, target);
  return decideUpdate(deps, context, { ...target, subresource: '' }, whole, entry, manage);
}

export async function updateScale(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  body: Body,
  only: Preconditions,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'update');
  const scale = decodeBody(context, scaleBody, body.value, body) as Scale;
  checkNamedAs(scale, target);
  const result = await changeObject(deps, {
    context,
    target,
    verb: 'update',
    attemptsMax: ATTEMPTS_MAX,
    decide(entry) {
      checkPreconditions(target, entry, only);
      return decide(deps, context, target, scale, entry);
    },
  });
  return scaleResult(target.kind, result);
}

export async function patchScale(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  patch: Patch,
  only: Preconditions,
): Promise<ObjectResult> {
  if (patch.mediaType === APPLY_PATCH) return applyScale(deps, context, target, patch, only);
  deps.authorize(context, target, 'patch');
  checkNotForced(patch);
  const result = await changeObject(deps, {
    context,
    target,
    verb: 'patch',
    attemptsMax: PATCH_ATTEMPTS_MAX,
    decide(entry) {
      checkPreconditions(target, entry, only);
      const current = scaleOf(target.kind, currentObject(target, entry)) as unknown as JsonObject;
      const patched = applyPatch(current, patch.mediaType, patch.body.value, scaleBody.schema);
      const scale = decodeBody(context, scaleBody, patched, null) as Scale;
      return decide(deps, context, target, scale, entry);
    },
  });
  return scaleResult(target.kind, result);
}

/** The number belongs to its applier as a field of the object. */
async function applyScale(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  { body, force = false }: Patch,
  only: Preconditions,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'patch');
  const scale = decodeConfiguration(context, target, scaleBody, body) as unknown as Scale;
  const replicas = scale.spec?.replicas;
  const named = { metadata: { name: target.name } };
  const value = replicas === undefined ? named : withValueAt(named, replicasPath(target), replicas);
  const result = await changeObject(deps, {
    ...{ context, target, verb: 'apply', attemptsMax: PATCH_ATTEMPTS_MAX },
    decide(entry) {
      checkPreconditions(target, entry, only);
      check(target, { ...scale, metadata: scale.metadata ?? {} }, entry);
      return decideApply(deps, { context, target, value, force }, { ...target, subresource: '' }, entry);
    },
  });
  return scaleResult(target.kind, result);
}
