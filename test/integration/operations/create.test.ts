import type { Pod, Service } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  await core.create('v1/serviceaccounts', 'default', serviceAccountOf('default'));
});
afterAll(() => core[Symbol.asyncDispose]());

const create = (resource: string, namespace: string, object: object, more = {}) =>
  core.operations.create(core.as(admin, more), at(resource, namespace), body(object));
const configMap = (name: string, more: object = {}) => ({ metadata: { name }, data: { a: '1' }, ...more });

describe('create', () => {
  it('answers 201 with what a read then finds', async () => {
    const created = await create('v1/pods', 'default', podOf('a'));
    expect(created.code).toBe(201);
    const read = await core.operations.get(core.as(admin), at('v1/pods', 'default', 'a'), {});
    expect(read.bytes).toEqual(created.bytes);
    expect(read.resourceVersion).toBe(created.resourceVersion);
    expect(created.object.metadata).toMatchObject({ name: 'a', namespace: 'default', generation: 1 });
    expect(created.object.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.object.metadata.creationTimestamp).toMatch(/Z$/);
  });

  it('names what only has a prefix', async () => {
    const { object } = await create('v1/configmaps', 'default', { metadata: { generateName: 'x-' } });
    expect(object.metadata.name).toMatch(/^x-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const namespace = await create('v1/namespaces', '', { metadata: { generateName: 'team-' } });
    expect(namespace.object.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': namespace.object.metadata.name });
  });

  it('drops what only the server says', async () => {
    const object = configMap('server-fields');
    Object.assign(object.metadata, {
      uid: 'mine',
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 5,
      generation: 7,
      managedFields: [{ manager: 'me' }],
      selfLink: '/x',
    });
    const { metadata } = (await create('v1/configmaps', 'default', object)).object;
    expect(Object.keys(metadata).sort()).toEqual([
      ...['creationTimestamp', 'managedFields', 'name', 'namespace', 'resourceVersion', 'uid'],
    ]);
    expect(metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Update' }]);
    expect(metadata.uid).not.toBe('mine');
    expect(metadata.creationTimestamp).not.toMatch(/^2001/);
  });

  it('drops a status that was sent along', async () => {
    const { object } = await create('v1/pods', 'default', { ...podOf('no-status'), status: { phase: 'Running' } });
    expect((object as Pod).status?.phase).toBe('Pending');
  });

  it('seals Secrets and opens them again', async () => {
    const data = { password: Buffer.from('hunter2').toString('base64') };
    await create('v1/secrets', 'default', { metadata: { name: 's' }, data });
    const read = await core.get('v1/secrets', 'default', 's');
    expect((read as KubeObject & { data: unknown }).data).toEqual(data);
    const { kvs } = await core.etcd.range({ key: '/periplus/registry/core/secrets/default/s' });
    expect(kvs[0]!.value.includes('hunter2')).toBe(false);
    expect(kvs[0]!.value.includes(data.password)).toBe(false);
  });

  it('stores nothing of a dry run', async () => {
    const result = await create('v1/configmaps', 'default', configMap('dry'), { dryRun: true });
    expect(result).toMatchObject({ code: 201, resourceVersion: '', revision: 0 });
    expect((await refusal(core.get('v1/configmaps', 'default', 'dry'))).reason).toBe('NotFound');
  });

  it('keeps both forms of an Event as one object', async () => {
    const event = {
      metadata: { name: 'e1' },
      eventTime: '2026-11-21T10:00:00.000000Z',
      reportingController: 'test',
      reportingInstance: 'test-1',
      action: 'Try',
      reason: 'Tried',
      type: 'Normal',
      regarding: { kind: 'Pod', namespace: 'default', name: 'a' },
      note: 'hello',
    };
    const created = await create('events.k8s.io/v1/events', 'default', event);
    expect(created.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'hello' });
    expect(await core.get('v1/events', 'default', 'e1')).toMatchObject({
      apiVersion: 'v1',
      message: 'hello',
      involvedObject: { name: 'a' },
      metadata: { resourceVersion: created.resourceVersion },
    });
    expect(await core.get('events.k8s.io/v1/events', 'default', 'e1')).toEqual(created.object);
  });
});

describe('a create that is refused', () => {
  it('says that the name is taken', async () => {
    await create('v1/configmaps', 'default', configMap('twice'));
    const error = await refusal(create('v1/configmaps', 'default', configMap('twice')));
    expect(error.toStatus()).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "twice" already exists',
      details: { name: 'twice', kind: 'configmaps' },
    });
  });

  it('says that the namespace is missing', async () => {
    const error = await refusal(create('v1/configmaps', 'nowhere', configMap('x')));
    expect(error).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
  });

  const cases: [string, object, number, string | RegExp][] = [
    [
      'of another kind',
      { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'x' } },
      400,
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    ],
    [
      'of another version',
      { kind: 'ConfigMap', apiVersion: 'v2', metadata: { name: 'x' } },
      400,
      'the API version in the data (v2) does not match the expected API version (v1)',
    ],
    ['that is a list', [], 400, /must be of type ConfigMap/],
    [
      'with a wrong type',
      configMap('x', { data: { a: 1 } }),
      400,
      /^ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string$/,
    ],
    [
      'with an unknown field',
      configMap('x', { dat: {} }),
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"',
    ],
    [
      'for another namespace',
      { metadata: { name: 'x', namespace: 'other' } },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'with a version',
      { metadata: { name: 'x', resourceVersion: '5' } },
      400,
      'resourceVersion should not be set on objects to be created',
    ],
    [
      'without a name',
      { metadata: {} },
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      'with a bad name',
      { metadata: { name: 'A_B' } },
      422,
      /^ConfigMap "A_B" is invalid: metadata.name: Invalid value: "A_B": /,
    ],
  ];
  it.each(cases)('because it is a body %s', async (_, object, code, message) => {
    const error = await refusal(create('v1/configmaps', 'default', object));
    expect(error.code).toBe(code);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
  });

  it('because a field stands twice', async () => {
    const json = '{"metadata":{"name":"dup"},"data":{"a":"1"},"data":{"b":"2"}}';
    const attempt = core.operations.create(core.as(admin), at('v1/configmaps', 'default'), {
      value: JSON.parse(json),
      json,
    });
    expect((await refusal(attempt)).message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data"',
    );
  });

  it('only warns when asked to', async () => {
    const context = core.as(admin, { fieldValidation: 'Warn' });
    const { object } = await core.operations.create(
      context,
      at('v1/configmaps', 'default'),
      body(configMap('warned', { dat: 1 })),
    );
    expect(context.warnings).toEqual(['unknown field "dat"']);
    expect(object).not.toHaveProperty('dat');
  });
});

