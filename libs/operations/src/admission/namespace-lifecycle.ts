import { namespace } from '@periplus/api';
import { forbidden, notFound, StatusError } from '@periplus/apimachinery';
import { type ClusterState, namedResource } from '../cluster-state.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';

/** What the cluster cannot do without. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);
const NAMESPACES = { group: '', resource: 'namespaces' };

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle */
export function namespaceLifecycle(cluster: ClusterState): Admission {
  const find = (name: string) => cluster.object(namespace, '', name);

  const refuseTerminating = (request: AdmissionRequest): never => {
    const { namespace: name } = request.target;
    const why = `unable to create new content in namespace ${name} because it is being terminated`;
    const { message, details } = refused(request, why);
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${name} is being terminated`,
      field: 'metadata.namespace',
    };
    throw new StatusError('Forbidden', message, { ...details, causes: [cause] });
  };

  const check = (request: AdmissionRequest, found: ReturnType<typeof find>): void => {
    if (!found) throw notFound(NAMESPACES, request.target.namespace);
    if (found.status?.phase === 'Terminating') refuseTerminating(request);
  };

  return {
    name: 'NamespaceLifecycle',
    handles: ({ kind }, operation) =>
      operation === 'create' ? kind.namespaced : operation === 'delete' && kind === (namespace as unknown),
    admit(request) {
      const { target, operation, name } = request;
      if (operation === 'delete') {
        if (IMMORTAL.has(name)) {
          throw forbidden(namedResource(target.kind), name, 'this namespace may not be deleted');
        }
        return;
      }
      const found = find(target.namespace);
      if (found) return check(request, found);
      return cluster.eventually(() => find(target.namespace)).then((later) => check(request, later));
    },
  };
}
