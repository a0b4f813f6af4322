import type { ResourceClaim } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import type { User } from '@periplus/operations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, refusal, startCore, type TestCore, user } from './core.ts';

const GROUP = 'resource.k8s.io';
const CLAIMS = `${GROUP}/v1/resourceclaims`;
const TEMPLATES = `${GROUP}/v1/resourceclaimtemplates`;
const SLICES = `${GROUP}/v1/resourceslices`;
const RBAC = 'rbac.authorization.k8s.io';
const DRIVER = 'gpu.example.com';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  await core.create('v1/namespaces', '', { metadata: { name: 'team' } });
  const labels = { 'resource.kubernetes.io/admin-access': 'true' };
  await core.create('v1/namespaces', '', { metadata: { name: 'operators', labels } });
});
afterAll(() => core[Symbol.asyncDispose]());

const settled = async () => core.cache.waitFor(await core.cache.current());

async function allow(who: User, name: string, ...rules: object[]): Promise<void> {
  await core.create(`${RBAC}/v1/clusterroles`, '', { metadata: { name }, rules });
  const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name };
  const subjects = [{ kind: 'User', apiGroup: RBAC, name: who.name }];
  await core.create(`${RBAC}/v1/clusterrolebindings`, '', { metadata: { name }, roleRef, subjects });
  await settled();
}
const rule = (resource: string, ...verbs: string[]) => ({ apiGroups: [GROUP], resources: [resource], verbs });

const claimOf = (name: string, exactly: object = {}) => ({
  metadata: { name },
  spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: DRIVER, ...exactly } }] } },
});
const result = { request: 'gpu', driver: DRIVER, pool: 'n1', device: 'gpu-0' };
const allocationOf = (more: object = {}) => ({ devices: { results: [{ ...result, ...more }] } });
const onNode = (name: string) => ({
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
  },
});
const setStatus = (who: User, namespace: string, name: string, status: object) =>
  core.operations.patch(core.as(who), at(CLAIMS, namespace, name, 'status'), {
    mediaType: 'application/merge-patch+json',
    body: body({ status }),
  });

describe('access to devices that others use', () => {
  const REFUSAL =
    'Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';

  it('is for namespaces that say so', async () => {
    const monitoring = claimOf('monitoring', { adminAccess: true });
    await settled();
    await core.create(CLAIMS, 'operators', monitoring);
    expect((await refusal(core.create(CLAIMS, 'team', monitoring))).message).toMatch(
      `spec.devices.requests[0].adminAccess: ${REFUSAL}`,
    );
    const template = { metadata: { name: 'monitoring' }, spec: { spec: monitoring.spec } };
    await core.create(TEMPLATES, 'operators', template);
    const { code, message } = await refusal(core.create(TEMPLATES, 'team', template));
    expect([code, message]).toEqual([422, expect.stringContaining(`spec.devices.requests[0].adminAccess: ${REFUSAL}`)]);
  });

  it('is not given to others by whoever binds their claims', async () => {
    for (const namespace of ['team', 'operators']) await core.create(CLAIMS, namespace, claimOf('plain'));
    await settled();
    const allocation = allocationOf({ adminAccess: true });
    expect((await refusal(setStatus(admin, 'team', 'plain', { allocation }))).message).toMatch(
      `status.allocation.devices.results[0].adminAccess: ${REFUSAL}`,
    );
    await setStatus(admin, 'operators', 'plain', { allocation });
  });
});

