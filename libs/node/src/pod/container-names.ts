/** Labels and annotations of sandboxes and containers: the kubelet's, so that tools that read them work here too. */
import { createHash } from 'node:crypto';
import type { Container, Pod } from './pod-types.ts';

export const LABEL = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  /** Whose pods they are, should several nodes share a runtime. */
  node: 'periplus.dev/node',
} as const;

export const ANNOTATION = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  podGraceSeconds: 'io.kubernetes.pod.terminationGracePeriod',
} as const;

/** Changes when a container has to be replaced. Only the image of a container may change while its pod lives. */
export const containerHash = (container: Container): string =>
  createHash('sha256')
    .update(JSON.stringify([container.name, container.image]))
    .digest('hex')
    .slice(0, 8);

export const podLabels = ({ metadata, spec }: Pod): Record<string, string> => ({
  [LABEL.node]: spec.nodeName ?? '',
  [LABEL.podName]: metadata.name,
  [LABEL.podNamespace]: metadata.namespace,
  [LABEL.podUid]: metadata.uid,
});
