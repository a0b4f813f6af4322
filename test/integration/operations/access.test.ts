import type { PeerCertificate } from 'node:tls';
import type { ClusterRole, Pod, Service } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import { type Attributes, bootstrap, type User } from '@periplus/operations';
import { Keys } from '@periplus/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, ROOT_CA, refusal, serviceAccountOf, startCore, type TestCore, user } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  await core.create('v1/namespaces', '', { metadata: { name: 'team' } });
  for (const namespace of ['default', 'team']) {
    await core.create('v1/serviceaccounts', namespace, serviceAccountOf('default'));
  }
});
afterAll(() => core[Symbol.asyncDispose]());

const RBAC = 'rbac.authorization.k8s.io';
const get = (who: User, resource: string, namespace: string, name: string) =>
  core.operations.get(core.as(who), at(resource, namespace, name), {});
const list = (who: User, resource: string, namespace = '', fieldSelector = '') =>
  core.operations.list(core.as(who), at(resource, namespace), { fieldSelector });
/** Grants are seen by the time that the cache has them. */
const settled = async () => core.cache.waitFor(await core.cache.current());
const bind = async (name: string, namespace: string, roleRef: object, subject: object, who = admin) => {
  const kind = namespace ? 'rolebindings' : 'clusterrolebindings';
  await core.create(`${RBAC}/v1/${kind}`, namespace, { metadata: { name }, roleRef, subjects: [subject] }, who);
  await settled();
};
const clusterRoleRef = (name: string) => ({ apiGroup: RBAC, kind: 'ClusterRole', name });
const userSubject = (name: string) => ({ kind: 'User', apiGroup: RBAC, name });

describe('a fresh cluster', () => {
  it('has its namespaces, roles and the service of its API', async () => {
    const namespaces = await list(admin, 'v1/namespaces');
    expect(namespaces.items.map(({ object }) => object.metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
      'team',
    ]);
    const service = (await core.get('v1/services', 'default', 'kubernetes')) as Service;
    expect(service.spec.clusterIP).toBe('10.96.0.1');
    expect(await core.get('discovery.k8s.io/v1/endpointslices', 'default', 'kubernetes')).toMatchObject({
      endpoints: [{ addresses: ['192.168.1.10'] }],
      ports: [{ port: 6443 }],
    });
    expect(await core.get('v1/endpoints', 'default', 'kubernetes')).toMatchObject({
      metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: '192.168.1.10' }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] }],
    });
    const view = (await core.get(`${RBAC}/v1/clusterroles`, '', 'view')) as ClusterRole;
    expect(view.metadata.labels).toMatchObject({ 'kubernetes.io/bootstrapping': 'rbac-defaults' });
    const reader = 'extension-apiserver-authentication-reader';
    expect(await core.get(`${RBAC}/v1/rolebindings`, 'kube-system', `system::${reader}`)).toMatchObject({
      roleRef: { kind: 'Role', name: reader },
      subjects: [{ name: 'system:kube-controller-manager' }, { name: 'system:kube-scheduler' }],
    });
  });
});

