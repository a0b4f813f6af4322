import { type CertificateSigningRequest, type SubjectAccessReview, subjectAccessReview } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { ResourceClient } from '@periplus/client';
import type { CertificateRequest, KeyPair, SigningTerms } from '@periplus/pki';
import { type Enquiry, enquiry } from '../enquiry.ts';

/** Who asked for a certificate, and for which use of this API he needs a permission. */
export interface AccessQuestion {
  spec: DeepReadonly<CertificateSigningRequest['spec']>;
  /** Of certificatesigningrequests: "nodeclient". */
  subresource: string;
}

/** What the controllers of certificates ask for. Keys are uids of requests. */
export interface CertificateEnquiries {
  /** Of a request in PEM, base64. */
  readRequest: Enquiry<string, CertificateRequest>;
  mayCreate: Enquiry<AccessQuestion, boolean>;
  /** A certificate in PEM for the request, base64. Null: nobody signs here. */
  sign: Enquiry<SigningTerms & { request: string }, string> | null;
}

const pemOf = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

async function mayCreate(resources: ResourceClient, { spec, subresource }: AccessQuestion): Promise<boolean> {
  const { username: user = '', uid, groups, extra } = spec;
  const attributes = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create' };
  const object = {
    ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {} },
    spec: {
      ...{ user, ...(uid && { uid }), ...(groups && { groups }), ...(extra && { extra }) },
      resourceAttributes: { ...attributes, subresource },
    },
  };
  const review = await resources.execute<SubjectAccessReview>({
    ...{ verb: 'create', kind: subjectAccessReview, namespace: '', name: '', object },
  });
  return review.status?.allowed === true;
}

/** Asks the api-server who may do what, and signs with the key of `authority` (null: there is none). */
export const certificateEnquiries = (resources: ResourceClient, authority: KeyPair | null): CertificateEnquiries => ({
  // Few clusters see requests often, and the library takes a while to load.
  readRequest: enquiry(async (request) => (await import('@periplus/pki')).readCertificateRequest(pemOf(request))),
  mayCreate: enquiry((question) => mayCreate(resources, question)),
  sign:
    authority &&
    enquiry(async ({ request, ...terms }) => {
      const { signRequest } = await import('@periplus/pki');
      return Buffer.from(await signRequest(authority, pemOf(request), terms)).toString('base64');
    }),
});
