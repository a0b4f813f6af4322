import type { Pod, PodGroup } from '@periplus/api';
import { parseVersion } from '@periplus/apimachinery';
import { Keys } from '@periplus/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore, user } from './core.ts';

const GROUPS = 'scheduling.k8s.io/v1alpha2/podgroups';
const keys = new Keys('/periplus');
/** As `periplus up` starts etcd. */
const LARGE = ['--max-txn-ops', '8192', '--max-request-bytes', '10485760'];

let core: TestCore;
beforeAll(async () => {
  core = await startCore({ etcdArgs: LARGE });
  await core.create('v1/serviceaccounts', 'default', serviceAccountOf('default'));
});
afterAll(() => core[Symbol.asyncDispose]());

interface Binding {
  name: string;
  uid: string;
  node: string;
}

async function createGang(of: TestCore, group: string, count: number): Promise<Binding[]> {
  const spec = { schedulingPolicy: { gang: { minCount: count } } };
  await of.create(GROUPS, 'default', {
    ...{ apiVersion: 'scheduling.k8s.io/v1alpha2', kind: 'PodGroup', metadata: { name: group }, spec },
  });
  const member = (index: number) => podOf(`${group}-${index}`, { schedulingGroup: { podGroupName: group } });
  const created = await Promise.all(
    Array.from({ length: count }, (_, index) => of.create('v1/pods', 'default', member(index))),
  );
  return created.map(({ object: { metadata } }, index) => ({
    ...{ name: metadata.name!, uid: metadata.uid!, node: `node-${index % 7}` },
  }));
}

const bind = (of: TestCore, group: string, bindings: readonly Binding[], who = admin) =>
  of.operations.create(of.as(who), at(GROUPS, 'default', group, 'binding'), body({ bindings }));

const podsOf = (of: TestCore, bindings: readonly Binding[]): Promise<Pod[]> =>
  Promise.all(bindings.map(({ name }) => of.get('v1/pods', 'default', name) as unknown as Promise<Pod>));
const nodesOf = async (of: TestCore, bindings: readonly Binding[]) =>
  (await podsOf(of, bindings)).map(({ spec }) => spec.nodeName);
const labelsOf = async (of: TestCore, bindings: readonly Binding[]) =>
  (await podsOf(of, bindings)).map(({ metadata }) => metadata.labels);
const conditionsOf = async (of: TestCore, group: string) =>
  ((await of.get(GROUPS, 'default', group)) as unknown as PodGroup).status?.conditions;

