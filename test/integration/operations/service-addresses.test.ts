import type { IPAddress, Service, ServiceCIDR } from '@periplus/api';
import { type KubeObject, parseVersion } from '@periplus/apimachinery';
import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, refusal, startCore, type TestCore } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
});
afterAll(() => core[Symbol.asyncDispose]());

const ADDRESSES = 'networking.k8s.io/v1/ipaddresses';
const RANGES = 'networking.k8s.io/v1/servicecidrs';
const SERVICES = 'v1/services';
const serviceOf = (name: string, spec: object = {}) => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
  spec: { ports: [{ port: 80 }], ...spec },
});
const make = async (name: string, spec: object = {}) =>
  (await core.create(SERVICES, 'default', serviceOf(name, spec))).object as Service;
const remove = (resource: string, namespace: string, name: string) =>
  core.operations.delete(core.as(admin), at(resource, namespace, name), {});
const addressNamed = (name: string) => core.get(ADDRESSES, '', name) as Promise<KubeObject & IPAddress>;
const isGone = async (name: string) => (await refusal(addressNamed(name))).reason === 'NotFound';
const revisionOf = ({ metadata }: KubeObject): number => parseVersion(metadata.resourceVersion!)!.revision;
const makeAddress = (name: string, metadata: object = {}) =>
  core.create(ADDRESSES, '', {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name, ...metadata } },
    spec: { parentRef: { group: 'example.com', resource: 'gateways', name: 'mine' } },
  });
const makeRange = async (name: string, cidr: string, status?: 'True' | 'False') => {
  const range = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name },
    spec: { cidrs: [cidr] },
  };
  const made = await core.create(RANGES, '', range);
  if (status) await setReady(name, status);
  return made.object as ServiceCIDR;
};
const setReady = async (name: string, status: 'True' | 'False') => {
  const condition = { type: 'Ready', status, reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const patch = body({ status: { conditions: [condition] } });
  const target = at(RANGES, '', name, 'status');
  const { revision } = await core.operations.patch(core.as(admin), target, {
    mediaType: 'application/merge-patch+json',
    body: patch,
  });
  await core.cache.waitFor(revision);
};

describe('the address of a service', () => {
  it('has an IPAddress that comes and goes at the same revision', async () => {
    const made = await make('one');
    const address = await addressNamed(made.spec.clusterIP!);
    expect(address).toMatchObject({
      metadata: {
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
        managedFields: [{ manager: 'kube-apiserver', operation: 'Update' }],
      },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'one' } },
    });
    expect(revisionOf(address)).toBe(revisionOf(made as KubeObject));
    const before = parseVersion(address.metadata.resourceVersion!)!;
    const { revision } = await remove(SERVICES, 'default', 'one');
    await core.cache.waitFor(revision);
    expect(await isGone(made.spec.clusterIP!)).toBe(true);
    const changes = core.cache.changesSince({ group: 'networking.k8s.io', resource: 'ipaddresses' }, before)!;
    expect(changes.map(({ type, entry }) => [type, entry.key.name, entry.revision])).toEqual([
      ['deleted', made.spec.clusterIP, revision],
    ]);
  });

  it('has none for a dry run, for headless services, and when it becomes a name', async () => {
    const dry = core.as(admin, { dryRun: true });
    const { object } = await core.operations.create(dry, at(SERVICES, 'default'), body(serviceOf('dry')));
    expect(await isGone((object as Service).spec.clusterIP!)).toBe(true);
    await make('headless', { clusterIP: 'None' });
    const { spec, metadata } = await make('becomes');
    const named = body({ metadata, spec: { type: 'ExternalName', externalName: 'example.com' } });
    await core.operations.update(core.as(admin), at(SERVICES, 'default', 'becomes'), named);
    expect(await isGone(spec.clusterIP!)).toBe(true);
    const again = body({ metadata: { name: 'becomes' }, spec: { ports: [{ port: 80 }], externalName: null } });
    const back = {
      ...again,
      value: { ...(again.value as object), spec: { type: 'ClusterIP', ports: [{ port: 80 }] } },
    };
    const updated = await core.operations.update(core.as(admin), at(SERVICES, 'default', 'becomes'), {
      ...back,
      json: JSON.stringify(back.value),
    });
    expect((await addressNamed((updated.object as Service).spec.clusterIP!)).spec.parentRef?.name).toBe('becomes');
  });

  it('is one that somebody else has no IPAddress of', async () => {
    await makeAddress('10.96.1.1');
    expect((await refusal(make('taken', { clusterIP: '10.96.1.1' }))).message).toBe(
      'Service "taken" is invalid: spec.clusterIPs: Invalid value: ["10.96.1.1"]: failed to allocate IP 10.96.1.1: provided IP is already allocated',
    );
    // Nobody looks at whose it is when a service goes that never had it.
    expect((await addressNamed('10.96.1.1')).spec.parentRef?.name).toBe('mine');
  });

  it('goes to one of the two, when a service and an IPAddress want it at once', async () => {
    for (let i = 10; i < 30; i++) {
      const address = `10.96.2.${i}`;
      const both = await Promise.allSettled([make(`race-${i}`, { clusterIP: address }), makeAddress(address)]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const isService = both[0].status === 'fulfilled';
      expect((await addressNamed(address)).spec.parentRef?.name).toBe(isService ? `race-${i}` : 'mine');
    }
  });

  it('stays as long as its finalizers hold it', async () => {
    const { spec } = await make('held');
    const name = spec.clusterIP!;
    const patch = body({ metadata: { finalizers: ['example.com/hold'] } });
    await core.operations.patch(core.as(admin), at(ADDRESSES, '', name), {
      mediaType: 'application/merge-patch+json',
      body: patch,
    });
    await remove(SERVICES, 'default', 'held');
    const { metadata } = await addressNamed(name);
    expect(metadata.deletionTimestamp).toBeDefined();
    expect((await refusal(make('next', { clusterIP: name }))).message).toContain('provided IP is already allocated');
  });

  it('is let go with a service whose IPAddress is gone already', async () => {
    const { spec } = await make('alone');
    await remove(ADDRESSES, '', spec.clusterIP!);
    // Its service still has it.
    expect((await refusal(make('thief', { clusterIP: spec.clusterIP }))).reason).toBe('Invalid');
    await remove(SERVICES, 'default', 'alone');
    expect((await make('heir', { clusterIP: spec.clusterIP })).spec.clusterIP).toBe(spec.clusterIP);
  });

  it('comes with the whole of a transaction, or not at all', async () => {
    const apply = (...objects: object[]) =>
      core.operations.applyAll(
        core.as(admin, { fieldManager: 'kubectl' }),
        objects.map((object) => {
          const { kind, metadata } = object as KubeObject;
          const target = kind === 'Service' ? at(SERVICES, 'default', metadata.name) : at(ADDRESSES, '', metadata.name);
          return { target, body: body(object) };
        }),
        false,
      );
    const results = await apply(serviceOf('a1'), serviceOf('a2', { clusterIP: '10.96.3.3' }));
    for (const { object, revision } of results) {
      const address = await addressNamed((object as Service).spec.clusterIP!);
      expect([revisionOf(address), address.spec.parentRef?.name]).toEqual([revision, object.metadata.name]);
    }
    const own = {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name: '10.96.3.4' } },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'a3' } },
    };
    const error = await refusal(apply(serviceOf('a3', { clusterIP: '10.96.3.4' }), own));
    expect(error.message).toMatch(/^objects\[0\]: .*provided IP is already allocated$/);
    expect(await isGone('10.96.3.4')).toBe(true);
    // What the service lets go, nobody else writes in the same transaction.
    const named = { ...serviceOf('a2'), spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: null } };
    const changed = {
      ...own,
      metadata: { name: '10.96.3.3', labels: { a: 'b' } },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'a2' } },
    };
    expect((await refusal(apply(named, changed))).reason).toBe('Conflict');
    expect((await addressNamed('10.96.3.3')).metadata.labels).not.toHaveProperty('a');
  });
});

