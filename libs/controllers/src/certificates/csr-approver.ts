import { type CertificateSigningRequest, certificateSigningRequest } from '@periplus/api';
import { conditionOf } from '@periplus/apimachinery';
import { defineController, idle, type Plan } from '@periplus/reconcile';
import { ANSWER_SOON_MS } from '../enquiry.ts';
import type { CertificateEnquiries } from './certificate-enquiries.ts';
import { KUBELET_CLIENT_SIGNER, kubeletClient } from './signers.ts';

/** Whoever may not have his certificate now may be allowed it later. */
const REFUSED_MS = 60_000;

const soon: Plan = { steps: [], lookAgainMs: ANSWER_SOON_MS };

type Wanted = { subresource: string; message: string };

const ITS_OWN: Wanted = {
  subresource: 'selfnodeclient',
  message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
};
const ANY: Wanted = {
  subresource: 'nodeclient',
  message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
};

/**
 * Approves what nodes ask for to log in with, when they may: those that join (`nodeclient`), and those that renew their
 * own (`selfnodeclient`). https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#approval
 */
export const csrApprover = ({ readRequest, mayCreate }: Pick<CertificateEnquiries, 'readRequest' | 'mayCreate'>) =>
  defineController<CertificateSigningRequest>({
    name: 'csrapproving',
    for: certificateSigningRequest,
    reconcile({ name }, view) {
      const csr = view.get(certificateSigningRequest, '', name);
      if (!csr || csr.metadata.deletionTimestamp || csr.spec.signerName !== KUBELET_CLIENT_SIGNER) return idle;
      const { spec, status } = csr;
      const conditions = status?.conditions ?? [];
      if (status?.certificate || ['Approved', 'Denied'].some((type) => conditionOf(conditions, type))) return idle;
      const { uid = '', resourceVersion: ifResourceVersion } = csr.metadata;
      const request = readRequest(uid, spec.request);
      if (!request) return soon;
      if (kubeletClient(request, spec.usages ?? []) !== undefined) return idle;
      for (const { subresource, message } of spec.username === request.commonName ? [ITS_OWN, ANY] : [ANY]) {
        const allowed = mayCreate(`${uid}/${subresource}`, { spec, subresource });
        if (allowed === undefined) return soon;
        if (!allowed) continue;
        const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message };
        return {
          steps: [
            [
              {
                ...{ verb: 'patch', type: 'merge', kind: certificateSigningRequest, namespace: '', name },
                ...{ subresource: 'approval', ifResourceVersion },
                patch: { status: { conditions: [...conditions, approved] } },
              },
            ],
          ],
        };
      }
      return { steps: [], lookAgainMs: REFUSED_MS };
    },
  });