describe('a cluster that is started again', () => {
  const again = (address: string) =>
    bootstrap({
      operations: core.operations,
      network: core.network,
      advertised: { address, port: 7443 },
      clientAuthority: Buffer.from(`${ROOT_CA}${address}`),
      now: Date.now,
    });
  const change = (resource: string, namespace: string, name: string, value: object) =>
    core.operations.patch(core.as(admin), at(resource, namespace, name), {
      mediaType: 'application/merge-patch+json',
      body: body(value),
    });
  const role = async (name: string) => (await core.get(`${RBAC}/v1/clusterroles`, '', name)) as ClusterRole;

  it('gets back what its default roles lack, unless somebody wants them so', async () => {
    const before = await role('system:kube-scheduler');
    const [first] = before.rules!;
    await change(`${RBAC}/v1/clusterroles`, '', 'system:kube-scheduler', { rules: [first] });
    await change(`${RBAC}/v1/clusterroles`, '', 'system:monitoring', {
      metadata: { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
      rules: [],
    });
    await change(`${RBAC}/v1/clusterrolebindings`, '', 'system:kube-scheduler', { subjects: [] });
    await again('192.168.1.11');
    const scheduler = user('system:kube-scheduler');
    await settled();
    await list(scheduler, 'v1/pods');
    expect((await role('system:monitoring')).rules ?? []).toEqual([]);
    expect(await core.get('discovery.k8s.io/v1/endpointslices', 'default', 'kubernetes')).toMatchObject({
      endpoints: [{ addresses: ['192.168.1.11'] }],
      ports: [{ port: 7443 }],
    });
    expect(await core.get('v1/endpoints', 'default', 'kubernetes')).toMatchObject({
      metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: '192.168.1.11' }], ports: [{ name: 'https', port: 7443, protocol: 'TCP' }] }],
    });
    expect(await core.get('v1/configmaps', 'kube-system', 'extension-apiserver-authentication')).toMatchObject({
      data: { 'client-ca-file': `${ROOT_CA}192.168.1.11` },
    });
  });

  it.each<[controller: string, verb: string, group: string, resource: string, subresource: string, allowed: boolean]>([
    ['job-controller', 'create', '', 'pods', '', true],
    ['job-controller', 'create', 'batch', 'jobs', '', false],
    ['cronjob-controller', 'create', 'batch', 'jobs', '', true],
    ['statefulset-controller', 'update', 'apps', 'statefulsets', 'status', true],
    ['horizontal-pod-autoscaler', 'update', 'apps', 'statefulsets', 'scale', true],
    ['horizontal-pod-autoscaler', 'update', 'apps', 'statefulsets', '', false],
    ['disruption-controller', 'update', 'policy', 'poddisruptionbudgets', 'status', true],
    ['persistent-volume-binder', 'create', '', 'persistentvolumes', '', true],
  ])('has an account for the %s: may it %s %s %s %s?', async (name, verb, group, resource, subresource, allowed) => {
    await settled();
    const asked: Attributes = {
      isResource: true,
      ...{ verb, group, version: 'v1', resource, subresource },
      ...{ namespace: 'default', name: 'x', path: '' },
    };
    expect(core.authorizer.decide(user(`system:serviceaccount:kube-system:${name}`), asked).allowed).toBe(allowed);
  });

  it('is otherwise left as it is', async () => {
    await again('192.168.1.11');
    const before = (await list(admin, `${RBAC}/v1/clusterroles`)).items.map(({ resourceVersion }) => resourceVersion);
    await again('192.168.1.11');
    const after = (await list(admin, `${RBAC}/v1/clusterroles`)).items.map(({ resourceVersion }) => resourceVersion);
    expect(after).toEqual(before);
  });
});

