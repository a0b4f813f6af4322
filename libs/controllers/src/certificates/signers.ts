import type { CertificateRequest } from '@periplus/pki';

/** What is wrong with a request by the rules of its signer; undefined when nothing is. */
type Rule = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';

const NODES = 'system:nodes';
const NODE = 'system:node:';

const isSame = (usages: readonly string[], wanted: readonly string[]): boolean =>
  usages.length === wanted.length && wanted.every((usage) => usages.includes(usage));

/** Only keys of RSA can encipher other keys, so that use may be left out. */
function nodeUsages(usages: readonly string[], purpose: string): string | undefined {
  const wanted = ['digital signature', 'key encipherment', purpose];
  if (isSame(usages, wanted) || isSame(usages, ['digital signature', purpose])) return undefined;
  return `usages did not match [${wanted.toSorted().join(' ')}]`;
}

const notOfNodes = ({ organizations }: CertificateRequest): string | undefined =>
  isSame(organizations, [NODES]) ? undefined : `subject organization is not ${NODES}`;

const notNamedAsNode = ({ commonName }: CertificateRequest): string | undefined =>
  commonName.startsWith(NODE) ? undefined : `subject common name does not begin with ${NODE}`;

const unwanted = (names: readonly string[], what: string): string | undefined =>
  names.length > 0 ? `${what} subjectAltNames are not allowed` : undefined;

export const kubeletClient: Rule = (request, usages) =>
  notOfNodes(request) ??
  unwanted(request.dnsNames, 'DNS') ??
  unwanted(request.emailAddresses, 'Email') ??
  unwanted(request.ipAddresses, 'IP') ??
  unwanted(request.uris, 'URI') ??
  notNamedAsNode(request) ??
  nodeUsages(usages, 'client auth');

const kubeletServing: Rule = (request, usages) =>
  notOfNodes(request) ??
  (request.dnsNames.length + request.ipAddresses.length > 0 ? undefined : 'DNS or IP subjectAltName is required') ??
  unwanted(request.emailAddresses, 'Email') ??
  unwanted(request.uris, 'URI') ??
  nodeUsages(usages, 'server auth') ??
  notNamedAsNode(request);

const apiServerClient: Rule = (_request, usages) => {
  const other = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
};

/** https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers */
export const SIGNERS: Readonly<Record<string, Rule>> = {
  'kubernetes.io/kube-apiserver-client': apiServerClient,
  [KUBELET_CLIENT_SIGNER]: kubeletClient,
  'kubernetes.io/kubelet-serving': kubeletServing,
  'kubernetes.io/legacy-unknown': () => undefined,
};
