import type { Deployment, Namespace, Pod } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import type { DeleteOptions, Patch } from '@periplus/operations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore, user } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  await core.create('v1/serviceaccounts', 'default', serviceAccountOf('default'));
});
afterAll(() => core[Symbol.asyncDispose]());

type ConfigMap = KubeObject & { data: Record<string, string> };
const CONFIG_MAPS = 'v1/configmaps';
const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

const create = (resource: string, object: object, namespace = 'default') => core.create(resource, namespace, object);
const configMap = async (name: string, more: object = {}): Promise<ConfigMap> => {
  await create(CONFIG_MAPS, { metadata: { name }, data: { a: '1' }, ...more });
  return (await core.get(CONFIG_MAPS, 'default', name)) as ConfigMap;
};
const update = (resource: string, object: KubeObject, subresource = '', name = object.metadata.name!, more = {}) =>
  core.operations.update(
    core.as(admin, more),
    at(resource, object.metadata.namespace ?? '', name, subresource),
    body(object),
  );
const MEDIA = { merge: 'merge-patch', json: 'json-patch', strategic: 'strategic-merge-patch' };
const patchOf = (type: keyof typeof MEDIA, value: object): Patch => ({
  mediaType: `application/${MEDIA[type]}+json`,
  body: body(value),
});
const patch = (resource: string, name: string, type: keyof typeof MEDIA, value: object, subresource = '') =>
  core.operations.patch(core.as(admin), at(resource, 'default', name, subresource), patchOf(type, value));
const remove = (resource: string, name: string, options: DeleteOptions = {}, namespace = 'default') =>
  core.operations.delete(core.as(admin), at(resource, namespace, name), options);