describe('authorization', () => {
  const jane = user('jane');

  it('refuses in the words that kubectl users know', async () => {
    const cases: [Promise<unknown>, string][] = [
      [
        list(jane, 'v1/pods', 'team'),
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "team"',
      ],
      [
        list(jane, 'v1/nodes'),
        'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
      ],
      [
        get(jane, 'apps/v1/deployments', 'team', 'x'),
        'deployments.apps "x" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "team"',
      ],
      [
        core.operations.get(core.as(jane), at('apps/v1/deployments', 'team', 'x', 'scale'), {}),
        'deployments.apps "x" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "team"',
      ],
      [
        core.create('v1/pods', 'team', podOf('p'), jane),
        'pods is forbidden: User "jane" cannot create resource "pods" in API group "" in the namespace "team"',
      ],
      [
        get(jane, 'v1/namespaces', '', 'team'),
        'namespaces "team" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "team"',
      ],
    ];
    for (const [attempt, message] of cases) {
      const error = await refusal(attempt);
      expect(error.toStatus()).toMatchObject({ code: 403, reason: 'Forbidden', message });
    }
  });

  it('knows paths that are no resource', () => {
    const path = (verb: string, path: string): Attributes => ({
      ...{
        isResource: false,
        verb,
        path,
        group: '',
        version: '',
        resource: '',
        subresource: '',
        namespace: '',
        name: '',
      },
    });
    core.operations.authorize(jane, path('get', '/apis/apps/v1'));
    expect(() => core.operations.authorize(jane, path('get', '/metrics'))).toThrow(
      'forbidden: User "jane" cannot get path "/metrics"',
    );
    const anonymous = core.authenticator.authenticate({ certificate: null, bearerToken: null }) as User;
    core.operations.authorize(anonymous, path('get', '/version'));
    expect(() => core.operations.authorize(anonymous, path('get', '/api'))).toThrow(
      'forbidden: User "system:anonymous" cannot get path "/api"',
    );
  });

  it('follows roles and bindings as they come and go', async () => {
    const kate = user('kate', 'crew');
    await core.create(`${RBAC}/v1/roles`, 'team', {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['open'], verbs: ['get', 'list'] }],
    });
    const roleRef = { apiGroup: RBAC, kind: 'Role', name: 'reader' };
    await bind('crew', 'team', roleRef, { kind: 'Group', apiGroup: RBAC, name: 'crew' });
    await core.create('v1/configmaps', 'team', { metadata: { name: 'open' } });
    await get(kate, 'v1/configmaps', 'team', 'open');
    await list(kate, 'v1/configmaps', 'team', 'metadata.name=open');
    expect((await refusal(list(kate, 'v1/configmaps', 'team'))).code).toBe(403);
    expect((await refusal(get(kate, 'v1/configmaps', 'team', 'closed'))).code).toBe(403);
    expect((await refusal(get(kate, 'v1/configmaps', 'default', 'open'))).code).toBe(403);
    await core.operations.delete(core.as(admin), at(`${RBAC}/v1/rolebindings`, 'team', 'crew'), {});
    await settled();
    expect((await refusal(get(kate, 'v1/configmaps', 'team', 'open'))).code).toBe(403);
  });

  it('names the role that a binding lacks', async () => {
    await bind('lost', '', clusterRoleRef('gone'), userSubject('lost'));
    const error = await refusal(list(user('lost'), 'v1/pods', 'team'));
    expect(error.message).toMatch(/: RBAC: clusterrole\.rbac\.authorization\.k8s\.io "gone" not found$/);
  });

  it('lets nobody grant what he does not have', async () => {
    const ann = user('ann');
    const lead = [
      { apiGroups: [RBAC], resources: ['roles', 'rolebindings'], verbs: ['create', 'update'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    ];
    await core.create(`${RBAC}/v1/clusterroles`, '', { metadata: { name: 'lead' }, rules: lead });
    await bind('ann', 'team', clusterRoleRef('lead'), userSubject('ann'));
    const roleOf = (name: string, resource: string) => ({
      metadata: { name },
      rules: [{ apiGroups: [''], resources: [resource], verbs: ['get', 'list'] }],
    });
    await core.create(`${RBAC}/v1/roles`, 'team', roleOf('fine', 'pods'), ann);
    const error = await refusal(core.create(`${RBAC}/v1/roles`, 'team', roleOf('bad', 'nodes'), ann));
    expect(error.message).toBe(
      'roles.rbac.authorization.k8s.io "bad" is forbidden: user "ann" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}',
    );
    await bind('fine', 'team', clusterRoleRef('lead'), userSubject('bob'), ann);
    expect((await refusal(bind('bad', 'team', clusterRoleRef('cluster-admin'), userSubject('bob'), ann))).code).toBe(
      403,
    );
    expect((await refusal(bind('bad', 'team', clusterRoleRef('none'), userSubject('bob'), ann))).message).toBe(
      'clusterroles.rbac.authorization.k8s.io "none" not found',
    );
  });

  it('lets those escalate and bind who may', async () => {
    const may = (verb: string, resource: string, ...resourceNames: string[]) => ({
      apiGroups: [RBAC],
      resources: [resource],
      verbs: [verb],
      ...(resourceNames.length > 0 && { resourceNames }),
    });
    const rules = [may('create', 'clusterroles'), may('create', 'clusterrolebindings'), may('update', 'clusterroles')];
    const grants = [...rules, may('escalate', 'clusterroles', 'tall'), may('bind', 'clusterroles', 'cluster-admin')];
    await core.create(`${RBAC}/v1/clusterroles`, '', { metadata: { name: 'grantor' }, rules: grants });
    await bind('zoe', '', clusterRoleRef('grantor'), userSubject('zoe'));
    const zoe = user('zoe');
    const tall = (name: string) => ({
      metadata: { name },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    });
    await core.create(`${RBAC}/v1/clusterroles`, '', tall('tall'), zoe);
    expect((await refusal(core.create(`${RBAC}/v1/clusterroles`, '', tall('taller'), zoe))).code).toBe(403);
    await bind('all', '', clusterRoleRef('cluster-admin'), userSubject('zoe'), zoe);
    // From here on she has everything, and grants it.
    await core.create(`${RBAC}/v1/clusterroles`, '', tall('taller'), zoe);
  });

  it('lets only administrators gather roles, or change what gathers', async () => {
    const max = user('max');
    const own = { apiGroups: [RBAC], resources: ['clusterroles'], verbs: ['create', 'update', 'get'] };
    await core.create(`${RBAC}/v1/clusterroles`, '', { metadata: { name: 'maker' }, rules: [own] });
    await bind('max', '', clusterRoleRef('maker'), userSubject('max'));
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
    const gathering = { metadata: { name: 'gathering' }, aggregationRule, rules: [] };
    const why = 'must have cluster-admin privileges to use the aggregationRule';
    const create = core.create(`${RBAC}/v1/clusterroles`, '', structuredClone(gathering), max);
    expect((await refusal(create)).message).toContain(why);
    await core.create(`${RBAC}/v1/clusterroles`, '', structuredClone(gathering));
    const plain = { ...gathering, aggregationRule: undefined };
    const change = core.operations.update(core.as(max), at(`${RBAC}/v1/clusterroles`, '', 'gathering'), body(plain));
    expect((await refusal(change)).message).toContain(why);
  });
});

