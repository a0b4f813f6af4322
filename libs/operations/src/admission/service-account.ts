import { type Pod, pod, referencesAny, type ServiceAccount, serviceAccount } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { MIRROR_ANNOTATION } from '../authorization/node-authorizer.ts';
import type { ClusterState } from '../cluster-state.ts';
import { generatedName } from '../writing/generated-name.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';

type Spec = Pod['spec'];
type Container = Spec['containers'][number];

const DEFAULT_ACCOUNT = 'default';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** A node renews the token at four fifths of this; the odd seconds tell such tokens from those that users ask for. */
const TOKEN_SECONDS = 3607;
const FILE_MODE = 0o644;
/** The default account of a new namespace is made by a controller, a moment after the namespace. */
const ACCOUNT_WAIT_MS = 1_000;

const accessVolume = (name: string): NonNullable<Spec['volumes']>[number] => ({
  name,
  projected: {
    defaultMode: FILE_MODE,
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});

/** Mounts the account's token, the cluster's root certificate and the namespace into each container that has not its own. */
function mountToken(spec: Spec): void {
  const existing = spec.volumes?.find(({ name }) => name.startsWith(VOLUME_PREFIX));
  const volume = existing?.name ?? generatedName(VOLUME_PREFIX);
  let isNeeded = false;
  const mount = (container: Container): void => {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) return;
    container.volumeMounts ??= [];
    container.volumeMounts.push({ name: volume, readOnly: true, mountPath: MOUNT_PATH });
    isNeeded = true;
  };
  for (const container of spec.initContainers ?? []) mount(container);
  for (const container of spec.containers) mount(container);
  if (isNeeded && !existing) {
    spec.volumes ??= [];
    spec.volumes.push(accessVolume(volume));
  }
}

function fill(spec: Spec, account: DeepReadonly<ServiceAccount>): void {
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
    spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
  }
}

/** Mirrors of static pods run without the api-server, so they cannot depend on what it has. */
function checkMirror(request: AdmissionRequest, object: Pod): void {
  if (object.spec.serviceAccountName) throw refused(request, 'a mirror pod may not reference service accounts');
  if (referencesAny(object, 'secret')) throw refused(request, 'a mirror pod may not reference secrets');
  if (object.spec.volumes?.some(({ projected }) => projected?.sources?.some((one) => one.serviceAccountToken))) {
    throw refused(request, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
}

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#serviceaccount */
export function serviceAccountAdmission(cluster: ClusterState): Admission {
  return {
    name: 'ServiceAccount',
    handles: ({ kind, subresource }, operation) =>
      kind === (pod as unknown) && subresource === '' && operation === 'create',
    admit(request) {
      const object = request.object as Pod;
      const { spec, metadata } = object;
      if (metadata.annotations && MIRROR_ANNOTATION in metadata.annotations) return checkMirror(request, object);
      spec.serviceAccountName ||= spec.serviceAccount || DEFAULT_ACCOUNT;
      // The deprecated name of the same field. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
      spec.serviceAccount = spec.serviceAccountName;
      const { namespace } = request.target;
      const name = spec.serviceAccountName;
      const find = (): DeepReadonly<ServiceAccount> | undefined => cluster.object(serviceAccount, namespace, name);
      const account = find();
      if (account) return fill(spec, account);
      return cluster.eventually(find, ACCOUNT_WAIT_MS).then((later) => {
        if (later) return fill(spec, later);
        const why = `serviceaccount ${JSON.stringify(name)} not found`;
        throw refused(request, `error looking up service account ${namespace}/${name}: ${why}`);
      });
    },
  };
}
