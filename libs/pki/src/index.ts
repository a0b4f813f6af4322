/** Certificates (`certificate.ts`), requests for them and what answers these, the files of a cluster (`cluster-pki.ts`) and kubeconfigs. */
export { createAuthority, issueCertificate, type KeyPair, type LeafRequest, type Subject } from './certificate.ts';
export { type CertificateRequest, readCertificateRequest } from './certificate-request.ts';
export { type ClusterPkiOptions, ensureClusterPki } from './cluster-pki.ts';
export { type KubeconfigParts, kubeconfig } from './kubeconfig.ts';
export { type SigningTerms, signRequest } from './sign-request.ts';
