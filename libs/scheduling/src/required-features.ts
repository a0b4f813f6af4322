import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-all-containers */
const RESTARTS_ALL = ['RestartAllContainersOnContainerExits'];

/**
 * What a node has to say in `status.declaredFeatures` before it gets the pod; null for nothing, as for most. Of the
 * features that nodes of Kubernetes 1.36 declare, others matter only to pods that are there already.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-declared-features/
 */
export function requiredFeatures({ containers, initContainers }: DeepReadonly<Pod>['spec']): readonly string[] | null {
  const restartsAll = ({ restartPolicyRules }: (typeof containers)[number]): boolean =>
    restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') ?? false;
  return containers.some(restartsAll) || initContainers?.some(restartsAll) ? RESTARTS_ALL : null;
}