describe('further ServiceCIDRs', () => {
  it('are taken from once they are ready, and until they are to go', async () => {
    const named = (name: string) => make(name, { clusterIP: '10.200.0.5' });
    const outside = 'failed to allocate IP 10.200.0.5: the provided network does not match the current range';
    expect((await refusal(named('early'))).message).toContain(outside);
    await makeRange('more', '10.200.0.0/29', 'False');
    expect((await refusal(named('early'))).message).toContain(outside);
    await setReady('more', 'True');
    expect((await named('in-range')).spec.clusterIP).toBe('10.200.0.5');
    expect((await addressNamed('10.200.0.5')).spec.parentRef?.name).toBe('in-range');
    // The first and the last of a range are nobody's.
    expect((await refusal(make('network', { clusterIP: '10.200.0.0' }))).reason).toBe('Invalid');
    expect((await refusal(make('broadcast', { clusterIP: '10.200.0.7' }))).reason).toBe('Invalid');
    const hold = body({ metadata: { finalizers: ['networking.k8s.io/service-cidr-finalizer'] } });
    const mediaType = 'application/merge-patch+json';
    await core.operations.patch(core.as(admin), at(RANGES, '', 'more'), { mediaType, body: hold });
    await core.cache.waitFor((await remove(RANGES, '', 'more')).revision);
    expect((await refusal(make('late', { clusterIP: '10.200.0.4' }))).reason).toBe('Invalid');
    // Who has an address keeps it.
    const labels = body({ metadata: { labels: { a: 'b' } } });
    const { object } = await core.operations.patch(core.as(admin), at(SERVICES, 'default', 'in-range'), {
      ...{ mediaType, body: labels },
    });
    expect((object as Service).spec.clusterIP).toBe('10.200.0.5');
  });

  it('are used when the others are full', async () => {
    await using small = await startCore({ serviceCidr: '10.10.0.0/29' });
    const create = async (i: number) =>
      ((await small.create(SERVICES, 'default', serviceOf(`s-${i}`))).object as Service).spec.clusterIP!;
    // One of the six is the API's own.
    const first = await Promise.all([1, 2, 3, 4, 5].map(create));
    expect(first.every((address) => address.startsWith('10.10.0.'))).toBe(true);
    expect((await refusal(create(6))).message).toMatch(/failed to allocate a serviceIP: range is full$/);
    const { revision } = await small.create(RANGES, '', {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' } },
      spec: { cidrs: ['10.20.0.0/29', 'fd00::/112'] },
    });
    await small.cache.waitFor(revision);
    const next = await Promise.all([6, 7, 8, 9, 10, 11].map(create));
    expect(next.sort()).toEqual([1, 2, 3, 4, 5, 6].map((last) => `10.20.0.${last}`));
    expect((await refusal(create(12))).reason).toBe('InternalError');
    await eventually(() => expect(small.cache.count({ group: 'networking.k8s.io', resource: 'ipaddresses' })).toBe(12));
  });
});
