import { type Pod, resourceClaimNameOf } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** A claim of devices that a pod names. */
export interface PodClaim {
  /** `<namespace>/<name>`; null: it is made of a template, which did not happen yet. */
  readonly key: string | null;
  /** It is made for the pod: it must be its own, not somebody else's of the same name. */
  readonly isMade: boolean;
}

/** A pod that asks for devices. */
export interface DeviceUser {
  readonly pod: Pick<DeepReadonly<Pod>['metadata'], 'namespace' | 'name' | 'uid'>;
  readonly claims: readonly PodClaim[];
}

/** `<namespace>/<name>` of a claim. */
export const deviceClaimKey = (namespace: string | undefined, name: string | undefined): string =>
  `${namespace}/${name}`;

/** Null: it asks for none. A template of which the pod needs no claim leaves none. */
export function deviceUser(pod: DeepReadonly<Pod>): DeviceUser | null {
  const { metadata, spec } = pod;
  if (!spec.resourceClaims?.length) return null;
  const { namespace, name, uid } = metadata;
  const claims = spec.resourceClaims.flatMap((one): PodClaim[] => {
    const isMade = one.resourceClaimName === undefined;
    const of = resourceClaimNameOf(pod, one);
    if (of === null) return [];
    return [{ key: of === undefined ? null : deviceClaimKey(namespace, of), isMade }];
  });
  return { pod: { namespace, name, uid }, claims };
}
