import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { KindRegistry } from '@periplus/api';
import { badRequest, StatusError } from '@periplus/apimachinery';
import type { Authenticator, RequestContext, Target, User } from '@periplus/operations';
import type { apiProto } from '@periplus/proto';

export type Ref = apiProto.api.v1.ResourceRef.$Properties;
type Cause = apiProto.store.v1.Cause.$Properties;

type AnyCall = ServerUnaryCall<never, never> | ServerWritableStream<never, never> | ServerDuplexStream<never, never>;

/** Who calls. TLS has refused everyone without a certificate of the cluster's authority. */
export function callerOf(call: Pick<AnyCall, 'getAuthContext'>, authenticator: Authenticator): User | Promise<User> {
  const certificate = call.getAuthContext().sslPeerCertificate ?? null;
  return authenticator.authenticate({
    certificate: certificate as ReturnType<TLSSocket['getPeerCertificate']> | null,
    bearerToken: null,
  });
}

/** What REST's addresses can't hold. Throws BadRequest. */
export function checkPathSegment(what: 'name' | 'namespace', value: string): void {
  if (value.includes('/')) throw badRequest(`invalid resource ${what} ${JSON.stringify(value)}: [may not contain '/']`);
}

/** Throws NotFound for a resource that is not served, BadRequest for a reference without one. */
export function targetOf(kinds: KindRegistry, ref: Ref | null | undefined): Target {
  if (!ref?.resource) throw badRequest('ref.resource is required');
  const kind = kinds.byResource(ref.group ?? '', ref.version ?? '', ref.resource);
  if (!kind) throw new StatusError('NotFound', 'the server could not find the requested resource');
  checkPathSegment('name', ref.name ?? '');
  checkPathSegment('namespace', ref.namespace ?? '');
  return {
    kind,
    namespace: kind.namespaced ? (ref.namespace ?? '') : '',
    name: ref.name ?? '',
    subresource: ref.subresource ?? '',
  };
}

/** Programs go by who they are: `kube-scheduler`, and on all nodes `kubelet`, as in Kubernetes. */
const managerOf = ({ name }: User): string =>
  name.startsWith('system:node:') ? 'kubelet' : name.slice(name.lastIndexOf(':') + 1);

interface WriteRequest {
  readonly cause?: Cause | null;
  readonly dryRun?: boolean | null;
  readonly fieldManager?: string | null;
}

export const contextOf = (user: User, { cause, dryRun, fieldManager }: WriteRequest = {}): RequestContext => ({
  user,
  requestId: randomUUID(),
  cause: cause
    ? { key: cause.key ?? '', resourceVersion: cause.resourceVersion ?? '', reconciler: cause.reconciler ?? '' }
    : null,
  dryRun: dryRun ?? false,
  fieldManager: fieldManager || managerOf(user),
  // A program has no use for warnings: what the server would drop is an error.
  fieldValidation: 'Strict',
  warnings: [],
  nowMs: Date.now(),
});