const deploymentOf = (name: string): object => ({
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

describe('update', () => {
  it('replaces what the client has seen', async () => {
    const object = await configMap('u1');
    const updated = await update(CONFIG_MAPS, { ...object, data: { b: '2' } } as ConfigMap);
    expect((updated.object as ConfigMap).data).toEqual({ b: '2' });
    expect(Number(updated.resourceVersion)).toBeGreaterThan(Number(object.metadata.resourceVersion));
  });

  it('refuses to replace what the client has not seen', async () => {
    const object = await configMap('u2');
    await update(CONFIG_MAPS, { ...object, data: { b: '2' } } as ConfigMap);
    const error = await refusal(update(CONFIG_MAPS, { ...object, data: { c: '3' } } as ConfigMap));
    expect(error).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on configmaps "u2": ${MODIFIED}`,
    });
  });

  it('replaces without a look where that is allowed', async () => {
    const object = await configMap('u3');
    delete object.metadata.resourceVersion;
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => update(CONFIG_MAPS, { ...object, data: { n: String(i) } } as ConfigMap)),
    );
    await create('coordination.k8s.io/v1/leases', { metadata: { name: 'l' } });
    const error = await refusal(
      update('coordination.k8s.io/v1/leases', {
        kind: 'Lease',
        apiVersion: 'coordination.k8s.io/v1',
        metadata: { name: 'l', namespace: 'default' },
      }),
    );
    expect(error.message).toBe(
      'Lease.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('writes nothing when nothing changes', async () => {
    const object = await configMap('u4');
    const again = await update(CONFIG_MAPS, object);
    expect(again.resourceVersion).toBe(object.metadata.resourceVersion);
    delete object.metadata.resourceVersion;
    expect((await update(CONFIG_MAPS, object)).resourceVersion).toBe(again.resourceVersion);
  });

  it('does not create', async () => {
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'missing', namespace: 'default' } };
    expect((await refusal(update(CONFIG_MAPS, object))).message).toBe('configmaps "missing" not found');
  });

  it('creates what there is not of kinds that allow it, for who may create', async () => {
    const LEASES = 'coordination.k8s.io/v1/leases';
    const lease = (name: string, metadata: object = {}) => ({
      ...{ kind: 'Lease', apiVersion: 'coordination.k8s.io/v1', spec: { holderIdentity: 'me' } },
      metadata: { name, namespace: 'default', ...metadata },
    });
    const result = await update(LEASES, lease('made', { resourceVersion: '7' }));
    expect([result.code, result.object]).toMatchObject([201, { spec: { holderIdentity: 'me' } }]);
    const { metadata } = await core.get(LEASES, 'default', 'made');
    expect(metadata).toMatchObject({ uid: expect.any(String), managedFields: [{ operation: 'Update' }] });
    expect((await refusal(update(LEASES, lease('other', { uid: metadata.uid })))).message).toBe(
      'leases.coordination.k8s.io "other" not found',
    );
    await update(LEASES, lease('dry'), '', 'dry', { dryRun: true });
    expect((await refusal(core.get(LEASES, 'default', 'dry'))).code).toBe(404);
    const ROLES = 'rbac.authorization.k8s.io/v1/roles';
    const rules = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['update'] }];
    await core.create(ROLES, 'default', { metadata: { name: 'updater' }, rules });
    await core.create('rbac.authorization.k8s.io/v1/rolebindings', 'default', {
      metadata: { name: 'updater' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'updater' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'updater' }],
    });
    await core.cache.waitFor(await core.cache.current());
    const target = at(LEASES, 'default', 'denied');
    const denied = core.operations.update(core.as(user('updater')), target, body(lease('denied')));
    expect((await refusal(denied)).message).toMatch(/^leases.* is forbidden: User "updater" cannot create resource/);
  });

  it('keeps what the server has set', async () => {
    const { metadata } = await configMap('u5', { metadata: { name: 'u5', labels: { a: 'b' } } });
    const bare = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'u5', namespace: 'default' }, data: {} };
    const updated = (await update(CONFIG_MAPS, bare)).object.metadata;
    expect(updated).toMatchObject({ uid: metadata.uid, creationTimestamp: metadata.creationTimestamp });
    expect(updated.labels).toBeUndefined();
  });

  it('counts generations of what is wanted, not of what is', async () => {
    await create('apps/v1/deployments', deploymentOf('gen'));
    const object = (await core.get('apps/v1/deployments', 'default', 'gen')) as Deployment;
    expect(object.metadata.generation).toBe(1);
    object.status = { observedGeneration: 1, replicas: 1 };
    const status = (await update('apps/v1/deployments', object as KubeObject, 'status')).object as Deployment;
    expect(status.metadata.generation).toBe(1);
    expect(status.status).toMatchObject({ observedGeneration: 1 });
    const next = structuredClone(status) as Deployment;
    next.spec.replicas = 5;
    next.status = {};
    const updated = (await update('apps/v1/deployments', next as KubeObject)).object as Deployment;
    expect(updated.metadata.generation).toBe(2);
    expect(updated.status).toMatchObject({ observedGeneration: 1 });
  });

  const cases: [string, (object: ConfigMap) => void, string | undefined, number, string | RegExp][] = [
    [
      'has another name than the URL',
      () => {},
      'other',
      400,
      'the name of the object (bad) does not match the name on the URL (other)',
    ],
    [
      'has no name',
      (object) => delete object.metadata.name,
      'bad',
      400,
      'the name of the object (bad based on URL) was undeterminable: name must be provided',
    ],
    [
      'is another object of that name',
      (object) => Object.assign(object.metadata, { uid: 'other' }),
      'bad',
      409,
      /^Operation cannot be fulfilled on configmaps "bad": StorageError: invalid object, Code: 4, Key: \/registry\/configmaps\/default\/bad, .*UID in precondition: other, UID in object meta: /,
    ],
    [
      'has a version that is none',
      (object) => Object.assign(object.metadata, { resourceVersion: 'abc' }),
      'bad',
      422,
      /^ConfigMap "bad" is invalid: metadata.resourceVersion: Invalid value: "abc": /,
    ],
  ];
  it('refuses what contradicts the request', async () => {
    const object = await configMap('bad');
    for (const [what, change, name, code, message] of cases) {
      const copy = structuredClone(object);
      change(copy);
      const error = await refusal(update(CONFIG_MAPS, copy, '', name));
      expect(error.code, what).toBe(code);
      expect(error.message, what).toMatch(message);
    }
  });

  it('tries a dry run on what there is', async () => {
    const object = await configMap('u6');
    const result = await update(CONFIG_MAPS, { ...object, data: { z: '9' } } as ConfigMap, '', 'u6', { dryRun: true });
    expect((result.object as ConfigMap).data).toEqual({ z: '9' });
    expect(((await core.get(CONFIG_MAPS, 'default', 'u6')) as ConfigMap).data).toEqual({ a: '1' });
  });
});

describe('patch', () => {
  it('merges, merges strategically, and follows instructions', async () => {
    await configMap('p1');
    expect((await patch(CONFIG_MAPS, 'p1', 'merge', { data: { b: '2' } })).object).toMatchObject({
      data: { a: '1', b: '2' },
    });
    const json = [{ op: 'remove', path: '/data/a' }];
    expect(((await patch(CONFIG_MAPS, 'p1', 'json', json)).object as ConfigMap).data).toEqual({ b: '2' });
    await create('apps/v1/deployments', deploymentOf('p1'));
    const sidecar = { spec: { template: { spec: { containers: [{ name: 'c', image: 'new' }] } } } };
    const patched = (await patch('apps/v1/deployments', 'p1', 'strategic', sidecar)).object as Deployment;
    expect(patched.spec.template!.spec!.containers[0]).toMatchObject({ image: 'new', imagePullPolicy: 'Always' });
    expect(patched.metadata.generation).toBe(2);
  });

  it('is applied again when somebody else was faster', async () => {
    await configMap('p2');
    const all = await Promise.all(
      Array.from({ length: 5 }, (_, i) => patch(CONFIG_MAPS, 'p2', 'merge', { data: { [`k${i}`]: 'v' } })),
    );
    expect(new Set(all.map(({ resourceVersion }) => resourceVersion)).size).toBe(5);
    expect(Object.keys(((await core.get(CONFIG_MAPS, 'default', 'p2')) as ConfigMap).data)).toHaveLength(6);
  });

  it('that names a version holds for that version alone', async () => {
    const { metadata } = await configMap('p3');
    await patch(CONFIG_MAPS, 'p3', 'merge', { data: { b: '2' } });
    const old = { metadata: { resourceVersion: metadata.resourceVersion }, data: { c: '3' } };
    expect((await refusal(patch(CONFIG_MAPS, 'p3', 'merge', old))).reason).toBe('Conflict');
  });

  it('that changes nothing writes nothing', async () => {
    const { metadata } = await configMap('p4');
    expect((await patch(CONFIG_MAPS, 'p4', 'merge', {})).resourceVersion).toBe(metadata.resourceVersion);
  });

  it('is refused in a form that there is not', async () => {
    const bad: Patch = { mediaType: 'application/yaml', body: body({}) };
    const error = await refusal(core.operations.patch(core.as(admin), at(CONFIG_MAPS, 'default', 'p1'), bad));
    expect(error).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' });
  });

  it('is refused when it does not fit, or makes the object invalid', async () => {
    await configMap('p5');
    const missing = [{ op: 'remove', path: '/data/zzz' }];
    expect((await refusal(patch(CONFIG_MAPS, 'p5', 'json', missing))).code).toBe(422);
    expect((await refusal(patch(CONFIG_MAPS, 'p5', 'merge', { data: { a: 1 } }))).code).toBe(400);
    expect(await refusal(patch(CONFIG_MAPS, 'p5', 'merge', { metadata: { name: 'x' } }))).toMatchObject({
      code: 400,
      message: 'the name of the object (x) does not match the name on the URL (p5)',
    });
    expect((await refusal(patch(CONFIG_MAPS, 'none', 'merge', {}))).message).toBe('configmaps "none" not found');
  });

  it('is told of fields that there are not', async () => {
    await configMap('p6');
    const unknown = { dat: { a: '2' } };
    expect((await refusal(patch(CONFIG_MAPS, 'p6', 'merge', unknown))).message).toBe(
      ' "" is invalid: patch: Invalid value: "{\\"dat\\":{\\"a\\":\\"2\\"}}": strict decoding error: unknown field "dat"',
    );
    const context = core.as(admin, { fieldValidation: 'Warn' });
    await core.operations.patch(context, at(CONFIG_MAPS, 'default', 'p6'), patchOf('merge', unknown));
    expect(context.warnings).toEqual(['unknown field "dat"']);
  });

  it('of the status leaves the rest alone', async () => {
    await create('v1/pods', podOf('st'));
    const change = {
      spec: { hostname: 'x' },
      status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
    };
    const patched = (await patch('v1/pods', 'st', 'merge', change, 'status')).object as Pod;
    expect(patched.status).toMatchObject({ phase: 'Running', podIP: '10.0.0.1', qosClass: 'BestEffort' });
    expect(patched.spec.hostname).toBeUndefined();
  });

  it('of the status is warned of addresses that are not written as all programs write them', async () => {
    await create('v1/pods', podOf('warned'));
    const context = core.as(admin);
    const change = { status: { podIPs: [{ ip: 'FD00::1' }] } };
    await core.operations.patch(context, at('v1/pods', 'default', 'warned', 'status'), patchOf('merge', change));
    const right = 'IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")';
    expect(context.warnings).toEqual([`status.podIPs[0].ip: ${right}`]);
  });
});

describe('delete', () => {
  it('answers with a Status, or with the pod', async () => {
    const { metadata } = await configMap('d1');
    const { status, item } = await remove(CONFIG_MAPS, 'd1');
    expect(item).toBeNull();
    expect(status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'd1', kind: 'configmaps', uid: metadata.uid },
    });
    await create('v1/pods', podOf('d1'));
    expect((await remove('v1/pods', 'd1')).item?.object.metadata.name).toBe('d1');
    expect((await refusal(remove('v1/pods', 'd1'))).message).toBe('pods "d1" not found');
  });

  it('gives a running pod its time, which may only be shortened, and lets its node end it', async () => {
    await create('v1/pods', { ...podOf('d2', { nodeName: 'n1' }) });
    const inbox = async () => (await core.etcd.range({ key: '/periplus/nodes/n1/pods/default/d2' })).kvs.length;
    expect(await inbox()).toBe(1);
    const first = await remove('v1/pods', 'd2');
    const { deletionTimestamp, deletionGracePeriodSeconds, generation } = first.item!.object.metadata;
    expect([deletionGracePeriodSeconds, generation]).toEqual([30, 2]);
    const longer = await remove('v1/pods', 'd2', { gracePeriodSeconds: 60 });
    expect(longer.item!.object.metadata.deletionTimestamp).toBe(deletionTimestamp);
    expect(longer.revision).toBe(0);
    const shorter = (await remove('v1/pods', 'd2', { gracePeriodSeconds: 10 })).item!.object.metadata;
    expect(shorter.deletionGracePeriodSeconds).toBe(10);
    expect(Date.parse(shorter.deletionTimestamp!)).toBe(Date.parse(deletionTimestamp!) - 20_000);
    expect(await inbox()).toBe(1);
    await remove('v1/pods', 'd2', { gracePeriodSeconds: 0 });
    expect((await refusal(core.get('v1/pods', 'default', 'd2'))).reason).toBe('NotFound');
    expect(await inbox()).toBe(0);
  });

  it('waits for finalizers', async () => {
    await configMap('d3', { metadata: { name: 'd3', finalizers: ['example.com/wait'] } });
    const marked = await remove(CONFIG_MAPS, 'd3');
    expect(marked.item!.object.metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
    expect((await refusal(create(CONFIG_MAPS, { metadata: { name: 'd3' } }))).message).toBe(
      'object is being deleted: configmaps "d3" already exists',
    );
    const more = { metadata: { finalizers: ['example.com/wait', 'example.com/more'] } };
    expect((await refusal(patch(CONFIG_MAPS, 'd3', 'merge', more))).message).toMatch(
      /no new finalizers can be added if the object is being deleted/,
    );
    await patch(CONFIG_MAPS, 'd3', 'merge', { metadata: { finalizers: null } });
    expect((await refusal(core.get(CONFIG_MAPS, 'default', 'd3'))).reason).toBe('NotFound');
  });

  it('leaves the dependents to the garbage collector as it is told', async () => {
    const finalizersAfter = async (name: string, options: DeleteOptions) => {
      await configMap(name);
      return (await remove(CONFIG_MAPS, name, options)).item?.object.metadata.finalizers;
    };
    expect(await finalizersAfter('d4', { propagationPolicy: 'Orphan' })).toEqual(['orphan']);
    expect(await finalizersAfter('d5', { propagationPolicy: 'Foreground' })).toEqual(['foregroundDeletion']);
    expect(await finalizersAfter('d6', { propagationPolicy: 'Background' })).toBeUndefined();
    expect(await finalizersAfter('d7', { orphanDependents: true })).toEqual(['orphan']);
    expect((await refusal(remove(CONFIG_MAPS, 'd4', { propagationPolicy: 'Sometimes' }))).message).toMatch(
      /^DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sometimes": supported values: "Foreground", "Background", "Orphan", "nil"$/,
    );
    const both = { propagationPolicy: 'Orphan', orphanDependents: true };
    expect((await refusal(remove(CONFIG_MAPS, 'd4', both))).code).toBe(422);
  });

  it('deletes only the object that was meant', async () => {
    const { metadata } = await configMap('d8');
    const uid = await refusal(remove(CONFIG_MAPS, 'd8', { preconditions: { uid: 'other' } }));
    expect(uid.message).toBe(
      `Operation cannot be fulfilled on configmaps "d8": the UID in the precondition (other) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
    const version = { preconditions: { resourceVersion: '1' } };
    expect((await refusal(remove(CONFIG_MAPS, 'd8', version))).reason).toBe('Conflict');
    await remove(CONFIG_MAPS, 'd8', {
      preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion },
    });
  });

  it('removes a collection by its selector', async () => {
    for (let i = 0; i < 12; i++)
      await configMap(`c${i}`, { metadata: { name: `c${i}`, labels: { odd: String(i % 2) } } });
    const gone = await core.operations.deleteCollection(
      core.as(admin),
      at(CONFIG_MAPS, 'default'),
      { labelSelector: 'odd=1' },
      {},
    );
    expect(gone.items.map(({ object }) => object.metadata.name).sort()).toEqual(['c1', 'c11', 'c3', 'c5', 'c7', 'c9']);
    const left = await core.operations.list(core.as(admin), at(CONFIG_MAPS, 'default'), { labelSelector: 'odd' });
    expect(left.items).toHaveLength(6);
  });

  it('refuses to take the default namespace away', async () => {
    const error = await refusal(remove('v1/namespaces', 'default', {}, ''));
    expect(error.message).toBe('namespaces "default" is forbidden: this namespace may not be deleted');
  });

  it('ends a namespace when its finalizers are gone, and lets nothing into it before', async () => {
    await create('v1/namespaces', { metadata: { name: 'short' } }, '');
    const marked = (await remove('v1/namespaces', 'short', {}, '')).item!.object as Namespace;
    expect(marked.status?.phase).toBe('Terminating');
    expect(marked.spec.finalizers).toEqual(['kubernetes']);
    const error = await refusal(create(CONFIG_MAPS, { metadata: { name: 'x' } }, 'short'));
    expect(error.message).toBe(
      'configmaps "x" is forbidden: unable to create new content in namespace short because it is being terminated',
    );
    expect(error.details?.causes).toEqual([
      {
        reason: 'NamespaceTerminating',
        message: 'namespace short is being terminated',
        field: 'metadata.namespace',
      },
    ]);
    const object = await core.get('v1/namespaces', '', 'short');
    await update('v1/namespaces', { ...object, spec: { finalizers: [] } } as KubeObject, 'finalize');
    expect((await refusal(core.get('v1/namespaces', '', 'short'))).reason).toBe('NotFound');
  });
});

describe('scale', () => {
  const target = at('apps/v1/deployments', 'default', 'web', 'scale');

  it('reads and sets one number', async () => {
    await create('apps/v1/deployments', deploymentOf('web'));
    const scale = (await core.operations.get(core.as(admin), target, {})).object;
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=web' },
    });
    const updated = await core.operations.update(core.as(admin), target, body({ ...scale, spec: { replicas: 7 } }));
    expect(updated.object).toMatchObject({ spec: { replicas: 7 } });
    const patched = await core.operations.patch(core.as(admin), target, patchOf('merge', { spec: { replicas: 3 } }));
    expect(patched.object).toMatchObject({ spec: { replicas: 3 } });
    const object = (await core.get('apps/v1/deployments', 'default', 'web')) as Deployment;
    expect([object.spec.replicas, object.metadata.generation]).toEqual([3, 3]);
  });

  it('refuses less than nothing, and what is out of date', async () => {
    const scale = (await core.operations.get(core.as(admin), target, {})).object;
    const less = core.operations.patch(core.as(admin), target, patchOf('merge', { spec: { replicas: -1 } }));
    expect((await refusal(less)).message).toBe(
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    const old = { ...scale, metadata: { ...scale.metadata, resourceVersion: '1' } };
    expect((await refusal(core.operations.update(core.as(admin), target, body(old)))).reason).toBe('Conflict');
  });
});

