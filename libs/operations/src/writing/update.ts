import type { Kind, Namespace, UpdatedPart } from '@periplus/api';
import {
  at,
  type DeepReadonly,
  type FieldError,
  invalid,
  type JsonObject,
  type KubeObject,
  parseVersion,
} from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { AdmissionRequest } from '../admission/admission.ts';
import type { Body, ObjectResult, Preconditions, RequestContext, Target } from '../types.ts';
import { ATTEMPTS_MAX, changeObject, checkPreconditions, currentObject, type Decision } from './change.ts';
import { createObject, ROOT, type WriteDeps } from './create.ts';
import { decodeObject } from './decode.ts';
import { type Manage, managedByUpdate } from './field-managers.ts';
import { checkNamedAs, dropRepeatedOwners, keepServerMetadata } from './metadata.ts';
import { orCreate } from './or-create.ts';

/** What an update of a subresource keeps and checks, in place of what the kind says for the object itself. */
interface UpdateStrategy {
  prepare(kind: Kind, object: KubeObject, old: DeepReadonly<KubeObject>): void;
  validate(kind: Kind, object: KubeObject, old: DeepReadonly<KubeObject>): FieldError[];
  warnings?(kind: Kind, object: KubeObject, old: DeepReadonly<KubeObject>): readonly string[];
}

const partOf = (part: UpdatedPart): UpdateStrategy => ({
  prepare: (_, object, old) => part.prepare(object, old),
  validate: (_, object, old) => part.validate(object, old, ROOT),
});

const wholeObject: UpdateStrategy = {
  prepare: (kind, object, old) => kind.prepareForUpdate(object, old),
  validate: (kind, object, old) => kind.validateUpdate(object, old, ROOT),
  warnings: (kind, object, old) => kind.warnings(object, old, ROOT),
};

const status: UpdateStrategy = {
  prepare: (kind, object, old) => kind.prepareForStatusUpdate(object, old),
  validate: (kind, object, old) => kind.validateStatusUpdate(object, old, ROOT),
  warnings: (kind, object) => kind.statusWarnings(object, ROOT),
};

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/: changes spec.finalizers alone. */
const finalize: UpdateStrategy = {
  prepare(_, object, old) {
    const { spec } = object as Namespace;
    const kept = structuredClone(old) as Namespace;
    Object.assign(object, kept, {
      metadata: object.metadata,
      spec: { ...kept.spec, finalizers: spec.finalizers ?? [] },
    });
  },
  validate: (kind, object, old) => kind.validateStatusUpdate(object, old, ROOT),
};

const STRATEGIES: Readonly<Record<string, UpdateStrategy>> = { '': wholeObject, status, finalize };

const strategyOf = ({ parts }: Kind, subresource: string): UpdateStrategy =>
  Object.hasOwn(parts, subresource) ? partOf(parts[subresource]!) : STRATEGIES[subresource]!;

/** The last finalizer of a deleted object is gone, and so its time: it goes too. */
function endsHere(kind: Kind, object: KubeObject, old: DeepReadonly<KubeObject>): boolean {
  if (old.metadata.deletionTimestamp === undefined || (old.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if ((object.metadata.finalizers?.length ?? 0) > 0) return false;
  return kind.plural !== 'namespaces' || ((object as Namespace).spec.finalizers?.length ?? 0) === 0;
}

/** Throws Conflict or Invalid when the version that an update names does not permit it. */
function checkVersion(target: Target, object: KubeObject, entry: Entry): void {
  const { resourceVersion } = object.metadata;
  const refuse = (value: string | number, why: string): never => {
    throw invalid(target.kind, target.name, [at('metadata', 'resourceVersion').invalid(value, why)]);
  };
  if (!resourceVersion || resourceVersion === '0') {
    if (target.kind.updatedByVersionOnly) refuse(0, 'must be specified for an update');
    return;
  }
  if (!parseVersion(resourceVersion)) refuse(resourceVersion, 'must be a resourceVersion that this server has issued');
  checkPreconditions(target, entry, { resourceVersion });
}

/** Decides what becomes of the current state when a client wants `object` in its place. Both in the client's form. */
export async function decideUpdate(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  object: KubeObject,
  entry: Entry,
  manage: Manage = managedByUpdate(context, target),
): Promise<Decision> {
  const { kind, name, subresource } = target;
  const old = currentObject(target, entry);
  const strategy = strategyOf(kind, subresource);
  if (object.metadata.uid) checkPreconditions(target, entry, { uid: object.metadata.uid });
  checkVersion(target, object, entry);
  keepServerMetadata(object, old);
  dropRepeatedOwners(object, context.warnings);
  const isPart = Object.hasOwn(kind.parts, subresource);
  if (!isPart) manage(object, old);
  const request: AdmissionRequest = { operation: 'update', context, target, name, object, old };
  const admitting = deps.admission.admit(request);
  if (admitting) await admitting;
  strategy.prepare(kind, object, old);
  // Only now it is known what a part takes of the object.
  if (isPart) manage(object, old);
  const errors = strategy.validate(kind, object, old);
  if (errors.length > 0) throw invalid(kind, name, errors);
  if (strategy.warnings) context.warnings.push(...strategy.warnings(kind, object, old));
  const reviewing = deps.admission.review(request);
  if (reviewing) await reviewing;
  const stored = kind.storedAs ? kind.storedAs.toStorage(object) : object;
  return endsHere(kind, stored, entry.object) ? { object: null, last: stored } : { object: stored };
}

export async function updateObject(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  body: Body,
  only: Preconditions,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'update');
  // Decoding and preparing change the value, and each further attempt needs its own; it warned at the first.
  const json = body.json ?? JSON.stringify(body.value);
  const again: RequestContext = { ...context, warnings: [] };
  const decode = (asked: RequestContext, value: Body['value']): KubeObject => {
    const object = decodeObject(asked, target.kind, value, body);
    checkNamedAs(object, target);
    return object;
  };
  let first: KubeObject | null = decode(context, body.value);
  const meansOne = Boolean(first.metadata.uid || only.uid || only.resourceVersion);
  const change = (): Promise<ObjectResult> =>
    changeObject(deps, {
      context,
      target,
      verb: 'update',
      attemptsMax: ATTEMPTS_MAX,
      decide(entry) {
        checkPreconditions(target, entry, only);
        const object = first ?? decode(again, JSON.parse(json) as Body['value']);
        first = null;
        return decideUpdate(deps, context, target, object, entry);
      },
    });
  if (!target.kind.createdByUpdate || target.subresource !== '' || meansOne) return change();
  return orCreate(change, () => {
    const value = JSON.parse(json) as JsonObject & Pick<KubeObject, 'metadata'>;
    delete value.metadata.resourceVersion;
    return createObject(deps, again, { ...target, name: '' }, { value, json: null });
  });
}
