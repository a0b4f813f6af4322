import { READ, rule } from './rules.ts';

const GROUP = 'certificates.k8s.io';
const REQUESTS = 'certificatesigningrequests';

/** For those who ask for certificates and those who approve them. Nobody is bound to them. */
export const CERTIFICATE_ROLES = [
  { name: 'system:node-bootstrapper', rules: [rule(['create', ...READ], GROUP, REQUESTS)] },
  ...['nodeclient', 'selfnodeclient'].map((part) => ({
    name: `system:${GROUP}:${REQUESTS}:${part}`,
    rules: [rule(['create'], GROUP, `${REQUESTS}/${part}`)],
  })),
  ...Object.entries({
    'kube-apiserver-client': 'kube-apiserver-client-approver',
    'kube-apiserver-client-kubelet': 'kube-apiserver-client-kubelet-approver',
    'kubelet-serving': 'kubelet-serving-approver',
    'legacy-unknown': 'legacy-unknown-approver',
  }).map(([signer, role]) => ({
    name: `system:${GROUP}:${role}`,
    rules: [{ ...rule(['approve'], GROUP, 'signers'), resourceNames: [`kubernetes.io/${signer}`] }],
  })),
];