describe('binding', () => {
  const bind = (name: string, node: string, metadata: object = {}, kind = 'Node') =>
    core.operations.create(
      core.as(admin),
      at('v1/pods', 'default', name, 'binding'),
      body({
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, ...metadata },
        target: { apiVersion: 'v1', kind, name: node },
      }),
    );

  it('gives a pod to a node, once', async () => {
    await create('v1/pods', podOf('b1'));
    const result = await bind('b1', 'n7', { annotations: { chosen: 'yes' } });
    expect(result.code).toBe(201);
    expect(result.object).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
    const pod = (await core.get('v1/pods', 'default', 'b1')) as Pod;
    expect(pod.spec.nodeName).toBe('n7');
    expect(pod.metadata).toMatchObject({ generation: 1, annotations: { chosen: 'yes' } });
    expect(pod.status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    expect((await core.etcd.range({ key: '/periplus/nodes/n7/pods/default/b1' })).kvs).toHaveLength(1);
    expect((await refusal(bind('b1', 'n8'))).message).toBe(
      'Operation cannot be fulfilled on pods/binding "b1": pod b1 is already assigned to node "n7"',
    );
  });

  it('happens once, however many try', async () => {
    await create('v1/pods', podOf('b2'));
    const all = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => bind('b2', `n${i}`)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('refuses a pod that is another, is gone, or is going', async () => {
    await create('v1/pods', podOf('b3', { nodeName: 'n1' }));
    expect((await refusal(bind('b3', 'n1', { uid: 'other' }))).reason).toBe('Conflict');
    expect((await refusal(bind('none', 'n1'))).message).toBe('pods "none" not found');
    await create('v1/pods', { ...podOf('b4'), metadata: { name: 'b4', finalizers: ['example.com/x'] } });
    await remove('v1/pods', 'b4');
    expect((await refusal(bind('b4', 'n1'))).message).toMatch(/pod b4 is being deleted, cannot be assigned to a host$/);
    expect((await refusal(bind('b3', '', {}, 'Rack'))).message).toMatch(
      /target.kind: Unsupported value: "Rack".*target.name: Required value/,
    );
  });
});
