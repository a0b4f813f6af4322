import { X509Certificate } from 'node:crypto';
import { type CertificateSigningRequest, certificateSigningRequest } from '@periplus/api';
import { conditionOf, type DeepReadonly, parseTime } from '@periplus/apimachinery';
import { defineController, idle } from '@periplus/reconcile';

/** As kube-controller-manager: whoever asked has fetched his certificate, or read why there is none, by then. */
const SETTLED_MS = 3_600_000;
/** How long a request waits for somebody to decide on it. */
const PENDING_MS = 24 * 3_600_000;

type Request = DeepReadonly<CertificateSigningRequest>;

const expiryMs = (certificate: string): number | undefined => {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo);
  } catch {
    return undefined; // Not ours to mend: it goes when its time as an approved request is over.
  }
};

/** When a request has outlived its use, milliseconds since the epoch. */
function dueMs({ metadata, status }: Request): number {
  const createdMs = parseTime(metadata.creationTimestamp ?? '') ?? 0;
  const decided = ['Approved', 'Denied', 'Failed'].flatMap((type) => conditionOf(status?.conditions, type) ?? []);
  if (decided.length === 0) return createdMs + PENDING_MS;
  const since = decided.map(({ lastUpdateTime }) => parseTime(lastUpdateTime ?? '') ?? createdMs);
  const expiry = status?.certificate ? expiryMs(status.certificate) : undefined;
  return Math.min(Math.min(...since) + SETTLED_MS, expiry ?? Number.POSITIVE_INFINITY);
}

/**
 * Removes requests for certificates that nobody looks at any more.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#request-signing-process
 */
export const csrCleaner = defineController<CertificateSigningRequest>({
  name: 'csrcleaner',
  for: certificateSigningRequest,
  reconcile({ name }, view) {
    const request = view.get(certificateSigningRequest, '', name);
    if (!request || request.metadata.deletionTimestamp) return idle;
    const leftMs = dueMs(request) - view.nowMs;
    if (leftMs > 0) return { steps: [], lookAgainMs: leftMs };
    const { uid: ifUid } = request.metadata;
    return { steps: [[{ verb: 'delete', kind: certificateSigningRequest, namespace: '', name, ifUid }]] };
  },
});
