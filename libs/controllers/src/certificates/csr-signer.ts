import { type CertificateSigningRequest, certificateSigningRequest } from '@periplus/api';
import { conditionOf, isConditionTrue } from '@periplus/apimachinery';
import { defineController, idle, type Plan } from '@periplus/reconcile';
import { ANSWER_SOON_MS } from '../enquiry.ts';
import { setStatusOfVersion } from '../status-change.ts';
import type { CertificateEnquiries } from './certificate-enquiries.ts';
import { SIGNERS } from './signers.ts';

/** Machines whose clocks differ a little accept a fresh certificate; shorter than the shortest that may be asked for. */
const BACKDATE_MS = 300_000;
/** Below this what is backdated would be missed: the certificate ends when it was asked to. */
const SHORT_MS = 8 * 3_600_000;
const LIFE_MS_MIN = 600_000;

const soon: Plan = { steps: [], lookAgainMs: ANSWER_SOON_MS };

export interface SigningSettings {
  /** How long certificates are good for that were asked for no shorter. */
  lifeMs: number;
}

/** From when to when a certificate is good. */
function validity(expirationSeconds: number | undefined, { lifeMs }: SigningSettings, nowMs: number) {
  const asked = expirationSeconds === undefined ? lifeMs : Math.max(expirationSeconds * 1_000, LIFE_MS_MIN);
  const life = Math.min(asked, lifeMs);
  return { nowMs, notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: nowMs + life - (life < SHORT_MS ? 0 : BACKDATE_MS) };
}

/**
 * Gives approved requests their certificates, signed by the cluster's own authority, or says what is wrong with them.
 * Signers that are none of Kubernetes' are somebody else's.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#signer-control-plane
 */
export const csrSigner = (
  {
    readRequest,
    sign,
  }: Pick<CertificateEnquiries, 'readRequest'> & { sign: NonNullable<CertificateEnquiries['sign']> },
  settings: SigningSettings,
) =>
  defineController<CertificateSigningRequest>({
    name: 'csrsigning',
    for: certificateSigningRequest,
    reconcile({ name }, view) {
      const csr = view.get(certificateSigningRequest, '', name);
      const rule = csr && SIGNERS[csr.spec.signerName];
      if (!rule || csr.metadata.deletionTimestamp) return idle;
      const { spec, status } = csr;
      const { conditions = [], certificate } = status ?? {};
      const refused = conditionOf(conditions, 'Denied') ?? (isConditionTrue(conditions, 'Failed') || undefined);
      if (certificate || refused || !conditionOf(conditions, 'Approved')) return idle;
      const { uid = '' } = csr.metadata;
      const { request, usages = [] } = spec;
      const read = readRequest(uid, request);
      if (!read) return soon;
      const problem = rule(read, usages);
      if (problem !== undefined) {
        const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: problem };
        const wanted = { ...status, conditions: [...conditions, failed] };
        return { steps: [setStatusOfVersion(certificateSigningRequest, csr, wanted)] };
      }
      const terms = { ...validity(spec.expirationSeconds, settings, view.nowMs), usages };
      const signed = sign(uid, { request, ...terms });
      if (!signed) return soon;
      return {
        steps: [setStatusOfVersion(certificateSigningRequest, csr, { ...status, certificate: signed })],
      };
    },
  });