describe('authentication', () => {
  const certificate = (subject: object): PeerCertificate => ({ subject }) as PeerCertificate;
  const authenticate = (certificateOf: object | null, bearerToken: string | null = null) =>
    core.authenticator.authenticate({ certificate: certificateOf && certificate(certificateOf), bearerToken });

  it('reads the user and his groups off a certificate', () => {
    expect(authenticate({ CN: 'me', O: ['a', 'b'] })).toEqual({
      ...{ name: 'me', uid: '', extra: {} },
      groups: ['a', 'b', 'system:authenticated'],
    });
    expect(authenticate({ CN: 'me' })).toMatchObject({ groups: ['system:authenticated'] });
    expect(authenticate({})).toMatchObject({ name: 'system:anonymous', groups: ['system:unauthenticated'] });
  });

  const request = (name: string, spec: object, who = admin) =>
    core.operations.create(core.as(who), at('v1/serviceaccounts', 'team', name, 'token'), body({ spec }));
  const tokenOf = ({ object }: { object: unknown }) => (object as { status: { token: string } }).status.token;

  it('knows service accounts by their tokens, until they are gone', async () => {
    await core.create('v1/serviceaccounts', 'team', serviceAccountOf('robot'));
    const answer = await request('robot', { expirationSeconds: 700 });
    expect(answer).toMatchObject({ code: 201 });
    expect(answer.object).toMatchObject({ kind: 'TokenRequest', spec: { expirationSeconds: 700 } });
    const token = tokenOf(answer);
    const { uid } = (await core.get('v1/serviceaccounts', 'team', 'robot')).metadata;
    expect(JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())).toMatchObject({
      iss: 'https://kubernetes.default.svc.cluster.local',
      sub: 'system:serviceaccount:team:robot',
      'kubernetes.io': { namespace: 'team', serviceaccount: { name: 'robot', uid } },
    });
    const robot = await authenticate(null, token);
    expect(robot).toMatchObject({
      name: 'system:serviceaccount:team:robot',
      uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated'],
    });
    // Known tokens are answered at once, with the same user.
    expect(authenticate(null, token)).toBe(robot);
    await core.operations.delete(core.as(admin), at('v1/serviceaccounts', 'team', 'robot'), {});
    await settled();
    expect(await refusal(Promise.resolve(authenticate(null, token)))).toMatchObject({
      code: 401,
      message: 'Unauthorized',
    });
  });

  it('binds tokens to pods', async () => {
    const { object } = await core.create('v1/pods', 'team', podOf('with-token'));
    const { uid } = object.metadata;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'with-token', uid };
    const token = tokenOf(await request('default', { boundObjectRef }));
    expect(await authenticate(null, token)).toMatchObject({
      extra: {
        'authentication.kubernetes.io/pod-name': ['with-token'],
        'authentication.kubernetes.io/pod-uid': [uid],
      },
    });
    expect((await refusal(request('default', { boundObjectRef: { ...boundObjectRef, uid: 'other' } }))).code).toBe(409);
    expect((await refusal(request('default', { boundObjectRef: { ...boundObjectRef, name: 'none' } }))).code).toBe(404);
    await core.operations.delete(core.as(admin), at('v1/pods', 'team', 'with-token'), {});
    await settled();
    expect((await refusal(Promise.resolve(authenticate(null, token)))).code).toBe(401);
  });

  it('refuses tokens that are none, are for others, or are by others', async () => {
    for (const token of ['', 'x', 'a.b.c']) {
      expect((await refusal(Promise.resolve().then(() => authenticate(null, token)))).code).toBe(401);
    }
    const elsewhere = tokenOf(await request('default', { audiences: ['vault'] }));
    expect((await refusal(Promise.resolve(authenticate(null, elsewhere)))).code).toBe(401);
    expect((await refusal(request('default', { expirationSeconds: 5 }))).message).toBe(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    );
    expect((await refusal(request('nobody', {}))).message).toBe('serviceaccounts "nobody" not found');
  });
});

