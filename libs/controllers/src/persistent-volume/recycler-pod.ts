import type { Pod } from '@periplus/api';
import { parseQuantity } from '@periplus/apimachinery';
import type { Volume } from './claim-index.ts';

export interface RecyclerSettings {
  /** What recycler pods run: an image with `/bin/sh`, `find`, `ls` and `test`. */
  image: string;
}

export const RECYCLER_NAMESPACE = 'default';
const NAME_PREFIX = 'recycler-for-';
const MOUNT_PATH = '/scrub';
/** Succeeds once nothing is left in the volume, hidden files included. */
const SCRUB = `test -e ${MOUNT_PATH} && find ${MOUNT_PATH} -mindepth 1 -delete && test -z "$(ls -A ${MOUNT_PATH})" || exit 1`;

/** kube-controller-manager's --pv-recycler-(minimum-timeout|timeout-increment)-(hostpath|nfs). */
const SECONDS_MIN = { hostPath: 60, nfs: 300 };
const SECONDS_PER_GIB = 30;
const GIB = 2 ** 30;

export const recyclerName = (volume: string): string => `${NAME_PREFIX}${volume}`;

/** The volume that a pod of this name recycles, if it does. */
export const recycledBy = (pod: string): string | undefined =>
  pod.startsWith(NAME_PREFIX) ? pod.slice(NAME_PREFIX.length) : undefined;

type Source = Pick<NonNullable<Pod['spec']['volumes']>[number], 'hostPath' | 'nfs'>;

/** Only directories can be recycled; undefined for anything else. */
function sourceOf({ spec: { hostPath, nfs } }: Volume): { source: Source; secondsMin: number } | undefined {
  if (hostPath) return { source: { hostPath: { path: hostPath.path, type: '' } }, secondsMin: SECONDS_MIN.hostPath };
  if (nfs) return { source: { nfs: { server: nfs.server, path: nfs.path } }, secondsMin: SECONDS_MIN.nfs };
  return undefined;
}

const deadlineSeconds = ({ spec }: Volume, secondsMin: number): number =>
  Math.max(secondsMin, Math.floor(parseQuantity(spec.capacity?.storage ?? 0).value() / GIB) * SECONDS_PER_GIB);

/**
 * The pod that empties a volume; undefined for volumes that nobody can empty. It runs where the volume is, if only
 * some nodes have it: elsewhere the path is another directory. It goes with the volume.
 */
export function recyclerPod(volume: Volume, { image }: RecyclerSettings): Pod | undefined {
  const found = sourceOf(volume);
  if (!found) return undefined;
  const { name = '', uid = '' } = volume.metadata;
  const required = volume.spec.nodeAffinity?.required;
  return structuredClone({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ namespace: RECYCLER_NAMESPACE, name: recyclerName(name) },
      ownerReferences: [{ apiVersion: 'v1', kind: 'PersistentVolume', name, uid }],
    },
    spec: {
      activeDeadlineSeconds: deadlineSeconds(volume, found.secondsMin),
      restartPolicy: 'Never',
      // It asks the cluster for nothing.
      automountServiceAccountToken: false,
      ...(required && {
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
      }),
      volumes: [{ name: 'vol', ...found.source }],
      containers: [
        {
          ...{ name: 'pv-recycler', image, command: ['/bin/sh'], args: ['-c', SCRUB] },
          volumeMounts: [{ name: 'vol', mountPath: MOUNT_PATH }],
        },
      ],
    },
  }) as Pod;
}
