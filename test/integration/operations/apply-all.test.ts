import { randomUUID } from 'node:crypto';
import type { KubeObject } from '@periplus/apimachinery';
import { parseVersion } from '@periplus/apimachinery';
import type { RequestContext, User } from '@periplus/operations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore, user } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
});
afterAll(() => core[Symbol.asyncDispose]());

interface Together extends Partial<RequestContext> {
  force?: boolean;
  who?: User;
}

const RESOURCES: Record<string, string> = {
  ConfigMap: 'v1/configmaps',
  Deployment: 'apps/v1/deployments',
  Namespace: 'v1/namespaces',
  Pod: 'v1/pods',
  PriorityClass: 'scheduling.k8s.io/v1/priorityclasses',
  ResourceQuota: 'v1/resourcequotas',
  Role: 'rbac.authorization.k8s.io/v1/roles',
  RoleBinding: 'rbac.authorization.k8s.io/v1/rolebindings',
  Service: 'v1/services',
  ServiceAccount: 'v1/serviceaccounts',
};

function together(namespace: string, objects: object[], { force = false, who = admin, ...more }: Together = {}) {
  const configured = objects.map((object) => {
    const { kind, metadata } = object as KubeObject;
    const target = at(RESOURCES[kind]!, kind === 'Namespace' || kind === 'PriorityClass' ? '' : namespace);
    return { target: { ...target, name: metadata.name! }, body: body(object) };
  });
  return core.operations.applyAll(core.as(who, { fieldManager: 'kubectl', ...more }), configured, force);
}

const namespaceOf = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const configMap = (name: string, data: Record<string, string>): object => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
});
const service = (name: string, spec: object): object => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } },
});
const exists = (resource: string, namespace: string, name: string): Promise<boolean> =>
  core.get(resource, namespace, name).then(
    () => true,
    () => false,
  );