it('leaves out lists that are empty, as Go does', async () => {
  const spec = { containers: [{ name: 'main', image: 'x', args: [], env: [] }], tolerations: [], volumes: [] };
  const { metadata, ...made } = (
    await core.create('v1/pods', 'default', {
      ...podOf('lean'),
      metadata: { name: 'lean', finalizers: [], ownerReferences: [] },
      spec: { ...spec, automountServiceAccountToken: false },
    })
  ).object as Pod;
  expect(Object.keys(metadata)).not.toEqual(expect.arrayContaining(['finalizers', 'ownerReferences']));
  expect(Object.keys(made.spec.containers[0]!)).not.toEqual(expect.arrayContaining(['args', 'env']));
  expect(made.spec).not.toHaveProperty('volumes');
  const role = await core.create('rbac.authorization.k8s.io/v1/roles', 'default', {
    metadata: { name: 'none' },
    rules: [],
  });
  expect(role.object).toHaveProperty('rules', null);
});

describe('admission of pods', () => {
  it('gives them the default account, its token and tolerations', async () => {
    const { spec } = (await create('v1/pods', 'default', podOf('full'))).object as Pod;
    expect(spec.serviceAccountName).toBe('default');
    const [volume] = spec.volumes!;
    expect(volume!.name).toMatch(/^kube-api-access-/);
    expect(volume!.projected!.sources!.map((source) => Object.keys(source)[0])).toEqual([
      'serviceAccountToken',
      'configMap',
      'downwardAPI',
    ]);
    expect(spec.containers[0]!.volumeMounts).toEqual([
      { name: volume!.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
    expect(spec.tolerations?.map(({ key }) => key)).toEqual([
      'node.kubernetes.io/not-ready',
      'node.kubernetes.io/unreachable',
    ]);
    expect(spec.priority).toBe(0);
  });

  it('mounts nothing when the pod does not want it', async () => {
    const { spec } = (await create('v1/pods', 'default', podOf('no-token', { automountServiceAccountToken: false })))
      .object as Pod;
    expect(spec.volumes).toBeUndefined();
  });

  it('refuses an account that there is not', async () => {
    const error = await refusal(create('v1/pods', 'default', podOf('x', { serviceAccountName: 'nobody' })));
    expect(error).toMatchObject({
      code: 403,
      message:
        'pods "x" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    });
  });

  it('waits for the account of a new namespace', async () => {
    await create('v1/namespaces', '', { metadata: { name: 'fresh' } });
    const pending = create('v1/pods', 'fresh', podOf('early'));
    await create('v1/serviceaccounts', 'fresh', serviceAccountOf('default'));
    expect((await pending).code).toBe(201);
  });

  it('refuses a priority class that there is not', async () => {
    const error = await refusal(create('v1/pods', 'default', podOf('x', { priorityClassName: 'high' })));
    expect(error.message).toBe('pods "x" is forbidden: no PriorityClass with name high was found');
    const { spec } = (await create('v1/pods', 'default', podOf('y', { priorityClassName: 'system-node-critical' })))
      .object as Pod;
    expect(spec.priority).toBe(2_000_001_000);
  });
});

describe('services', () => {
  const serviceOf = (name: string, spec: object): object => ({
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });
  const make = async (name: string, spec: object = {}) =>
    (await create('v1/services', 'default', serviceOf(name, spec))).object as Service;
  const allocation = async (path: string) =>
    (await core.etcd.range({ key: `/periplus/allocations/${path}` })).kvs.length;

  it('get an address of their range, and give it back', async () => {
    const { spec } = await make('one');
    expect(spec).toMatchObject({ type: 'ClusterIP', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    expect(spec.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\./);
    expect(spec.clusterIPs).toEqual([spec.clusterIP]);
    expect(await allocation(`clusterips/${spec.clusterIP}`)).toBe(1);
    await core.operations.delete(core.as(admin), at('v1/services', 'default', 'one'), {});
    expect(await allocation(`clusterips/${spec.clusterIP}`)).toBe(0);
  });

  it('get node ports, which follow their type', async () => {
    const { spec, metadata } = await make('ports', { type: 'NodePort' });
    const { nodePort } = spec.ports![0]!;
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    expect(await allocation(`nodeports/${nodePort}`)).toBe(1);
    const changed = { ...serviceOf('ports', { type: 'ClusterIP' }), metadata };
    const updated = await core.operations.update(core.as(admin), at('v1/services', 'default', 'ports'), body(changed));
    expect((updated.object as Service).spec.clusterIP).toBe(spec.clusterIP);
    expect((updated.object as Service).spec.ports![0]!.nodePort).toBeUndefined();
    expect(await allocation(`nodeports/${nodePort}`)).toBe(0);
  });

  it('keep what the user names, if nobody has it', async () => {
    await make('named', { type: 'NodePort', clusterIP: '10.96.0.77', ports: [{ port: 80, nodePort: 30_777 }] });
    expect((await refusal(make('same-ip', { clusterIP: '10.96.0.77' }))).message).toBe(
      'Service "same-ip" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: provided IP is already allocated',
    );
    const port = make('same-port', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_777 }] });
    expect((await refusal(port)).message).toBe(
      'Service "same-port" is invalid: spec.ports[0].nodePort: Invalid value: 30777: provided port is already allocated',
    );
    expect((await refusal(make('outside', { clusterIP: '192.168.0.1' }))).message).toMatch(
      /failed to allocate IP 192\.168\.0\.1: the provided network does not match the current range$/,
    );
    const outside = make('outside', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] });
    expect((await refusal(outside)).message).toMatch(/The range of valid ports is 30000-32767$/);
  });

  it('give everything back when they become a name', async () => {
    const { spec, metadata } = await make('becomes', { type: 'NodePort', selector: { a: 'b' } });
    const named = { metadata, spec: { type: 'ExternalName', externalName: 'example.com' } };
    const updated = await core.operations.update(core.as(admin), at('v1/services', 'default', 'becomes'), body(named));
    expect((updated.object as Service).spec).toEqual({
      ...{ type: 'ExternalName', externalName: 'example.com', sessionAffinity: 'None' },
    });
    expect(await allocation(`clusterips/${spec.clusterIP}`)).toBe(0);
    expect(await allocation(`nodeports/${spec.ports![0]!.nodePort}`)).toBe(0);
  });

  it('need none when headless or a name', async () => {
    expect((await make('headless', { clusterIP: 'None', selector: { a: 'b' } })).spec.clusterIPs).toEqual(['None']);
    const external = await make('external', { type: 'ExternalName', externalName: 'example.com' });
    expect(external.spec.clusterIP).toBeUndefined();
  });

  it('never share an address, however many are made at once', async () => {
    const made = await Promise.all(Array.from({ length: 60 }, (_, i) => make(`many-${i}`, { type: 'NodePort' })));
    expect(new Set(made.map(({ spec }) => spec.clusterIP)).size).toBe(60);
    expect(new Set(made.map(({ spec }) => spec.ports![0]!.nodePort)).size).toBe(60);
  });
});

it('runs out of node ports with a clear message, and uses every one before', async () => {
  await using small = await startCore({ nodePortRange: '30000-30009' });
  const make = (i: number) =>
    small.create('v1/services', 'default', {
      metadata: { name: `s${i}` },
      spec: { type: 'NodePort', ports: [{ port: 80 }] },
    });
  await Promise.all(Array.from({ length: 10 }, (_, i) => make(i)));
  expect((await refusal(make(10))).message).toBe(
    'Internal error occurred: failed to allocate a nodePort: range is full',
  );
});
