import { type PersistentVolume, SECRET_SOURCES } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

interface Reference {
  readonly namespace: string;
  readonly name: string;
}

/** What of a CSI volume's secrets is the node's business; the others are its controller's. */
const CSI_NODE_SECRETS = ['nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef'] as const;

/** The Secrets that a node needs in order to mount the volume. Older volumes mean the namespace of their claim. */
export function volumeSecrets({ spec }: DeepReadonly<PersistentVolume>): Reference[] {
  const home = spec?.claimRef?.namespace ?? '';
  const found: Reference[] = [];
  for (const source of SECRET_SOURCES) {
    const { name, namespace } = spec?.[source]?.secretRef ?? {};
    if (name) found.push({ name, namespace: namespace || home });
  }
  const { secretName, secretNamespace } = spec?.azureFile ?? {};
  if (secretName) found.push({ name: secretName, namespace: secretNamespace || home });
  for (const which of CSI_NODE_SECRETS) {
    const { name, namespace } = spec?.csi?.[which] ?? {};
    if (name) found.push({ name, namespace: namespace ?? '' });
  }
  return found;
}
