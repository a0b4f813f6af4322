import { join } from 'node:path';
import {
  ApiException,
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Namespace,
  Watch,
} from '@kubernetes/client-node';
import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const NAMESPACE = 'default';
const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;

let server: TestServer;
let config: KubeConfig;
let core: CoreV1Api;
beforeAll(async () => {
  server = await TestServer.start();
  config = new KubeConfig();
  config.loadFromFile(join(server.folder, 'kubeconfig'));
  core = config.makeApiClient(CoreV1Api);
});
afterAll(() => server[Symbol.asyncDispose]());

const configMap = (name: string, data: Record<string, string>): V1ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: NAMESPACE, labels: { of: 'client-node' } },
  data,
});
const create = (name: string, data: Record<string, string> = {}) =>
  core.createNamespacedConfigMap({ namespace: NAMESPACE, body: configMap(name, data) });

describe('@kubernetes/client-node', () => {
  it('writes and reads objects of several groups', async () => {
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const made = await config.makeApiClient(AppsV1Api).createNamespacedDeployment({
      namespace: NAMESPACE,
      body: { metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'a' } }, template } },
    });
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
    expect(made.spec).toMatchObject({ replicas: 1, strategy: { rollingUpdate: { maxSurge: '25%' } } });
    const job = await config.makeApiClient(BatchV1Api).createNamespacedJob({
      namespace: NAMESPACE,
      body: {
        metadata: { name: 'once' },
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
      },
    });
    expect(job.spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 6 });
    const scale = await config
      .makeApiClient(AppsV1Api)
      .readNamespacedDeploymentScale({ name: 'web', namespace: NAMESPACE });
    expect(scale.spec?.replicas).toBe(1);
  });

  it('pages through a list and selects', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await create(name);
    const names: (string | undefined)[] = [];
    let next: string | undefined;
    do {
      const page = await core.listNamespacedConfigMap({
        ...{ namespace: NAMESPACE, labelSelector: 'of=client-node', limit: 2 },
        ...(next && { _continue: next }),
      });
      names.push(...page.items.map(({ metadata }) => metadata?.name));
      next = page.metadata?._continue;
    } while (next);
    expect(names).toEqual(['page-a', 'page-b', 'page-c']);
  });

  it.each([
    ['a JSON patch', PatchStrategy.JsonPatch, [{ op: 'replace', path: '/data/a', value: 'json' }], 'json'],
    ['a merge patch', PatchStrategy.MergePatch, { data: { a: 'merge' } }, 'merge'],
    ['a strategic merge patch', PatchStrategy.StrategicMergePatch, { data: { a: 'strategic' } }, 'strategic'],
  ])('sends %s', async (what, strategy, body, expected) => {
    const name = what.replaceAll(' ', '-').toLowerCase();
    await create(name, { a: 'before' });
    const request = { name, namespace: NAMESPACE, body };
    const patched = await core.patchNamespacedConfigMap(request, setHeaderOptions('Content-Type', strategy));
    expect(patched.data).toEqual({ a: expected });
  });

  it('applies on the server, and is told of conflicts', async () => {
    const apply = (fieldManager: string, value: string, force = false) =>
      core.patchNamespacedConfigMap(
        { name: 'applied', namespace: NAMESPACE, fieldManager, force, body: configMap('applied', { a: value }) },
        setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
      );
    expect((await apply('one', '1')).data).toEqual({ a: '1' });
    const refused = await apply('two', '2').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiException);
    expect((refused as ApiException<string>).code).toBe(409);
    expect((await apply('two', '2', true)).data).toEqual({ a: '2' });
  });

  it('works with objects of any kind', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const made = await objects.create<V1Namespace>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'any' } });
    expect(made.metadata?.uid).toBeDefined();
    const read = await objects.read<V1Namespace>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'any' } });
    expect(read.metadata?.uid).toBe(made.metadata?.uid);
    const missing = objects.read({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'none' } });
    await expect(missing).rejects.toMatchObject({ code: 404 });
  });

  it('watches', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace: NAMESPACE });
    const seen: string[] = [];
    const ended = Promise.withResolvers<void>();
    const query = { resourceVersion: metadata?.resourceVersion, allowWatchBookmarks: true };
    const stop = await new Watch(config).watch(
      MAPS,
      query,
      (phase, object: V1ConfigMap) => seen.push(`${phase} ${object.metadata?.name}`),
      () => ended.resolve(),
    );
    await create('watched');
    await core.deleteNamespacedConfigMap({ name: 'watched', namespace: NAMESPACE });
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen).toEqual(['ADDED watched', 'DELETED watched']);
    stop.abort();
    await ended.promise;
  });

  it('keeps an informer up to date', async () => {
    const list = () => core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: 'of=client-node' });
    const informer = makeInformer<V1ConfigMap>(config, MAPS, list, 'of=client-node');
    const seen: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const) {
      informer.on(verb, ({ metadata }) => {
        if (metadata?.name === 'informed') seen.push(verb);
      });
    }
    await informer.start();
    await create('informed', { a: '1' });
    await eventually(() => expect(informer.get('informed', NAMESPACE)).toBeDefined());
    await core.replaceNamespacedConfigMap({
      ...{ name: 'informed', namespace: NAMESPACE },
      body: configMap('informed', { a: '2' }),
    });
    await eventually(() => expect(informer.get('informed', NAMESPACE)?.data).toEqual({ a: '2' }));
    await core.deleteNamespacedConfigMap({ name: 'informed', namespace: NAMESPACE });
    await eventually(() => expect(informer.get('informed', NAMESPACE)).toBeUndefined());
    await informer.stop();
    expect(seen).toEqual(['add', 'update', 'delete']);
  });
});