describe('objects that are applied together', () => {
  it('come to be at one revision, each at its place, with what each relies on whatever their order', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
    const objects = [
      podOf('web', { serviceAccountName: 'web', priorityClassName: 'urgent' }),
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'reader' }, roleRef },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'reader' }, rules },
      serviceAccountOf('web'),
      { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'urgent' }, value: 7 },
      namespaceOf('shop'),
    ];
    const results = await together('shop', objects);
    expect(results.map(({ object }) => object.kind)).toEqual(objects.map((object) => (object as KubeObject).kind));
    expect(results.map(({ code }) => code)).toEqual(objects.map(() => 201));
    const places = results.map(({ resourceVersion }) => parseVersion(resourceVersion)!);
    expect(new Set(places.map(({ revision }) => revision)).size).toBe(1);
    expect(new Set(places.map(({ index }) => index)).size).toBe(6);
    expect(await core.get('v1/pods', 'shop', 'web')).toMatchObject({
      metadata: { resourceVersion: results[0]!.resourceVersion },
      spec: { priority: 7, serviceAccountName: 'web', volumes: [{ projected: {} }] },
    });
  });

  it('change nothing when one of them is refused, which the error names', async () => {
    const error = await refusal(
      together('default', [
        configMap('fine', { a: '1' }),
        { ...configMap('wrong', {}), immutable: 'yes' },
        { ...podOf('bad'), spec: { containers: [] } },
      ]),
    );
    expect(error.message).toMatch(/^objects\[1\]: /);
    expect(error.details).toMatchObject({ name: 'wrong', kind: 'configmaps', causes: [{ field: 'objects[1]' }] });
    const invalid = await refusal(
      together('default', [configMap('fine', { a: '1' }), { ...configMap('large', {}), data: { 'a b': 'x' } }]),
    );
    expect(invalid).toMatchObject({ reason: 'Invalid', details: { causes: [{ field: 'objects[1].data[a b]' }] } });
    const lost = await refusal(together('nowhere', [configMap('fine', {})]));
    expect(lost).toMatchObject({ reason: 'NotFound', message: 'objects[0]: namespaces "nowhere" not found' });
    expect(await exists('v1/configmaps', 'default', 'fine')).toBe(false);
  });

  it('are refused for who may not write all of them', async () => {
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }];
    const metadata = { name: 'config' };
    await core.create('rbac.authorization.k8s.io/v1/roles', 'default', {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    });
    const binding = await core.create('rbac.authorization.k8s.io/v1/rolebindings', 'default', {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'config' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    });
    await core.cache.waitFor(binding.revision);
    const who = user('jane');
    const both = [configMap('of-jane', {}), service('of-jane', {})];
    const error = await refusal(together('default', both, { who }));
    expect(error).toMatchObject({ reason: 'Forbidden', details: { name: 'of-jane', kind: 'services' } });
    expect(error.message).toMatch(/^objects\[1\]: services "of-jane" is forbidden: User "jane" cannot patch/);
    expect(await exists('v1/configmaps', 'default', 'of-jane')).toBe(false);
    await together('default', both.slice(0, 1), { who });
  });

  it('merge, conflict, are forced and let go as a single apply', async () => {
    await together('default', [configMap('m1', { a: '1', b: '1' }), configMap('m2', { a: '1' })]);
    const others = [configMap('m2', { c: '1' }), configMap('m1', { a: '2' })];
    const error = await refusal(together('default', others, { fieldManager: 'other' }));
    expect(error).toMatchObject({ reason: 'Conflict', details: { causes: [{ field: 'objects[1].data.a' }] } });
    expect(await core.get('v1/configmaps', 'default', 'm2')).toMatchObject({ data: { a: '1' } });
    await together('default', others, { fieldManager: 'other', force: true });
    await together('default', [configMap('m1', {}), configMap('m2', { a: '3' })]);
    expect(await core.get('v1/configmaps', 'default', 'm1')).toMatchObject({ data: { a: '2' } });
    expect(await core.get('v1/configmaps', 'default', 'm2')).toMatchObject({ data: { a: '3', c: '1' } });
  });

  it('write only what changes', async () => {
    const objects = [configMap('same', { a: '1' }), configMap('other', { a: '1' })];
    const first = await together('default', objects);
    const second = await together('default', [objects[0]!, configMap('other', { a: '2' })]);
    expect(second[0]!.resourceVersion).toBe(first[0]!.resourceVersion);
    expect(second[1]!.revision).toBeGreaterThan(first[1]!.revision);
    const third = await together('default', [objects[0]!, configMap('other', { a: '2' })]);
    expect(third.map(({ resourceVersion }) => resourceVersion)).toEqual(
      second.map(({ resourceVersion }) => resourceVersion),
    );
  });

  it('write nothing in a dry run, and answer as if', async () => {
    const results = await together('dry', [namespaceOf('dry'), configMap('a', { a: '1' })], { dryRun: true });
    expect(results[1]!.object).toMatchObject({ metadata: { namespace: 'dry' }, data: { a: '1' } });
    expect(await exists('v1/namespaces', '', 'dry')).toBe(false);
  });

  it('share no address and no port', async () => {
    const error = await refusal(
      together('default', [
        service('s1', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_123 }] }),
        service('s2', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_123 }] }),
      ]),
    );
    expect(error).toMatchObject({
      reason: 'Invalid',
      details: { name: 's2', causes: [{ field: 'objects[1].spec.ports[0].nodePort' }] },
    });
    const many = Array.from({ length: 40 }, (_, i) => service(`many-${i}`, {}));
    const results = await together('default', many);
    expect(
      new Set(results.map(({ object }) => (object as never as { spec: { clusterIP: string } }).spec.clusterIP)).size,
    ).toBe(40);
  });

  it('are counted in quotas together, and given back when they are refused', async () => {
    await core.create('v1/namespaces', '', namespaceOf('tight'));
    const hard = { configmaps: '3' };
    await core.create('v1/resourcequotas', 'tight', {
      ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few' }, spec: { hard } },
    });
    const status = body({ status: { hard, used: { configmaps: '0' } } });
    const target = at('v1/resourcequotas', 'tight', 'few', 'status');
    const patch = { mediaType: 'application/merge-patch+json', body: status };
    await core.cache.waitFor((await core.operations.patch(core.as(admin), target, patch)).revision);
    const maps = (...names: string[]) => names.map((name) => configMap(name, {}));
    const error = await refusal(together('tight', maps('a', 'b', 'c', 'd')));
    expect(error).toMatchObject({ reason: 'Forbidden', details: { name: 'd', kind: 'configmaps' } });
    expect(error.message).toMatch(/^objects\[3\]: configmaps "d" is forbidden: exceeded quota: few/);
    expect(await exists('v1/configmaps', 'tight', 'a')).toBe(false);
    const used = async () => (await core.get('v1/resourcequotas', 'tight', 'few')) as { status?: object };
    await expect.poll(used).toMatchObject({ status: { used: { configmaps: '0' } } });
    await together('tight', maps('a', 'b', 'c'));
    expect(await used()).toMatchObject({ status: { used: { configmaps: '3' } } });
    // The quota may come along: unchanged, and with a change of its own.
    const quota = (metadata: object) => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } });
    await core.operations.delete(core.as(admin), at('v1/configmaps', 'tight', 'c'), {});
    await expect.poll(used).toMatchObject({ status: { used: { configmaps: '2' } } });
    await together('tight', [quota({ name: 'few', labels: { a: 'b' } }), ...maps('d')], { force: true });
    expect(await used()).toMatchObject({ metadata: { labels: { a: 'b' } }, status: { used: { configmaps: '3' } } });
    await core.operations.delete(core.as(admin), at('v1/configmaps', 'tight', 'd'), {});
    await expect.poll(used).toMatchObject({ status: { used: { configmaps: '2' } } });
    await together('tight', [quota({ name: 'few', labels: { a: 'b' } }), ...maps('e')]);
    expect(await used()).toMatchObject({ status: { used: { configmaps: '3' } } });
  });

  it('are at most 100, each once, and no more than etcd takes', async () => {
    const maps = (count: number) => Array.from({ length: count }, (_, i) => configMap(`n-${i}`, {}));
    expect(await refusal(together('default', maps(101)))).toMatchObject({ reason: 'RequestEntityTooLarge', code: 413 });
    expect(await refusal(together('default', []))).toMatchObject({ reason: 'BadRequest' });
    const twice = await refusal(together('default', [...maps(2), ...maps(1)]));
    expect(twice).toMatchObject({
      reason: 'Invalid',
      details: { causes: [{ field: 'objects[2]', reason: 'FieldValueDuplicate' }] },
    });
    const filler = 'x'.repeat(200_000);
    const large = maps(10).map((map) => ({ ...map, data: { filler } }));
    expect(await refusal(together('default', large))).toMatchObject({ reason: 'RequestEntityTooLarge' });
    const services = Array.from({ length: 70 }, (_, i) => service(`too-many-${i}`, {}));
    expect(await refusal(together('default', services))).toMatchObject({ reason: 'RequestEntityTooLarge' });
    expect((await together('default', maps(100))).length).toBe(100);
  });
});

