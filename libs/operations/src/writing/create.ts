import { type Service, service } from '@periplus/api';
import {
  alreadyExists,
  FieldPath,
  generateNameConflict,
  invalid,
  type KubeObject,
  StatusError,
} from '@periplus/apimachinery';
import { WriteConflict } from '@periplus/store';
import type { AdmissionChain } from '../admission/admission.ts';
import { runSteps, type Step } from '../chain.ts';
import { type ClusterState, namedResource, storageKind } from '../cluster-state.ts';
import type { Body, ObjectResult, RequestContext, Target } from '../types.ts';
import type { Committer } from './committer.ts';
import { decodeObject } from './decode.ts';
import { type Manage, managedByUpdate } from './field-managers.ts';
import { generatedName } from './generated-name.ts';
import { dropRepeatedOwners, fillNewMetadata, settleNamespace } from './metadata.ts';
import { type AllocationDeps, allocate, alreadyAllocated, type Choice } from './service-allocation.ts';
import type { Turns } from './turns.ts';

/** As often a generated name is made anew. https://kep.k8s.io/4420 */
const NAMES_MAX = 8;
/** As often an address or port that we chose may turn out to be taken meanwhile. */
const CHOICES_MAX = 32;
const RETRY_SECONDS = 1;

export const ROOT = new FieldPath();

/** What all changes need. */
export interface WriteDeps {
  cluster: ClusterState;
  committer: Pick<Committer, 'commit'>;
  turns: Pick<Turns, 'take'>;
  admission: AdmissionChain;
  allocation: AllocationDeps;
  /** Throws Forbidden. */
  authorize(context: RequestContext, target: Target, verb: string): void;
}

/** A create on its way through the chain. */
interface Creation {
  readonly deps: WriteDeps;
  readonly context: RequestContext;
  readonly target: Target;
  readonly body: Body;
  readonly manage: Manage;
  /** In the form that was asked for. */
  object: KubeObject;
  /** Its name is ours, so that it may be another. */
  isNamedByUs: boolean;
  result: ObjectResult | null;
}

const authorize: Step<Creation> = ({ deps, context, target }) => deps.authorize(context, target, 'create');

const decode: Step<Creation> = (creation) => {
  const { context, target, body } = creation;
  creation.object = decodeObject(context, target.kind, body.value, body);
};

const name: Step<Creation> = (creation) => {
  const { context, target, object } = creation;
  const { metadata } = object;
  settleNamespace(metadata, target);
  dropRepeatedOwners(object, context.warnings);
  if (metadata.resourceVersion) {
    throw new StatusError('BadRequest', 'resourceVersion should not be set on objects to be created');
  }
  creation.isNamedByUs = Boolean(metadata.generateName) && !metadata.name;
  if (creation.isNamedByUs) {
    metadata.name = generatedName(metadata.generateName!);
    // Some defaults follow from the name.
    target.kind.setDefaults(object);
  }
};

/** Before admission: what that fills in is nobody's. */
const manage: Step<Creation> = ({ manage, object }) => manage(object, null);

const admit: Step<Creation> = ({ deps, context, target, object }) =>
  deps.admission.admit({
    operation: 'create',
    context,
    target,
    name: object.metadata.name ?? '',
    object,
    old: null,
  });

const prepare: Step<Creation> = ({ context, target, object }) => {
  fillNewMetadata(object, context.nowMs);
  target.kind.prepareForCreate(object);
};

const validate: Step<Creation> = ({ context, target, object }) => {
  const errors = target.kind.validate(object, ROOT);
  if (errors.length > 0) throw invalid(target.kind, object.metadata.name ?? '', errors);
  context.warnings.push(...target.kind.warnings(object, null, ROOT));
};

const review: Step<Creation> = ({ deps, context, target, object }) =>
  deps.admission.review({ operation: 'create', context, target, name: object.metadata.name!, object, old: null });

const commit: Step<Creation> = async (creation) => {
  const { deps, context, target } = creation;
  const { kind } = target;
  const allocates = kind === (service as unknown);
  let names = 1;
  for (let attempt = 0; ; attempt++) {
    const { object } = creation;
    const stored = kind.storedAs ? kind.storedAs.toStorage(object) : object;
    const choices = allocates ? allocate(object as Service, null, deps.allocation) : [];
    try {
      creation.result = await deps.committer.commit({ context, verb: 'create', kind, old: null, object: stored });
      return;
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      await deps.cluster.reach(error.revision);
      if (error.companion !== null) {
        release(object as Service, choices, error.companion, attempt);
      } else if (creation.isNamedByUs && names < NAMES_MAX) {
        names++;
        object.metadata.name = generatedName(object.metadata.generateName!);
        for (const choice of choices) choice.undo();
      } else throw exists(creation);
    }
  }
};

/** Lets go of what somebody else took first, so that the next attempt chooses again. Throws when it was not our choice. */
export function release(object: Service, choices: readonly Choice[], path: string, attempt: number): void {
  if (attempt >= CHOICES_MAX || !choices.some((choice) => choice.path === path)) throw alreadyAllocated(object, path);
  for (const choice of choices) choice.undo();
}

function exists({ deps, target, object, isNamedByUs }: Creation): StatusError {
  const { kind } = target;
  const of = namedResource(kind);
  const objectName = object.metadata.name!;
  if (isNamedByUs) return generateNameConflict(of, objectName, RETRY_SECONDS);
  const error = alreadyExists(of, objectName);
  const existing = deps.cluster.entry(kind, object.metadata.namespace ?? '', objectName);
  if (!existing?.object.metadata.deletionTimestamp) return error;
  return new StatusError(error.reason, `object is being deleted: ${error.message}`, error.details);
}

/** The chain of a create. The user was authenticated before; each step may refuse. */
const CREATE: readonly Step<Creation>[] = [authorize, decode, name, manage, admit, prepare, validate, review, commit];

export async function createObject(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  body: Body,
  manage: Manage = managedByUpdate(context, target),
): Promise<ObjectResult> {
  const object = { apiVersion: '', kind: '', metadata: {} };
  const creation: Creation = { deps, context, target, body, manage, object, isNamedByUs: false, result: null };
  await runSteps(CREATE, creation);
  // Who deletes or makes a namespace expects the next request to know.
  if (storageKind(target.kind).plural === 'namespaces') await deps.cluster.reach(creation.result!.revision);
  return creation.result!;
}
