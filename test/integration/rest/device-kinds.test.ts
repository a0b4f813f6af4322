import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await server.kubectlOk('create namespace team');
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(`-n team ${args}`, input);
const refused = async (args: string, input?: string): Promise<string> => {
  const { code, stderr } = await server.kubectl(`-n team ${args}`, input);
  expect(code).toBe(1);
  return stderr;
};

const DRIVER = 'gpu.example.com';
const CLASS = `
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu}
spec: {selectors: [{cel: {expression: 'device.driver == "${DRIVER}"'}}]}
`;
const claim = (name: string, request: string): string => `
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: ${name}}
spec: {devices: {requests: [{name: gpu, exactly: ${request}}]}}
`;
const slice = (node: string): string => `
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: ${node}-gpus}
spec:
  driver: ${DRIVER}
  nodeName: ${node}
  pool: {name: ${node}, generation: 1, resourceSliceCount: 1}
  devices:
  - name: gpu-0
    attributes: {model: {string: big}, firmware: {version: 1.10.0}, slot: {int: 3, ints: [1]}}
    capacity: {memory: {value: 40960Mi}}
    taints: [{key: example.com/old, effect: NoSchedule}]
`;
const statusOf = (devices: object): string =>
  JSON.stringify({ status: { allocation: { devices: { results: [devices] } } } });
const result = { request: 'gpu', driver: DRIVER, pool: 'n1', device: 'gpu-0' };

