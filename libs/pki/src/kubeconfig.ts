import { stringify } from 'yaml';

export interface KubeconfigParts {
  /** Names the cluster, the user and the context. */
  name: string;
  /** `https://host:port`. */
  server: string;
  authority: string;
  client: { cert: string; key: string };
}

const base64 = (pem: string): string => Buffer.from(pem).toString('base64');

/** A kubeconfig with one context, everything embedded. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function kubeconfig({ name, server, authority, client }: KubeconfigParts): string {
  const user = `${name}-admin`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      { name: user, user: { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) } },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
    preferences: {},
  });
}
