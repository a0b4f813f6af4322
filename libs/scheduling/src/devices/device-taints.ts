import { tolerates } from '@periplus/api';
import type { Device, ExactRequest } from './resource-types.ts';

/**
 * Whether a taint of the device keeps those off that tolerate no more than this. Effects that are not known do not.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#device-taints-and-tolerations
 */
export const isRepelled = ({ taints = [] }: Device, tolerations: ExactRequest['tolerations'] = []): boolean =>
  taints.some(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
