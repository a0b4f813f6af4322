import type { PolicyRule } from '../authorization/policy-rules.ts';
import { named, READ, rule } from './rules.ts';

const GROUP = 'certificates.k8s.io';
const REQUESTS = 'certificatesigningrequests';

/** By signer. */
const APPROVERS = {
  'kubernetes.io/kube-apiserver-client': 'kube-apiserver-client-approver',
  'kubernetes.io/kube-apiserver-client-kubelet': 'kube-apiserver-client-kubelet-approver',
  'kubernetes.io/kubelet-serving': 'kubelet-serving-approver',
  'kubernetes.io/legacy-unknown': 'legacy-unknown-approver',
};

/** What the controllers of certificates approve by themselves, and sign. */
export const SIGNER_RULES: readonly PolicyRule[] = [
  named('kubernetes.io/kube-apiserver-client-kubelet', rule(['approve'], GROUP, 'signers')),
  { ...rule(['sign'], GROUP, 'signers'), resourceNames: Object.keys(APPROVERS) },
];

/** For those who ask for certificates and those who approve them. Nobody is bound to them. */
export const CERTIFICATE_ROLES = [
  { name: 'system:node-bootstrapper', rules: [rule(['create', ...READ], GROUP, REQUESTS)] },
  ...['nodeclient', 'selfnodeclient'].map((part) => ({
    name: `system:${GROUP}:${REQUESTS}:${part}`,
    rules: [rule(['create'], GROUP, `${REQUESTS}/${part}`)],
  })),
  ...Object.entries(APPROVERS).map(([signer, role]) => ({
    name: `system:${GROUP}:${role}`,
    rules: [named(signer, rule(['approve'], GROUP, 'signers'))],
  })),
];
