import { type ConfigMap, configMap } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { Informer, openResourceClient, type ResourceClient } from '@periplus/client';
import { startProxy, type TestProxy } from '@periplus/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
let proxy: TestProxy;
let client: ResourceClient;
let direct: ResourceClient;
beforeAll(async () => {
  server = await TestServer.start();
  proxy = await startProxy(`https://127.0.0.1:${server.grpcPort}`);
  const tls = { ca: server.pem('ca.crt'), cert: server.pem('admin.crt'), key: server.pem('admin.key') };
  client = openResourceClient({ targets: [new URL(proxy.url).host], tls });
  direct = openResourceClient({ targets: [`127.0.0.1:${server.grpcPort}`], tls });
});
afterAll(async () => {
  client.close();
  direct.close();
  await proxy.close();
  await server[Symbol.asyncDispose]();
});

const map = (name: string, color: string, n = 0): ConfigMap => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { color } }, data: { n: `${n}` } },
});
const apply = (object: ConfigMap, more: { dryRun?: boolean; force?: boolean } = {}): Promise<ConfigMap> =>
  direct.execute({
    ...{ kind: configMap as never, namespace: 'default', name: object.metadata.name!, fieldManager: 'test' },
    ...{ verb: 'patch', type: 'apply', patch: object, ...more },
  });
const shown = (objects: Iterable<DeepReadonly<ConfigMap>>): string[] =>
  Array.from(objects, ({ metadata, data }) => `${metadata.name}=${data?.n}@${metadata.resourceVersion}`).sort();

it('an informer misses nothing while its connection breaks again and again', async () => {
  const ending = new AbortController();
  const informer = new Informer<ConfigMap>({
    ...{ client, kind: configMap, namespace: 'default', labelSelector: 'color=red' },
    indexers: { n: ({ data }) => [data?.n ?? ''] },
  });
  await direct.applyAll(
    ['a', 'b', 'c'].map((name) => map(name, 'red')),
    { fieldManager: 'test' },
  );
  const told = new Map<string, DeepReadonly<ConfigMap>>();
  informer.listen({
    added: (object) => void told.set(object.metadata.name!, object),
    updated: (object) => void told.set(object.metadata.name!, object),
    deleted: ({ metadata }) => void told.delete(metadata.name!),
  });
  await informer.start(ending.signal);
  expect(shown(informer.list())).toHaveLength(3);
  for (let n = 1; n <= 60; n++) {
    const name = 'abcdef'[n % 6]!;
    // A change of color brings it into the selection, or takes it out.
    await apply(map(name, n % 7 === 0 ? 'blue' : 'red', n));
    if (n % 10 === 0) proxy.cut();
    if (n % 15 === 0) await direct.execute({ kind: configMap as never, namespace: 'default', name, verb: 'delete' });
  }
  const { items } = await direct.list(configMap, 'default', { labelSelector: 'color=red' });
  await expect.poll(() => shown(informer.list())).toEqual(shown(items));
  expect(shown(told.values())).toEqual(shown(items));
  expect(proxy.accepted).toBeGreaterThan(1);
  const [one] = items;
  expect(shown(informer.byIndex('n', one!.data!.n!))).toEqual(shown([one!]));
  ending.abort();
});

it('a command may apply, with an owner, by force and as a trial', async () => {
  await apply(map('owned', 'green', 1));
  const other = { kind: configMap as never, namespace: 'default', name: 'owned', fieldManager: 'other' };
  const change = { ...other, verb: 'patch', type: 'apply', patch: map('owned', 'green', 2) } as const;
  await expect(direct.execute(change)).rejects.toMatchObject({
    ...{ reason: 'Conflict', details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.n' }] } },
  });
  const tried = await direct.execute<ConfigMap>({ ...change, force: true, dryRun: true });
  expect(tried.data).toEqual({ n: '2' });
  expect((await direct.get(configMap, 'default', 'owned')).data).toEqual({ n: '1' });
  await direct.execute({ ...change, force: true });
  expect((await direct.get(configMap, 'default', 'owned')).data).toEqual({ n: '2' });
});

it('a client deletes what a selector chooses, and hears what that was', async () => {
  await direct.applyAll([map('first', 'amber'), map('second', 'amber'), map('third', 'teal')], {
    fieldManager: 'test',
  });
  const chosen = { labelSelector: 'color=amber', gracePeriodSeconds: 0, propagationPolicy: 'Background' } as const;
  const names = (objects: ConfigMap[]) => objects.map(({ metadata }) => metadata.name);
  expect(names(await direct.deleteCollection(configMap, 'default', { ...chosen, dryRun: true }))).toEqual([
    'first',
    'second',
  ]);
  expect(names(await direct.deleteCollection(configMap, 'default', chosen))).toEqual(['first', 'second']);
  const { items } = await direct.list(configMap, 'default', { labelSelector: 'color in (amber, teal)' });
  expect(names(items)).toEqual(['third']);
});