describe('a node', () => {
  const n1 = user('system:node:n1', 'system:nodes');
  const nodeOf = (name: string, more: object = {}) => ({ metadata: { name }, ...more });
  const change = (who: User, resource: string, object: KubeObject, subresource = '') => {
    const { name, namespace = '' } = object.metadata;
    return core.operations.update(core.as(who), at(resource, namespace, name, subresource), body(object));
  };

  beforeAll(async () => {
    for (const name of ['mine', 'theirs']) {
      await core.create('v1/secrets', 'team', { metadata: { name } });
      await core.create('v1/configmaps', 'team', { metadata: { name } });
      const nodeName = name === 'mine' ? 'n1' : 'n2';
      const container = { name: 'c', image: 'i', envFrom: [{ configMapRef: { name } }] };
      const volumes = [{ name: 'v', secret: { secretName: name } }];
      await core.create('v1/pods', 'team', podOf(name, { nodeName, volumes, containers: [container] }));
    }
    await settled();
  });

  it('registers itself and nobody else', async () => {
    const { object } = await core.create('v1/nodes', '', nodeOf('n1'), n1);
    expect(object).toMatchObject({ spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] } });
    expect((await refusal(core.create('v1/nodes', '', nodeOf('n2'), n1))).message).toBe(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    );
    const labelled = nodeOf('n1', { metadata: { name: 'n1', labels: { 'node-restriction.kubernetes.io/x': 'y' } } });
    expect((await refusal(core.create('v1/nodes', '', labelled, n1))).message).toMatch(
      /is not allowed to set the following labels: node-restriction.kubernetes.io\/x$/,
    );
    const own = await core.get('v1/nodes', '', 'n1');
    await change(n1, 'v1/nodes', { ...own, status: { phase: 'Running' } } as KubeObject, 'status');
    const tainted = { ...own, spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } } as KubeObject;
    delete tainted.metadata.resourceVersion;
    expect((await refusal(change(n1, 'v1/nodes', tainted))).message).toBe(
      'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
    );
  });

  it('reads what its pods name, and only that', async () => {
    await get(n1, 'v1/secrets', 'team', 'mine');
    await get(n1, 'v1/configmaps', 'team', 'mine');
    await get(n1, 'v1/pods', 'team', 'mine');
    await list(n1, 'v1/pods', '', 'spec.nodeName=n1');
    await list(n1, 'v1/services');
    for (const resource of ['v1/secrets', 'v1/configmaps', 'v1/pods']) {
      expect((await refusal(get(n1, resource, 'team', 'theirs'))).message, resource).toMatch(
        /: no relationship found between node 'n1' and this object$/,
      );
    }
    expect((await refusal(list(n1, 'v1/secrets', 'team'))).message).toMatch(/: No Object name found$/);
    expect((await refusal(list(n1, 'v1/pods'))).message).toMatch(
      /: can only list\/watch pods with spec.nodeName field selector$/,
    );
    expect((await refusal(list(n1, 'v1/nodes'))).message).toMatch(/cannot read all nodes, only its own Node object$/);
    expect((await refusal(core.create('v1/secrets', 'team', { metadata: { name: 'x' } }, n1))).code).toBe(403);
  });

  it('reports on its pods and ends them, and no others', async () => {
    const running = async (name: string) =>
      ({ ...(await core.get('v1/pods', 'team', name)), status: { phase: 'Running' } }) as KubeObject;
    await change(n1, 'v1/pods', await running('mine'), 'status');
    expect((await refusal(change(n1, 'v1/pods', await running('theirs'), 'status'))).message).toBe(
      'pods "theirs" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    );
    const remove = (name: string) =>
      core.operations.delete(core.as(n1), at('v1/pods', 'team', name), { gracePeriodSeconds: 0 });
    expect((await refusal(remove('theirs'))).message).toBe(
      'pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
    );
    expect((await refusal(core.create('v1/pods', 'team', podOf('x', { nodeName: 'n1' }), n1))).message).toMatch(
      /node "n1" can only create mirror pods$/,
    );
    await remove('mine');
  });

  it('reads the devices of its pods, and does not say itself which these are', async () => {
    const claims = 'resource.k8s.io/v1/resourceclaims';
    const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } };
    for (const name of ['gpus', 'others']) await core.create(claims, 'team', { metadata: { name }, spec });
    const resourceClaims = [{ name: 'gpu', resourceClaimName: 'gpus' }];
    const containers = [{ name: 'c', image: 'i', resources: { claims: [{ name: 'gpu' }] } }];
    await core.create('v1/pods', 'team', podOf('dev', { nodeName: 'n1', resourceClaims, containers }));
    await settled();
    await get(n1, claims, 'team', 'gpus');
    expect((await refusal(get(n1, claims, 'team', 'others'))).message).toMatch(
      /: no relationship found between node 'n1' and this object$/,
    );
    const saying = async (status: object) =>
      change(n1, 'v1/pods', { ...(await core.get('v1/pods', 'team', 'dev')), status } as KubeObject, 'status');
    const resourceClaimName = 'others';
    expect((await refusal(saying({ resourceClaimStatuses: [{ name: 'gpu', resourceClaimName }] }))).message).toMatch(
      /: node "n1" cannot update resource claim statues$/,
    );
    const extended = { extendedResourceClaimStatus: { resourceClaimName, requestMappings: [] } };
    expect((await refusal(saying(extended))).message).toMatch(
      /: node "n1" cannot update extended resource claim status$/,
    );
  });

  it('gets tokens for its pods alone, and for whom their volumes name', async () => {
    const sources = [{ serviceAccountToken: { path: 't', audience: 'vault' } }];
    const volumes = [{ name: 'vault', projected: { sources } }];
    const { object } = await core.create('v1/pods', 'team', podOf('tok', { nodeName: 'n1', volumes }));
    await core.create('v1/pods', 'team', podOf('tok2', { nodeName: 'n2' }));
    const other = (await core.get('v1/pods', 'team', 'tok2')) as Pod;
    await settled();
    const ask = (spec: object) =>
      core.operations.create(core.as(n1), at('v1/serviceaccounts', 'team', 'default', 'token'), body({ spec }));
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'tok', uid: object.metadata.uid };
    expect((await ask({ boundObjectRef })).code).toBe(201);
    expect((await ask({ boundObjectRef, audiences: ['vault'] })).code).toBe(201);
    expect((await refusal(ask({ boundObjectRef, audiences: ['bank'] }))).message).toMatch(
      /audience "bank" not found in pod spec volume$/,
    );
    expect((await refusal(ask({ boundObjectRef, audiences: ['vault', 'bank'] }))).message).toMatch(
      /node may only request 0 or 1 audiences$/,
    );
    expect((await refusal(ask({}))).message).toMatch(/node requested token not bound to a pod$/);
    const theirs = { ...boundObjectRef, name: 'tok2', uid: other.metadata.uid };
    expect((await refusal(ask({ boundObjectRef: theirs }))).message).toMatch(/scheduled on a different node$/);
  });

  it('says what drivers it has, and how large the volumes of its pods are', async () => {
    const csiNodes = 'storage.k8s.io/v1/csinodes';
    const driversOf = (name: string) => ({ metadata: { name }, spec: { drivers: [] } });
    await core.create(csiNodes, '', driversOf('n1'), n1);
    expect((await refusal(core.create(csiNodes, '', driversOf('n2'), n1))).message).toMatch(
      /can only access CSINode with the same name as the requesting node$/,
    );
    const claims = 'v1/persistentvolumeclaims';
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await core.create(claims, 'team', { metadata: { name: 'disk' }, spec });
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: 'disk' } }];
    await core.create('v1/pods', 'team', podOf('with-disk', { nodeName: 'n1', volumes }));
    await settled();
    const present = await core.get(claims, 'team', 'disk');
    const larger = { ...present, status: { phase: 'Pending', capacity: { storage: '2Gi' } } } as KubeObject;
    await change(n1, claims, structuredClone(larger), 'status');
    delete larger.metadata.resourceVersion;
    const lost = { ...larger, status: { phase: 'Lost' } } as KubeObject;
    expect((await refusal(change(n1, claims, lost, 'status'))).message).toMatch(
      /node "n1" is not allowed to update fields other than status.quantity and status.conditions$/,
    );
    expect((await refusal(change(n1, claims, larger))).code).toBe(403);
  });

  it('finds volumes that it keeps in its inbox, and lets go of those that are to go', async () => {
    const kind = 'v1/persistentvolumes';
    const volumeOf = (name: string, node: string, finalizers: string[]) => ({
      metadata: { name, finalizers, annotations: { 'periplus.dev/volume-node': node } },
      spec: {
        ...{ accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, local: { path: `/volumes/${name}` } },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] },
        },
      },
    });
    const finalizers = ['periplus.dev/node-local', 'example.com/hold'];
    await core.create(kind, '', volumeOf('kept', 'n1', finalizers));
    await core.create(kind, '', volumeOf('far', 'n2', finalizers));
    await core.create(kind, '', volumeOf('odd', 'n1/pods', finalizers));
    const keys = new Keys('/periplus');
    const found = await core.etcd.range(keys.inboxRange('n1'));
    const volumes = found.kvs.filter(({ key }) => keys.parseInbox(key)?.key.resource === 'persistentvolumes');
    expect(volumes.map(({ key }) => keys.parseInbox(key)?.key.name)).toEqual(['kept']);
    await settled();
    const patch = (name: string, value: object) =>
      core.operations.patch(core.as(n1), at(kind, '', name), {
        mediaType: 'application/merge-patch+json',
        body: body(value),
      });
    const without = { metadata: { finalizers: ['example.com/hold', 'kubernetes.io/pv-protection'] } };
    const why = /node "n1" is only allowed to remove its own finalizer from volumes$/;
    expect((await refusal(patch('kept', without))).message).toMatch(why);
    await core.operations.delete(core.as(admin), at(kind, '', 'kept'), {});
    await settled();
    expect((await refusal(patch('kept', { metadata: { finalizers: [] } }))).message).toMatch(why);
    expect((await refusal(patch('kept', { spec: { capacity: { storage: '2Gi' } } }))).message).toMatch(why);
    await patch('kept', without);
    expect((await core.get(kind, '', 'kept')).metadata.finalizers?.sort()).toEqual(without.metadata.finalizers.sort());
    expect((await refusal(patch('far', without))).code).toBe(403);
  });

  it('renews its lease alone', async () => {
    const leases = 'coordination.k8s.io/v1/leases';
    await core.create(leases, 'kube-node-lease', { metadata: { name: 'n1' } }, n1);
    expect((await refusal(core.create(leases, 'kube-node-lease', { metadata: { name: 'n2' } }, n1))).message).toMatch(
      /can only access node lease with the same name as the requesting node$/,
    );
    expect((await refusal(core.create(leases, 'team', { metadata: { name: 'n1' } }, n1))).code).toBe(403);
  });
});