describe('a pod group that is bound', () => {
  it('has a thousand pods on their nodes, and in the inboxes, at one revision of etcd', async () => {
    const bindings = await createGang(core, 'large', 1_000);
    const { revision } = await bind(core, 'large', bindings);
    const pods = await podsOf(core, bindings);
    expect(pods.map(({ spec }) => spec.nodeName)).toEqual(bindings.map(({ node }) => node));
    const versions = pods.map(({ metadata }) => parseVersion(metadata.resourceVersion!)!);
    expect(new Set(versions.map((version) => version.revision))).toEqual(new Set([revision]));
    expect(versions.map(({ index }) => index)).toEqual(bindings.map((_, index) => index));
    const inboxes = await core.etcd.range(keys.inboxRange());
    expect(inboxes.kvs.length).toBe(1_000);
    expect(new Set(inboxes.kvs.map(({ modRevision }) => modRevision))).toEqual(new Set([revision]));
    expect(pods[0]!.status!.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    const [condition] = (await conditionsOf(core, 'large'))!;
    expect(condition).toMatchObject({ type: 'PodGroupScheduled', status: 'True', reason: 'Scheduled' });
    const { resourceVersion } = (await core.get(GROUPS, 'default', 'large')).metadata;
    expect(parseVersion(resourceVersion!)).toEqual({ revision, index: 1_000 });
  });

  it('tells its pods where their nodes stand', async () => {
    const zone = { 'topology.kubernetes.io/zone': 'z1' };
    await core.create('v1/nodes', '', { metadata: { name: 'node-0', labels: zone } });
    await core.cache.waitFor(await core.cache.current());
    const bindings = await createGang(core, 'placed', 2);
    await bind(core, 'placed', bindings);
    expect(await labelsOf(core, bindings)).toEqual([zone, undefined]);
  });

  it('takes later pods too, and says no more than it has said', async () => {
    const bindings = await createGang(core, 'grows', 3);
    await bind(core, 'grows', bindings.slice(0, 2));
    const said = (await core.get(GROUPS, 'default', 'grows')).metadata.resourceVersion;
    await bind(core, 'grows', bindings.slice(2));
    expect(await nodesOf(core, bindings)).toEqual(['node-0', 'node-1', 'node-2']);
    expect((await core.get(GROUPS, 'default', 'grows')).metadata.resourceVersion).toBe(said);
  });
});

describe('a pod group of which one pod cannot be bound', () => {
  it.each<[string, string, (bindings: Binding[]) => Promise<unknown>, object]>([
    [
      'has a node already',
      'taken',
      ([first]) =>
        core.operations.create(
          core.as(admin),
          at('v1/pods', 'default', first!.name, 'binding'),
          body({ apiVersion: 'v1', kind: 'Binding', metadata: {}, target: { kind: 'Node', name: 'elsewhere' } }),
        ),
      { reason: 'Conflict', message: expect.stringContaining('is already assigned to node "elsewhere"') },
    ],
    [
      'is gone',
      'gone',
      ([first]) =>
        core.operations.delete(core.as(admin), at('v1/pods', 'default', first!.name), { gracePeriodSeconds: 0 }),
      { reason: 'NotFound', message: 'pods "gone-0" not found' },
    ],
    [
      'is another by the same name',
      'other',
      async (bindings) => {
        bindings[0] = { ...bindings[0]!, uid: 'somebody-else' };
      },
      { reason: 'Conflict', message: expect.stringContaining('UID in precondition: somebody-else') },
    ],
    [
      'is of another group',
      'foreign',
      async (bindings) => {
        const { object } = await core.create('v1/pods', 'default', podOf('stranger'));
        bindings.push({ name: 'stranger', uid: object.metadata.uid!, node: 'node-0' });
      },
      { reason: 'Conflict', message: expect.stringContaining('pod stranger is not of pod group foreign') },
    ],
    [
      'is named twice',
      'twice',
      async (bindings) => {
        bindings.push(bindings[0]!);
      },
      { reason: 'Invalid', message: expect.stringContaining('bindings[3].name: Duplicate value: "twice-0"') },
    ],
  ])('is left as it is: the pod %s', async (_, group, spoil, refused) => {
    const bindings = await createGang(core, group, 3);
    await spoil(bindings);
    expect(await refusal(bind(core, group, bindings))).toMatchObject(refused);
    expect(await nodesOf(core, bindings.slice(1, 3))).toEqual([undefined, undefined]);
    expect(await conditionsOf(core, group)).toBeUndefined();
  });

  it('is left as it is when etcd does not take that many at once, and the refusal says so', async () => {
    await using small = await startCore();
    await small.create('v1/serviceaccounts', 'default', serviceAccountOf('default'));
    const bindings = await createGang(small, 'wide', 100);
    expect(await refusal(bind(small, 'wide', bindings))).toMatchObject({
      reason: 'RequestEntityTooLarge',
      message: 'the change is too large for etcd: etcdserver: too many operations in txn request',
    });
    expect(new Set(await nodesOf(small, bindings))).toEqual(new Set([undefined]));
  });
});

describe('the binding of a pod group', () => {
  it('wins over changes of its pods that happen meanwhile, and loses none of them', async () => {
    const bindings = await createGang(core, 'busy', 20);
    const label = ({ name }: Binding) =>
      core.operations.patch(core.as(admin), at('v1/pods', 'default', name), {
        mediaType: 'application/merge-patch+json',
        body: body({ metadata: { labels: { seen: 'yes' } } }),
      });
    await Promise.all([bind(core, 'busy', bindings), ...bindings.map(label)]);
    const pods = await podsOf(core, bindings);
    expect(pods.map(({ spec }) => spec.nodeName)).toEqual(bindings.map(({ node }) => node));
    expect(pods.map(({ metadata }) => metadata.labels?.seen)).toEqual(bindings.map(() => 'yes'));
  });

  it('is for the scheduler, and not for whoever may create groups', async () => {
    const bindings = await createGang(core, 'mine', 1);
    expect(await refusal(bind(core, 'mine', bindings, user('jane')))).toMatchObject({
      reason: 'Forbidden',
      message: expect.stringContaining('cannot create resource "podgroups/binding"'),
    });
    await bind(core, 'mine', bindings, user('system:kube-scheduler'));
    expect(await nodesOf(core, bindings)).toEqual(['node-0']);
  });
});
