import { randomUUID } from 'node:crypto';
import { node, type Pod, pod, secret, serviceAccount } from '@periplus/api';
import {
  at,
  badRequest,
  conflict,
  type DeepReadonly,
  type FieldError,
  formatTime,
  invalid,
  type KubeObject,
  notFound,
  StatusError,
} from '@periplus/apimachinery';
import type { BoundObject, ServiceAccountTokens } from '../authentication/service-account-tokens.ts';
import type { ClusterState } from '../cluster-state.ts';
import type { Body, ObjectResult, RequestContext, Target } from '../types.ts';
import { resultOf } from '../writing/committer.ts';
import type { WriteDeps } from '../writing/create.ts';
import { decodeBody } from '../writing/decode.ts';
import { tokenRequestBody } from './body-schemas.ts';

interface TokenRequest extends KubeObject {
  spec: {
    audiences?: string[];
    expirationSeconds?: number;
    boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } | null;
  };
  status?: { token: string; expirationTimestamp: string };
}

const SECONDS_DEFAULT = 3_600;
/** What the volumes that admission adds to pods ask for. Programs that never look for a newer token get a year. */
const EXTENDABLE_SECONDS = 3_607;
const EXTENDED_SECONDS = 365 * 24 * 3_600;
const SECONDS_MIN = 600;
const SECONDS_MAX = 2 ** 32;

function validate({ spec }: TokenRequest): void {
  const errors: FieldError[] = [];
  const seconds = spec.expirationSeconds ?? SECONDS_DEFAULT;
  const place = at('spec', 'expirationSeconds');
  if (seconds < SECONDS_MIN) errors.push(place.invalid(seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > SECONDS_MAX) errors.push(place.invalid(seconds, 'may not specify a duration larger than 2^32 seconds'));
  if (errors.length > 0) throw invalid(tokenRequestBody, '', errors);
}

/** What the token is bound to, and the node of a pod, which it names too. */
interface Bound {
  pod: BoundObject | null;
  secret: BoundObject | null;
  node: BoundObject | null;
}

const boundTo = ({ metadata }: DeepReadonly<KubeObject>): BoundObject => ({ name: metadata.name!, uid: metadata.uid! });

async function findBound(cluster: ClusterState, { spec }: TokenRequest, target: Target): Promise<Bound> {
  const none: Bound = { pod: null, secret: null, node: null };
  const ref = spec.boundObjectRef;
  if (!ref) return none;
  const kinds = { 'v1/Pod': pod, 'v1/Secret': secret, 'v1/Node': node } as const;
  const kind = kinds[`${ref.apiVersion}/${ref.kind}` as keyof typeof kinds];
  if (!kind) {
    throw badRequest(`cannot bind token to object of type ${ref.apiVersion ?? ''}, Kind=${ref.kind ?? ''}`);
  }
  const namespace = kind.namespaced ? target.namespace : '';
  const name = ref.name ?? '';
  const found = await cluster.eventually(() => cluster.entry(kind as unknown as Target['kind'], namespace, name));
  if (!found) throw notFound({ group: '', resource: kind.plural }, name);
  const { uid } = found.object.metadata;
  if (ref.uid && ref.uid !== uid) {
    const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', resource: kind.plural }, name, why);
  }
  const bound = boundTo(found.object);
  if (kind === node) return { ...none, node: bound };
  if (kind === secret) return { ...none, secret: bound };
  if ((found.object as DeepReadonly<Pod>).spec.serviceAccountName !== target.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(target.name)} to pod running with different serviceaccount name.`,
    );
  }
  return { ...none, pod: bound, node: nodeOf(cluster, found.object as DeepReadonly<Pod>) };
}

function nodeOf(cluster: ClusterState, { spec }: DeepReadonly<Pod>): BoundObject | null {
  const found = spec.nodeName ? cluster.object(node, '', spec.nodeName) : undefined;
  return found ? boundTo(found as DeepReadonly<KubeObject>) : null;
}

/** The answer still tells the node the time that was asked for, so that it renews the token long before its end. */
const isExtendable = (
  seconds: number,
  { pod: boundPod }: Bound,
  audiences: readonly string[],
  tokens: ServiceAccountTokens,
): boolean =>
  boundPod !== null && seconds === EXTENDABLE_SECONDS && audiences.every((one) => tokens.audiences.includes(one));

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
export async function requestToken(
  deps: WriteDeps,
  tokens: ServiceAccountTokens | null,
  context: RequestContext,
  target: Target,
  body: Body,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'create');
  const request = decodeBody(context, tokenRequestBody, body.value, body) as TokenRequest;
  request.spec ??= {};
  const { cluster } = deps;
  const { namespace, name } = target;
  const account = await cluster.eventually(() => cluster.object(serviceAccount, namespace, name));
  if (!account) throw notFound({ group: '', resource: 'serviceaccounts' }, name);
  const waiting = deps.admission.admit({ operation: 'create', context, target, name, object: request, old: null });
  if (waiting) await waiting;
  validate(request);
  if (!tokens) throw new StatusError('ServiceUnavailable', 'this server has no key to sign tokens with');
  const { spec } = request;
  if (!spec.audiences?.length) spec.audiences = [...tokens.audiences];
  spec.expirationSeconds ??= SECONDS_DEFAULT;
  const bound = await findBound(cluster, request, target);
  const expiresAtMs = context.nowMs + spec.expirationSeconds * 1000;
  const isExtended = isExtendable(spec.expirationSeconds, bound, spec.audiences, tokens);
  const token = await tokens.sign({
    id: randomUUID(),
    audiences: spec.audiences,
    issuedAtMs: context.nowMs,
    expiresAtMs: isExtended ? context.nowMs + EXTENDED_SECONDS * 1000 : expiresAtMs,
    warnAfterMs: isExtended ? expiresAtMs : null,
    namespace,
    serviceAccount: boundTo(account as DeepReadonly<KubeObject>),
    ...bound,
  });
  request.metadata = { name, namespace, creationTimestamp: formatTime(context.nowMs) };
  // Go never leaves it out.
  spec.boundObjectRef ??= null;
  request.status = { token, expirationTimestamp: formatTime(expiresAtMs) };
  return resultOf(request, '', 0, 201);
}
