import type { DeepReadonly } from '@periplus/apimachinery';
import type { Pod } from './pod.ts';

type Spec = DeepReadonly<Pod>['spec'];
type Container = Spec['containers'][number];

/** Sources of volumes with a `secretRef`. */
export const SECRET_SOURCES = ['cephfs', 'cinder', 'flexVolume', 'rbd', 'scaleIO', 'iscsi', 'storageos'] as const;

const containersOf = (spec: Spec): readonly Container[] => [
  ...spec.containers,
  ...(spec.initContainers ?? []),
  ...((spec.ephemeralContainers ?? []) as readonly Container[]),
];

function inEnvironment(container: Container, what: 'secret' | 'configMap', name: string): boolean {
  const [key, from] =
    what === 'secret' ? (['secretKeyRef', 'secretRef'] as const) : (['configMapKeyRef', 'configMapRef'] as const);
  return (
    (container.env?.some((variable) => variable.valueFrom?.[key]?.name === name) ?? false) ||
    (container.envFrom?.some((source) => source[from]?.name === name) ?? false)
  );
}

/** The Secret that the driver of a volume logs in with. */
function secretOfSource(volume: NonNullable<Spec['volumes']>[number]): string | undefined {
  for (const source of SECRET_SOURCES) {
    const name = volume[source]?.secretRef?.name;
    if (name) return name;
  }
  return volume.azureFile?.secretName ?? volume.csi?.nodePublishSecretRef?.name;
}

function inVolumes(spec: Spec, what: 'secret' | 'configMap', name: string): boolean {
  for (const volume of spec.volumes ?? []) {
    const own = what === 'secret' ? volume.secret?.secretName : volume.configMap?.name;
    if (own === name) return true;
    if (volume.projected?.sources?.some((source) => source[what]?.name === name)) return true;
    if (what === 'secret' && secretOfSource(volume) === name) return true;
  }
  return false;
}

/** Whether the pod names this Secret or ConfigMap of its namespace: in its environment, volumes or pull secrets. */
export function references(pod: DeepReadonly<Pod>, what: 'secret' | 'configMap', name: string): boolean {
  const { spec } = pod;
  if (inVolumes(spec, what, name)) return true;
  if (what === 'secret' && spec.imagePullSecrets?.some((secret) => secret.name === name)) return true;
  return containersOf(spec).some((container) => inEnvironment(container, what, name));
}

/** Whether the pod names any object of this type. */
export function referencesAny(pod: DeepReadonly<Pod>, what: 'secret' | 'configMap'): boolean {
  const { spec } = pod;
  if (what === 'secret' && spec.imagePullSecrets?.length) return true;
  const volumes = spec.volumes ?? [];
  if (what === 'secret' && volumes.some((volume) => secretOfSource(volume) !== undefined)) return true;
  if (volumes.some((volume) => volume[what] || volume.projected?.sources?.some((source) => source[what]))) return true;
  const [key, from] =
    what === 'secret' ? (['secretKeyRef', 'secretRef'] as const) : (['configMapKeyRef', 'configMapRef'] as const);
  return containersOf(spec).some(
    (container) =>
      container.env?.some((variable) => variable.valueFrom?.[key]) || container.envFrom?.some((source) => source[from]),
  );
}
