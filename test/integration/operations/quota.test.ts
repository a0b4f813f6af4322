import type { ResourceQuota } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import { ClusterCache } from '@periplus/cache';
import { openEtcd } from '@periplus/etcd';
import { cacheIndexes, createOperations, type Operations } from '@periplus/operations';
import { Cipher, openStore } from '@periplus/store';
import { eventually } from '@periplus/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore } from './core.ts';

const PREFIX = '/periplus';
const stack = new AsyncDisposableStack();
let core: TestCore;
/** A second api-server of the same cluster, with a cache of its own. */
let second: Operations;

async function startSecond(): Promise<Operations> {
  const etcd = openEtcd({ endpoints: [...core.endpoints] });
  stack.defer(() => etcd.close());
  const cipher = new Cipher([{ id: 'test', key: Buffer.alloc(32, 7) }]);
  const ending = new AbortController();
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const cache = new ClusterCache({ etcd, prefix: PREFIX, cipher, indexes: cacheIndexes, log });
  stack.defer(() => ending.abort());
  await cache.start(ending.signal);
  const store = openStore({ etcd, prefix: PREFIX, cipher });
  stack.defer(() => store.close());
  const { authorizer, authenticator, tokens, network } = core;
  const operations = createOperations({
    cache,
    store,
    authorizer,
    authenticator,
    tokens,
    network,
    rootCa: Buffer.from('the root'),
    components: [],
    nodeUsage: { usageOf: async () => null },
  });
  stack.defer(() => operations.close());
  return operations;
}

beforeAll(async () => {
  core = stack.use(await startCore());
  second = await startSecond();
});
afterAll(() => stack.disposeAsync());

const settled = async () => core.cache.waitFor(await core.cache.current());
const quotaOf = async (namespace: string) => (await core.get('v1/resourcequotas', namespace, 'quota')) as ResourceQuota;

/** A namespace with a quota that is in force, as its controller would make it. */
async function limitedNamespace(name: string, hard: Record<string, string>, spec: object = {}): Promise<void> {
  await core.create('v1/namespaces', '', { metadata: { name } });
  await core.create('v1/serviceaccounts', name, serviceAccountOf('default'));
  await core.create('v1/resourcequotas', name, { metadata: { name: 'quota' }, spec: { hard, ...spec } });
  const used = Object.fromEntries(Object.keys(hard).map((resource) => [resource, '0']));
  await core.operations.patch(core.as(admin), at('v1/resourcequotas', name, 'quota', 'status'), {
    mediaType: 'application/merge-patch+json',
    body: body({ status: { hard, used } }),
  });
  // From now on both know of it.
  await settled();
  await second.get(core.as(admin), at('v1/resourcequotas', name, 'quota'), {});
}

const createMap = (operations: Operations, namespace: string, name: string) =>
  operations.create(core.as(admin), at('v1/configmaps', namespace), body({ metadata: { name } }));
const remove = (operations: Operations, resource: string, namespace: string, name: string, options = {}) =>
  operations.delete(core.as(admin), at(resource, namespace, name), options);
const withCpu = (cpu: string) => ({
  containers: [{ name: 'main', image: 'x', resources: { requests: { cpu }, limits: { cpu } } }],
});
const usedIs = (namespace: string, used: object) =>
  eventually(async () => expect((await quotaOf(namespace)).status?.used).toEqual(used));