describe('the kinds of devices', () => {
  it('are known to kubectl, which explains them', async () => {
    const resources = await server.kubectlOk('api-resources --api-group=resource.k8s.io --no-headers');
    expect(
      resources
        .trim()
        .split('\n')
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['deviceclasses', 'resource.k8s.io/v1', 'false', 'DeviceClass'],
      ['resourceclaims', 'resource.k8s.io/v1', 'true', 'ResourceClaim'],
      ['resourceclaimtemplates', 'resource.k8s.io/v1', 'true', 'ResourceClaimTemplate'],
      ['resourceslices', 'resource.k8s.io/v1', 'false', 'ResourceSlice'],
    ]);
    expect(await ok('explain resourceclaim.spec.devices.requests.exactly.count')).toMatch(
      /^GROUP: +resource\.k8s\.io\nKIND: +ResourceClaim\nVERSION: +v1\n\nFIELD: count <integer>\n/,
    );
    expect(await ok('explain resourceslice.spec.devices.capacity.requestPolicy')).toContain('validRange');
  });

  it('are made, found and described', async () => {
    expect(await ok('create -f -', CLASS)).toBe('deviceclass.resource.k8s.io/gpu created\n');
    expect(await ok('create -f -', claim('one', '{deviceClassName: gpu}'))).toBe(
      'resourceclaim.resource.k8s.io/one created\n',
    );
    for (const node of ['n1', 'n2']) await ok('create -f -', slice(node));
    expect(await ok('get deviceclasses')).toMatch(/^NAME +AGE\ngpu +\d+s\n$/);
    expect(await ok('get resourceclaims')).toMatch(/^NAME +STATE +AGE\none +pending +\d+s\n$/);
    expect(await ok('get resourceslices --field-selector=spec.nodeName=n1')).toMatch(
      /^NAME +NODE +DRIVER +POOL +AGE\nn1-gpus +n1 +gpu\.example\.com +n1 +\d+s\n$/,
    );
    expect(
      (await ok(`get resourceslices --field-selector=spec.driver=${DRIVER} -o name`)).trim().split('\n'),
    ).toHaveLength(2);
    expect(await refused('get resourceclaims --field-selector=spec.driver=x')).toContain(
      '"spec.driver" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
    const described = await ok('describe resourceslice n1-gpus');
    expect(described).toMatch(/Capacity:\s+Memory:\s+Value: +40Gi/);
    // Without what stands behind a gate that is off, and since when a device has its taint.
    const [device] = JSON.parse(await ok('get resourceslice n2-gpus -o json')).spec.devices;
    expect(device.attributes.slot).toEqual({ int: 3 });
    expect(device.taints[0].timeAdded).toMatch(/^\d{4}-.*Z$/);
  });

  it('are refused in the words of Kubernetes', async () => {
    const wrong = claim(
      'wrong',
      `{deviceClassName: gpu, count: -1, selectors: [{cel: {expression: 'device.drver == "a"'}}]}`,
    );
    expect(await refused('create -f -', wrong)).toBe(
      [
        'The ResourceClaim "wrong" is invalid: ',
        '* spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "device.drver == \\"a\\"": compilation failed: ERROR: <input>:1:7: undefined field \'drver\'',
        ' | device.drver == "a"',
        ' | ......^',
        '* spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero',
        '',
      ].join('\n'),
    );
    const patch = JSON.stringify([{ op: 'replace', path: '/spec/devices/requests/0/exactly/count', value: 2 }]);
    expect(await refused(`patch resourceclaim one --type=json -p ${patch}`)).toMatch(
      /^The ResourceClaim "one" is invalid: spec: Invalid value: .*: field is immutable\n$/,
    );
    expect(await refused('create -f -', claim('typo', '{deviceClassName: gpu, counts: 1}'))).toContain(
      'unknown field "spec.devices.requests[0].exactly.counts"',
    );
  });

  it('have a status of its own, which says what a claim was given', async () => {
    const patch = (status: string): string => `patch resourceclaim one --subresource=status --type=merge -p ${status}`;
    expect(await refused(patch(statusOf({ ...result, request: 'none' })))).toContain(
      'status.allocation.devices.results[0].request: Invalid value: "none": must be the name of a request in the claim',
    );
    await ok(patch(statusOf(result)));
    expect(await ok('get resourceclaim one')).toMatch(/^one +allocated +\d+s$/m);
    const reservedFor = [{ resource: 'pods', name: 'p', uid: '1' }];
    await ok(patch(JSON.stringify({ status: { reservedFor } })));
    expect(await ok('get resourceclaim one')).toMatch(/^one +allocated,reserved +\d+s$/m);
    expect(await refused(patch(statusOf({ ...result, device: 'gpu-1' })))).toMatch(
      /status\.allocation: Invalid value: .*: field is immutable/,
    );
    const described = await ok('describe resourceclaim one');
    expect(described).toMatch(/Reserved For:\s+Name: +p\s+Resource: +pods\s+UID: +1/);
    // Each driver applies what it knows of its devices.
    const { request: _, ...device } = result;
    const applied = (type: string): string =>
      JSON.stringify({
        ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name: 'one' } },
        status: {
          devices: [
            {
              ...device,
              conditions: [
                { type, status: 'True', reason: 'Prepared', message: '', lastTransitionTime: '2026-11-21T12:00:00Z' },
              ],
              networkData: { interfaceName: 'eth1', ips: ['10.9.8.7/24'] },
            },
          ],
        },
      });
    const apply = 'apply --server-side --subresource=status --field-manager=gpu-driver -f -';
    for (const type of ['Ready', 'Warm']) await ok(apply, applied(type));
    const { devices } = JSON.parse(await ok('get resourceclaim one -o json')).status;
    expect(devices).toMatchObject([{ ...device, conditions: [{ type: 'Warm' }] }]);
    await ok(patch(JSON.stringify({ status: { allocation: null, reservedFor: null } })));
    expect(await ok('get resourceclaim one')).toMatch(/^one +pending +\d+s$/m);
    expect(JSON.parse(await ok('get resourceclaim one -o json')).status).toEqual({});
  });

  it('are counted in quotas', async () => {
    const hard = 'count/resourceclaims.resource.k8s.io=5,gpu.deviceclass.resource.k8s.io/devices=3';
    await ok(`create quota devices --hard=${hard}`);
    // As its controller would say it.
    const status = { hard: {}, used: {} } as Record<'hard' | 'used', Record<string, string>>;
    for (const [name, most, used] of [
      ['count/resourceclaims.resource.k8s.io', '5', '1'],
      ['gpu.deviceclass.resource.k8s.io/devices', '3', '1'],
    ] as const) {
      status.hard[name] = most;
      status.used[name] = used;
    }
    await ok(`patch quota devices --subresource=status --type=merge -p ${JSON.stringify({ status })}`);
    expect(await refused('create -f -', claim('many', '{deviceClassName: gpu, count: 3}'))).toContain(
      'is forbidden: exceeded quota: devices, requested: gpu.deviceclass.resource.k8s.io/devices=3, used: gpu.deviceclass.resource.k8s.io/devices=1, limited: gpu.deviceclass.resource.k8s.io/devices=3',
    );
    await ok('create -f -', claim('two', '{deviceClassName: gpu, count: 2}'));
  });
});
