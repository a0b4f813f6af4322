import { type Pod, references, referencesAny } from '@periplus/api';
import { parseFieldSelector } from '@periplus/apimachinery';
import { expect, it } from 'vitest';
import type { Attributes, User } from '../types.ts';
import { MIRROR_ANNOTATION, NodeAuthorizer, nodeNameOf } from './node-authorizer.ts';

const spec = (more: object) =>
  ({ metadata: { name: 'p', namespace: 'x' }, spec: { containers: [], ...more } }) as unknown as Pod;
const asked = (verb: string, resource: string, more: Partial<Attributes> = {}): Attributes => {
  const [group = '', plural = '', subresource = ''] = resource.split('/');
  return {
    isResource: true,
    verb,
    group,
    version: 'v1',
    resource: plural,
    subresource,
    namespace: 'x',
    name: '',
    path: '',
    ...more,
  };
};

it('knows nodes by name and group', () => {
  const user = (name: string, ...groups: string[]): User => ({ name, uid: '', groups, extra: {} });
  expect(nodeNameOf(user('system:node:n1', 'system:nodes'))).toBe('n1');
  expect(nodeNameOf(user('system:node:n1'))).toBeUndefined();
  expect(nodeNameOf(user('n1', 'system:nodes'))).toBeUndefined();
});

it.each<[string, 'secret' | 'configMap', object]>([
  ['a volume', 'secret', { volumes: [{ name: 'v', secret: { secretName: 'it' } }] }],
  ['a volume', 'configMap', { volumes: [{ name: 'v', configMap: { name: 'it' } }] }],
  ['a projected volume', 'secret', { volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 'it' } }] } }] }],
  ['an init container', 'configMap', { initContainers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'it' } }] }] }],
  [
    'a variable',
    'secret',
    { containers: [{ name: 'c', env: [{ name: 'V', valueFrom: { secretKeyRef: { name: 'it', key: 'k' } } }] }] },
  ],
  ['a driver', 'secret', { volumes: [{ name: 'v', rbd: { secretRef: { name: 'it' } } }] }],
  ['a share', 'secret', { volumes: [{ name: 'v', azureFile: { secretName: 'it' } }] }],
  ['a pull secret', 'secret', { imagePullSecrets: [{ name: 'it' }] }],
  [
    'an ephemeral container',
    'secret',
    { ephemeralContainers: [{ name: 'c', envFrom: [{ secretRef: { name: 'it' } }] }] },
  ],
])('a pod names an object in %s', (_, what, more) => {
  expect(references(spec(more), what, 'it')).toBe(true);
  expect(references(spec(more), what, 'other')).toBe(false);
  expect(references(spec(more), what === 'secret' ? 'configMap' : 'secret', 'it')).toBe(false);
  expect(referencesAny(spec(more), what)).toBe(true);
  expect(referencesAny(spec({}), what)).toBe(false);
});

const mine = spec({
  serviceAccountName: 'robot',
  volumes: [
    { name: 'v', secret: { secretName: 'it' } },
    { name: 'disk', persistentVolumeClaim: { claimName: 'claim' } },
    { name: 'scratch', ephemeral: {} },
  ],
  resourceClaims: [
    { name: 'shared', resourceClaimName: 'gpus' },
    { name: 'own', resourceClaimTemplateName: 'one-gpu' },
  ],
});
mine.status = { resourceClaimStatuses: [{ name: 'own', resourceClaimName: 'p-own-x7k2p' }] };
const mirror = spec({ volumes: [{ name: 'v', secret: { secretName: 'static' } }] });
mirror.metadata.annotations = { [MIRROR_ANNOTATION]: 'x' };
const claims: Record<string, string> = { 'x/claim': 'pv', 'x/liar': 'other-pv', 'x/p-scratch': 'scratch-pv' };
const volume = (namespace: string, name: string, more: object = {}) => ({
  metadata: {},
  spec: { claimRef: { namespace, name }, ...more },
});
const csi = {
  nodeStageSecretRef: { namespace: 'vault', name: 'stage' },
  controllerPublishSecretRef: { namespace: 'vault', name: 'control' },
};
const volumes: Record<string, object> = {
  pv: volume('x', 'claim', { csi }),
  'other-pv': volume('y', 'claim', { rbd: { secretRef: { name: 'ceph' } } }),
  'kept-pv': { ...volume('y', 'claim'), metadata: { annotations: { 'periplus.dev/volume-node': 'n1' } } },
  'far-pv': { ...volume('x', 'claim'), metadata: { annotations: { 'periplus.dev/volume-node': 'n2' } } },
  'scratch-pv': volume('x', 'p-scratch', { iscsi: { secretRef: { name: 'chap' } } }),
};
const authorizer = new NodeAuthorizer({
  podsOn: (node) => (node === 'n1' ? [mirror, mine] : []),
  claim: (namespace, name) => ({ spec: { volumeName: claims[`${namespace}/${name}`] } }) as never,
  volume: (name) => volumes[name] as never,
  attachment: (name) => ({ spec: { nodeName: name } }) as never,
  slice: (name) => ({ spec: { nodeName: name } }) as never,
});