it('changes that cross are tried again as a whole, and each is seen whole by who watches', async () => {
  const names = ['x', 'y', 'z'].map((name) => `cross-${name}`);
  const seen: { revision: number; name: string; data: Record<string, string> }[] = [];
  const unsubscribe = core.cache.subscribe((revision, changes) => {
    for (const { entry } of changes) {
      if (!entry.key.name.startsWith('cross-')) continue;
      seen.push({ revision, name: entry.key.name, data: (entry.object as never as (typeof seen)[0]).data });
    }
  });
  const alone = async (writer: number): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      const target = at('v1/configmaps', 'default', names[i % 3]!);
      const patch = {
        mediaType: 'application/merge-patch+json',
        body: body({ metadata: { labels: { [`w${writer}`]: `${i}` } } }),
      };
      await core.operations.patch(core.as(admin), target, patch);
    }
  };
  await together(
    'default',
    names.map((name) => configMap(name, { value: 'first' })),
    { fieldManager: 'writer' },
  );
  const writer = async (of: number): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      const value = randomUUID();
      const order = of % 2 === 0 ? names : [...names].reverse();
      await together(
        'default',
        order.map((name) => configMap(name, { value })),
        { fieldManager: 'writer' },
      );
    }
  };
  await Promise.all([writer(0), writer(1), writer(2), alone(0), alone(1)]);
  unsubscribe();
  const byRevision = Map.groupBy(seen, ({ revision }) => revision);
  const current = new Map<string, string>();
  for (const changes of byRevision.values()) {
    for (const { name, data } of changes) current.set(name, data.value!);
    expect(new Set(current.values()).size).toBe(1);
  }
  expect(byRevision.size).toBeGreaterThan(10);
});
