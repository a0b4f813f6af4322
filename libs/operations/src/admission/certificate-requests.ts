import { type CertificateSigningRequest, certificateSigningRequest, sameValue } from '@periplus/api';
import { at, type DeepReadonly, formatTime, invalid } from '@periplus/apimachinery';
import type { Authorizer } from '../types.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';

type Request = DeepReadonly<CertificateSigningRequest>;

const GROUP = 'certificates.k8s.io';
/** Its certificates are users of this API. */
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const SUPERUSERS = 'system:masters';

const isRequest = (kind: unknown): boolean => kind === certificateSigningRequest;

/** Who asks is who sent it, and when somebody decides is now: what a kind by itself cannot know. */
export const certificateRequests: Admission = {
  name: 'CertificateSigningRequests',
  handles: ({ kind, subresource }, operation) =>
    isRequest(kind) && (operation === 'create' || (operation === 'update' && subresource !== '')),
  admit({ operation, object, old, context }) {
    const { spec, status } = object as CertificateSigningRequest;
    if (operation === 'create') {
      const { name, uid, groups, extra } = context.user;
      for (const member of ['username', 'uid', 'groups', 'extra'] as const) delete spec[member];
      spec.username = name;
      if (uid) spec.uid = uid;
      if (groups.length > 0) spec.groups = [...groups];
      if (Object.keys(extra).length > 0) spec.extra = structuredClone(extra) as Record<string, string[]>;
      return;
    }
    const now = formatTime(context.nowMs);
    for (const condition of status?.conditions ?? []) {
      const before = (old as Request).status?.conditions?.find(
        ({ type, status: was }) => type === condition.type && was === condition.status,
      );
      condition.lastUpdateTime ??= now;
      condition.lastTransitionTime ??= before?.lastTransitionTime ?? now;
    }
  },
  /** A request that cannot be read, or that its sender has no key for, is refused; so are superusers by certificate. */
  async review(request) {
    if (request.operation !== 'create') return;
    const { spec } = request.object as CertificateSigningRequest;
    const pem = Buffer.from(spec.request ?? '', 'base64').toString('latin1');
    // Few servers ever see a request, and the library takes a while to load.
    const { readCertificateRequest } = await import('@periplus/pki');
    const read = await readCertificateRequest(pem).catch((error: Error) => {
      throw invalid(request.target.kind, request.name, [
        at('spec', 'request').invalid(spec.request ?? '', error.message),
      ]);
    });
    if (spec.signerName !== CLIENT_SIGNER || !read.organizations.includes(SUPERUSERS)) return;
    throw refused(request, `use of ${CLIENT_SIGNER} signer with ${SUPERUSERS} group is not allowed`);
  },
};

/** Whether the user may do so for the signer, or for all signers of its domain. */
function maySign(authorizer: Authorizer, { context }: AdmissionRequest, verb: string, signerName: string): boolean {
  const domain = signerName.slice(0, signerName.indexOf('/'));
  return [signerName, `${domain}/*`].some(
    (name) =>
      authorizer.decide(context.user, {
        ...{ isResource: true, verb, group: GROUP, version: '*', resource: 'signers', name },
        ...{ subresource: '', namespace: '', path: '' },
      }).allowed,
  );
}

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#certificateapproval */
export const certificateApproval = (authorizer: Authorizer): Admission => ({
  name: 'CertificateApproval',
  handles: ({ kind, subresource }, operation) =>
    isRequest(kind) && subresource === 'approval' && operation === 'update',
  review(request) {
    const { signerName } = (request.object as CertificateSigningRequest).spec;
    if (maySign(authorizer, request, 'approve', signerName)) return;
    throw refused(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`);
  },
});

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#certificatesigning */
export const certificateSigning = (authorizer: Authorizer): Admission => ({
  name: 'CertificateSigning',
  handles: ({ kind, subresource }, operation) => isRequest(kind) && subresource === 'status' && operation === 'update',
  review(request) {
    const { status } = request.object as CertificateSigningRequest;
    const { status: before, spec } = request.old as Request;
    if (sameValue(status?.certificate, before?.certificate) && sameValue(status?.conditions, before?.conditions))
      return;
    if (maySign(authorizer, request, 'sign', spec.signerName)) return;
    throw refused(request, `user not permitted to sign requests with signerName ${JSON.stringify(spec.signerName)}`);
  },
});