describe('a quota', () => {
  it('counts what is made and what goes', async () => {
    await limitedNamespace('counting', { pods: '3', 'requests.cpu': '2', 'services.nodeports': '1' });
    await core.create('v1/pods', 'counting', podOf('a', withCpu('500m')));
    await core.create('v1/pods', 'counting', podOf('b', withCpu('1')));
    expect((await quotaOf('counting')).status?.used).toEqual({
      pods: '2',
      'requests.cpu': '1500m',
      'services.nodeports': '0',
    });
    await remove(core.operations, 'v1/pods', 'counting', 'a', { gracePeriodSeconds: 0 });
    await usedIs('counting', { pods: '1', 'requests.cpu': '1', 'services.nodeports': '0' });
  });

  it('frees what a pod took when the pod has ended', async () => {
    await limitedNamespace('ending', { pods: '1', 'count/pods': '5' });
    await core.create('v1/pods', 'ending', podOf('a'));
    await core.operations.patch(core.as(admin), at('v1/pods', 'ending', 'a', 'status'), {
      mediaType: 'application/merge-patch+json',
      body: body({ status: { phase: 'Succeeded' } }),
    });
    await usedIs('ending', { pods: '0', 'count/pods': '1' });
    await core.create('v1/pods', 'ending', podOf('b'));
  });

  it('counts what a change adds', async () => {
    await limitedNamespace('growing', { 'services.nodeports': '1' });
    const spec = {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    };
    await core.create('v1/services', 'growing', { metadata: { name: 's' }, spec });
    const grow = core.operations.patch(core.as(admin), at('v1/services', 'growing', 's'), {
      mediaType: 'application/merge-patch+json',
      body: body({ spec: { type: 'NodePort' } }),
    });
    expect((await refusal(grow)).message).toBe(
      'services "s" is forbidden: exceeded quota: quota, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
    );
  });

  it('refuses in the words of Kubernetes', async () => {
    await limitedNamespace('refusing', { pods: '1', 'limits.cpu': '1', 'requests.memory': '1Gi' });
    expect((await refusal(core.create('v1/pods', 'refusing', podOf('p')))).message).toBe(
      'pods "p" is forbidden: failed quota: quota: must specify limits.cpu for: main; requests.memory for: main',
    );
    const resources = { requests: { memory: '2Gi' }, limits: { cpu: '1500m', memory: '2Gi' } };
    const greedy = { containers: [{ name: 'main', image: 'x', resources }] };
    const error = await refusal(core.create('v1/pods', 'refusing', podOf('p', greedy)));
    expect([error.code, error.message]).toEqual([
      403,
      'pods "p" is forbidden: exceeded quota: quota, requested: limits.cpu=1500m,requests.memory=2Gi, used: limits.cpu=0,requests.memory=0, limited: limits.cpu=1,requests.memory=1Gi',
    ]);
  });

  it('knows of dry runs, and counts them not', async () => {
    await limitedNamespace('trying', { configmaps: '1' });
    const attempt = (name: string) =>
      core.operations.create(
        core.as(admin, { dryRun: true }),
        at('v1/configmaps', 'trying'),
        body({ metadata: { name } }),
      );
    await attempt('a');
    await createMap(core.operations, 'trying', 'b');
    expect((await refusal(attempt('c'))).code).toBe(403);
    expect((await quotaOf('trying')).status?.used).toEqual({ configmaps: '1' });
  });

  it('gives back what was counted for a write that failed', async () => {
    await limitedNamespace('failing', { configmaps: '5' });
    await createMap(core.operations, 'failing', 'a');
    expect((await refusal(createMap(core.operations, 'failing', 'a'))).reason).toBe('AlreadyExists');
    await usedIs('failing', { configmaps: '1' });
  });

  it('is asked only about what it is about', async () => {
    await limitedNamespace('scoped', { pods: '1' }, { scopes: ['BestEffort'] });
    await core.create('v1/pods', 'scoped', podOf('a', withCpu('1')));
    await core.create('v1/pods', 'scoped', podOf('b'));
    expect((await refusal(core.create('v1/pods', 'scoped', podOf('c')))).code).toBe(403);
    await core.create('v1/pods', 'scoped', podOf('d', withCpu('1')));
  });

  it('that nobody has looked at yet limits nothing', async () => {
    await core.create('v1/namespaces', '', { metadata: { name: 'early' } });
    const spec = { hard: { configmaps: '0' } };
    await core.create('v1/resourcequotas', 'early', { metadata: { name: 'quota' }, spec });
    await settled();
    await createMap(core.operations, 'early', 'a');
  });
});

describe('a quota that two servers count in', () => {
  const LIMIT = 7;
  const RUNS = 5;

  /** The most objects that there ever were at one revision. */
  function watchPeak(namespace: string): { peak(): number; stop(): void } {
    let now = 0;
    let peak = 0;
    const stop = core.cache.subscribe((_, changes) => {
      for (const { type, entry } of changes) {
        if (entry.key.resource !== 'configmaps' || entry.key.namespace !== namespace) continue;
        now += type === 'added' ? 1 : type === 'deleted' ? -1 : 0;
      }
      peak = Math.max(peak, now);
    });
    return { peak: () => peak, stop };
  }

  it('is used up to the last, and never exceeded', async () => {
    await limitedNamespace('crowded', { configmaps: String(LIMIT) });
    const { peak, stop } = watchPeak('crowded');
    const attempts = Array.from({ length: 60 }, (_, i) =>
      createMap(i % 2 === 0 ? core.operations : second, 'crowded', `m${i}`).then(
        () => 'made',
        ({ reason }: { reason: string }) => reason,
      ),
    );
    const outcomes = await Promise.all(attempts);
    await settled();
    stop();
    expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(LIMIT);
    expect(outcomes.filter((outcome) => outcome === 'Forbidden')).toHaveLength(60 - LIMIT);
    expect(peak()).toBe(LIMIT);
    await usedIs('crowded', { configmaps: String(LIMIT) });
  });

  it('holds through any mix of creates and deletes, and ends with what is there', async () => {
    const step = fc.record({ server: fc.boolean(), create: fc.boolean(), name: fc.integer({ min: 0, max: 14 }) });
    let run = 0;
    const property = fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 8 }),
      async (workers) => {
        const namespace = `mixed-${run++}`;
        await limitedNamespace(namespace, { configmaps: String(LIMIT) });
        const { peak, stop } = watchPeak(namespace);
        const work = workers.map(async (steps) => {
          for (const { server, create, name } of steps) {
            const operations = server ? core.operations : second;
            const attempt = create
              ? createMap(operations, namespace, `m${name}`)
              : remove(operations, 'v1/configmaps', namespace, `m${name}`);
            await attempt.catch(({ reason }) =>
              expect(['Forbidden', 'AlreadyExists', 'NotFound', 'Conflict']).toContain(reason),
            );
          }
        });
        await Promise.all(work);
        await settled();
        stop();
        expect(peak()).toBeLessThanOrEqual(LIMIT);
        const { items } = await core.operations.list(core.as(admin), at('v1/configmaps', namespace), {});
        await usedIs(namespace, { configmaps: String((items as readonly { object: KubeObject }[]).length) });
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });
});
