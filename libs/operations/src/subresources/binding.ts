import { type Kind, type Pod, pod } from '@periplus/api';
import {
  at,
  badRequest,
  conflict,
  type DeepReadonly,
  dns1123Subdomain,
  type FieldError,
  formatTime,
  invalid,
  type KubeObject,
} from '@periplus/apimachinery';
import type { Body, ObjectResult, RequestContext, Target } from '../types.ts';
import { ATTEMPTS_MAX, changeObject, checkPreconditions } from '../writing/change.ts';
import { resultOf } from '../writing/committer.ts';
import type { WriteDeps } from '../writing/create.ts';
import { decodeBody } from '../writing/decode.ts';
import { checkNamedAs } from '../writing/metadata.ts';
import { bindingBody } from './body-schemas.ts';

/** What becomes of a pod that is bound: its node, and what the binding adds to its metadata. */
export interface Bound {
  readonly node: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}

function validate({ target, metadata }: Binding): void {
  const errors: FieldError[] = [];
  const place = at('target');
  if (target?.kind && target.kind !== 'Node') {
    errors.push(place.child('kind').notSupported(target.kind, ['Node', '<empty>']));
  }
  if (!target?.name) errors.push(place.child('name').required());
  else
    for (const problem of dns1123Subdomain(target.name)) errors.push(place.child('name').invalid(target.name, problem));
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, metadata.name ?? '', errors);
}

/** Throws Conflict when the pod cannot be given to a node. */
export function checkUnbound({ metadata, spec }: DeepReadonly<Pod>): void {
  const { name } = metadata;
  const refuse = (why: string): never => {
    throw conflict({ group: '', resource: 'pods/binding' }, name!, why);
  };
  if (metadata.deletionTimestamp !== undefined) refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (spec.nodeName) refuse(`pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
  if (spec.schedulingGates?.length) refuse(`pod ${name} has non-empty .spec.schedulingGates`);
}

/** The pod on its node, no longer nominated for any. Shares what does not change with `old`. */
export function bound(old: DeepReadonly<Pod>, { node, labels, annotations }: Bound, nowMs: number): KubeObject {
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: formatTime(nowMs),
    ...(old.metadata.generation !== undefined && { observedGeneration: old.metadata.generation }),
  };
  const { conditions = [], nominatedNodeName: _, ...status } = old.status ?? {};
  const others = conditions.filter(({ type }) => type !== scheduled.type);
  return {
    ...old,
    metadata: {
      ...old.metadata,
      ...(annotations && { annotations: { ...old.metadata.annotations, ...annotations } }),
      ...(labels && { labels: { ...old.metadata.labels, ...labels } }),
    },
    spec: { ...old.spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  } as KubeObject;
}

const decode = (context: RequestContext, body: Body): Binding =>
  decodeBody(context, bindingBody, body.value, body) as Binding;

/** Gives a pod to a node, once and for all. Answers with a Status. */
export async function bindPod(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  body: Body,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'create');
  const binding = decode(context, body);
  binding.metadata.name ||= target.name;
  return bind(deps, context, target, binding);
}

/** The same with a Binding that alone says which pod is meant. */
export async function bindNamedPod(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  body: Body,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'create');
  const binding = decode(context, body);
  const { name } = binding.metadata;
  if (!name) throw badRequest('Name parameter required.');
  return bind(deps, context, { ...target, kind: pod as unknown as Kind, name, subresource: 'binding' }, binding);
}

async function bind(deps: WriteDeps, context: RequestContext, target: Target, binding: Binding): Promise<ObjectResult> {
  checkNamedAs(binding, target);
  validate(binding);
  const waiting = deps.admission.admit({
    operation: 'create',
    context,
    target,
    name: target.name,
    object: binding,
    old: null,
  });
  if (waiting) await waiting;
  const { uid, resourceVersion } = binding.metadata;
  const { resourceVersion: version, revision } = await changeObject(deps, {
    context,
    target: { ...target, kind: pod as unknown as Target['kind'], subresource: '' },
    verb: 'bind',
    attemptsMax: ATTEMPTS_MAX,
    decide(entry) {
      checkPreconditions(target, entry, { uid, resourceVersion });
      const old = entry.object as DeepReadonly<Pod>;
      checkUnbound(old);
      const { annotations, labels } = binding.metadata;
      return { object: bound(old, { node: binding.target!.name!, labels, annotations }, context.nowMs) };
    },
  });
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return { ...resultOf(status, '', revision, 201), resourceVersion: version };
}