it.each<[string, Attributes, boolean]>([
  ['get its own secret', asked('get', '/secrets', { name: 'it' }), true],
  ['get the same name elsewhere', asked('get', '/secrets', { name: 'it', namespace: 'y' }), false],
  ['watch its own secret by name', asked('watch', '/secrets', { name: 'it' }), true],
  ['change its own secret', asked('update', '/secrets', { name: 'it' }), false],
  ['get another secret', asked('get', '/secrets', { name: 'other' }), false],
  ['get a token for its account', asked('create', '/serviceaccounts/token', { name: 'robot' }), true],
  ['get a token for another account', asked('create', '/serviceaccounts/token', { name: 'other' }), false],
  ['get its pod', asked('get', '/pods', { name: 'p' }), true],
  ['get another pod', asked('get', '/pods', { name: 'q' }), false],
  ['list all pods', asked('list', '/pods'), false],
  ['list its pods', asked('list', '/pods', { fieldSelector: parseFieldSelector('spec.nodeName=n1') }), true],
  ['list pods of others', asked('list', '/pods', { fieldSelector: parseFieldSelector('spec.nodeName=n2') }), false],
  ['report a pod', asked('patch', '/pods/status', { name: 'p' }), true],
  ['bind a pod', asked('create', '/pods/binding', { name: 'p' }), false],
  ['get itself', asked('get', '/nodes', { name: 'n1', namespace: '' }), true],
  ['get another node', asked('get', '/nodes', { name: 'n2', namespace: '' }), false],
  ['delete itself', asked('delete', '/nodes', { name: 'n1', namespace: '' }), false],
  [
    'renew its lease',
    asked('update', 'coordination.k8s.io/leases', { name: 'n1', namespace: 'kube-node-lease' }),
    true,
  ],
  [
    'renew another lease',
    asked('update', 'coordination.k8s.io/leases', { name: 'n2', namespace: 'kube-node-lease' }),
    false,
  ],
  ['get a secret of a static pod', asked('get', '/secrets', { name: 'static' }), false],
  ['get the claim of its pod', asked('get', '/persistentvolumeclaims', { name: 'claim' }), true],
  ['get the claim of an ephemeral volume', asked('get', '/persistentvolumeclaims', { name: 'p-scratch' }), true],
  ['get another claim', asked('get', '/persistentvolumeclaims', { name: 'other' }), false],
  ['list claims', asked('list', '/persistentvolumeclaims'), false],
  ['report on the claim of its pod', asked('patch', '/persistentvolumeclaims/status', { name: 'claim' }), true],
  ['report on another claim', asked('patch', '/persistentvolumeclaims/status', { name: 'other' }), false],
  ['change the claim of its pod', asked('update', '/persistentvolumeclaims', { name: 'claim' }), false],
  ['get the volume of its pod', asked('get', '/persistentvolumes', { name: 'pv', namespace: '' }), true],
  ['get another volume', asked('get', '/persistentvolumes', { name: 'other-pv', namespace: '' }), false],
  ['let go of a volume that it keeps', asked('patch', '/persistentvolumes', { name: 'kept-pv', namespace: '' }), true],
  ['let go of the volume of its pod', asked('patch', '/persistentvolumes', { name: 'pv', namespace: '' }), false],
  ['let go of a volume of another', asked('patch', '/persistentvolumes', { name: 'far-pv', namespace: '' }), false],
  ['say how a volume is', asked('patch', '/persistentvolumes/status', { name: 'kept-pv', namespace: '' }), false],
  ['delete a volume that it keeps', asked('delete', '/persistentvolumes', { name: 'kept-pv', namespace: '' }), false],
  ['list volumes', asked('list', '/persistentvolumes', { namespace: '' }), false],
  ['get what mounts its volume', asked('get', '/secrets', { name: 'stage', namespace: 'vault' }), true],
  ['get what mounts its older volume', asked('get', '/secrets', { name: 'chap' }), true],
  ['get what attaches its volume', asked('get', '/secrets', { name: 'control', namespace: 'vault' }), false],
  ['get what mounts another volume', asked('get', '/secrets', { name: 'ceph', namespace: 'y' }), false],
  ['get its attachment', asked('get', 'storage.k8s.io/volumeattachments', { name: 'n1', namespace: '' }), true],
  ['get another attachment', asked('get', 'storage.k8s.io/volumeattachments', { name: 'n2', namespace: '' }), false],
  ['register its drivers', asked('create', 'storage.k8s.io/csinodes', { namespace: '' }), true],
  ['change its drivers', asked('update', 'storage.k8s.io/csinodes', { name: 'n1', namespace: '' }), true],
  ['change drivers of others', asked('update', 'storage.k8s.io/csinodes', { name: 'n2', namespace: '' }), false],
  ['list drivers of nodes', asked('list', 'storage.k8s.io/csinodes', { namespace: '' }), false],
  ['get the devices of its pod', asked('get', 'resource.k8s.io/resourceclaims', { name: 'gpus' }), true],
  ['get the devices made for its pod', asked('get', 'resource.k8s.io/resourceclaims', { name: 'p-own-x7k2p' }), true],
  ['get other devices', asked('get', 'resource.k8s.io/resourceclaims', { name: 'other' }), false],
  ['list devices of pods', asked('list', 'resource.k8s.io/resourceclaims'), false],
  ['give devices to its pod', asked('patch', 'resource.k8s.io/resourceclaims/status', { name: 'gpus' }), false],
  ['say which devices it has', asked('create', 'resource.k8s.io/resourceslices', { namespace: '' }), true],
  ['correct what it said', asked('update', 'resource.k8s.io/resourceslices', { name: 'n1', namespace: '' }), true],
  ['correct another', asked('patch', 'resource.k8s.io/resourceslices', { name: 'n2', namespace: '' }), false],
  ['get devices of another', asked('get', 'resource.k8s.io/resourceslices', { name: 'n2', namespace: '' }), false],
  ['list all devices', asked('list', 'resource.k8s.io/resourceslices', { namespace: '' }), false],
  [
    'delete its devices',
    asked('deletecollection', 'resource.k8s.io/resourceslices', {
      namespace: '',
      fieldSelector: parseFieldSelector('spec.nodeName=n1'),
    }),
    true,
  ],
  ['get endpoints', asked('get', '/endpoints', { name: 'e' }), true],
  ['list leases', asked('list', 'coordination.k8s.io/leases', { namespace: 'kube-node-lease' }), false],
  ['record events', asked('create', '/events'), true],
  ['list services', asked('list', '/services', { namespace: '' }), true],
  ['watch endpoint slices', asked('watch', 'discovery.k8s.io/endpointslices', { namespace: '' }), true],
  ['list deployments', asked('list', 'apps/deployments'), false],
  ['read a path', { ...asked('get', '/'), isResource: false, path: '/metrics' }, false],
])('whether a node may %s', (_, request, allowed) => {
  expect(authorizer.decide('n1', request).allowed).toBe(allowed);
});