describe('the status of a claim', () => {
  const binder = user('binder');
  const driver: User = {
    ...user('system:serviceaccount:kube-system:gpu-driver'),
    extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
  };
  const elsewhere: User = { ...driver, extra: { 'authentication.kubernetes.io/node-name': ['n2'] } };
  const { request: _, ...device } = result;
  const devices = [{ ...device, data: { temperature: 40 } }];

  it('is bound by those who may bind claims, beside writing their status', async () => {
    await core.create(CLAIMS, 'team', claimOf('bound'));
    await allow(binder, 'claim-status', rule('resourceclaims/status', 'update', 'patch'));
    const bind = () => setStatus(binder, 'team', 'bound', { allocation: { ...allocationOf(), ...onNode('n1') } });
    const { code, message } = await refusal(bind());
    expect(code).toBe(422);
    expect(message).toContain(
      'status.allocation: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="update" permission: resourceclaims.resource.k8s.io is forbidden: User "binder" cannot update resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
    );
    await allow(binder, 'claim-binding', rule('resourceclaims/binding', 'update', 'patch'));
    await bind();
    const consumer = { resource: 'pods', name: 'p', uid: '1' };
    await setStatus(binder, 'team', 'bound', { reservedFor: [consumer] });
  });

  it('is said by drivers about the devices that are theirs, on their node', async () => {
    const name = 'gpu-driver';
    await allow(driver, name, rule('resourceclaims/status', 'update', 'patch'), {
      ...rule('resourceclaims/driver', 'associated-node:update', 'associated-node:patch'),
      resourceNames: [DRIVER],
    });
    const refused = await refusal(setStatus(elsewhere, 'team', 'bound', { devices }));
    expect(refused.message).toContain(
      'status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:update]" permission: resourceclaims.resource.k8s.io "gpu.example.com" is forbidden: User "system:serviceaccount:kube-system:gpu-driver" cannot arbitrary-node:update resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "team"',
    );
    await setStatus(driver, 'team', 'bound', { devices });
    // What a driver says does not let it bind.
    const unbound = { allocation: null, reservedFor: null, devices: null };
    expect((await refusal(setStatus(driver, 'team', 'bound', unbound))).message).toMatch('resourceclaims/binding');
    // What was said goes with the devices.
    await setStatus(binder, 'team', 'bound', { allocation: null, reservedFor: null });
    expect(((await core.get(CLAIMS, 'team', 'bound')) as ResourceClaim).status).toEqual({});
  });

  it('belongs to what was decided: it changes no labels, and devices that nobody has are refused', async () => {
    await core.create(CLAIMS, 'team', claimOf('odd'));
    const now = await core.get(CLAIMS, 'team', 'odd');
    const labelled = {
      ...now,
      metadata: { ...now.metadata, labels: { a: 'b' } },
      status: { allocation: allocationOf() },
    };
    const target = at(CLAIMS, 'team', 'odd', 'status');
    await core.operations.update(core.as(admin), target, body(labelled as KubeObject), {});
    expect((await core.get(CLAIMS, 'team', 'odd')).metadata.labels).toBeUndefined();
    const others = [{ ...device, device: 'gpu-1' }];
    expect((await refusal(setStatus(admin, 'team', 'odd', { devices: others }))).message).toMatch(
      'status.devices[0]: Invalid value: gpu.example.com/n1/gpu-1: must be an allocated device in the claim',
    );
  });
});

describe('a node', () => {
  const n1 = user('system:node:n1', 'system:nodes');
  const sliceOf = (name: string, nodeName: string) => ({
    metadata: { name },
    spec: { driver: DRIVER, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 } },
  });
  const target = (name = '') => at(SLICES, '', name);

  it('says which devices it has, and nothing about those of others', async () => {
    await core.create(SLICES, '', sliceOf('n1-gpu', 'n1'), n1);
    await core.create(SLICES, '', sliceOf('n2-gpu', 'n2'));
    await settled();
    expect((await refusal(core.create(SLICES, '', sliceOf('lie', 'n2'), n1))).message).toMatch(
      /: can only create ResourceSlice with the same NodeName as the requesting node$/,
    );
    await core.operations.get(core.as(n1), target('n1-gpu'), {});
    expect((await refusal(core.operations.get(core.as(n1), target('n2-gpu'), {}))).message).toMatch(
      /: no relationship found between node 'n1' and this object$/,
    );
    expect((await refusal(core.operations.list(core.as(n1), target(), {}))).message).toMatch(
      /: can only list\/watch\/deletecollection resourceslices with nodeName field selector$/,
    );
    const { items } = await core.operations.list(core.as(n1), target(), { fieldSelector: 'spec.nodeName=n1' });
    expect(items.map(({ object }) => object.metadata.name)).toEqual(['n1-gpu']);
    const byDriver = await core.operations.list(core.as(admin), target(), { fieldSelector: `spec.driver=${DRIVER}` });
    expect(byDriver.items).toHaveLength(2);
  });
});
