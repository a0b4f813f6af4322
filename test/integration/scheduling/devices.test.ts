import {
  CLAIM_PROTECTION,
  deviceClass,
  type Kind,
  node as nodeKind,
  pod as podKind,
  resourceClaim,
  resourceClaimTemplate,
  resourceSlice,
} from '@periplus/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ControlPlane,
  eventually,
  PROCESSES_MS_MAX,
  runControllers,
  spawner,
  startControlPlane,
} from '../controllers/control-plane.ts';
import { podOf, serviceAccountOf } from '../operations/core.ts';

const DRIVER = 'gpu.example.com';
const API = { apiVersion: 'resource.k8s.io/v1' };
const SPEC = {
  devices: {
    requests: [
      {
        name: 'gpu',
        exactly: {
          deviceClassName: 'gpu',
          selectors: [{ cel: { expression: `device.attributes["${DRIVER}"].model == "large"` } }],
        },
      },
    ],
  },
};

describe('the scheduler process, and the controllers that make and release claims', () => {
  let plane: ControlPlane;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    plane = stack.use(await startControlPlane());
    stack.use(await runControllers(plane));
    stack.use(await spawner(plane, 'scheduler', () => ({ leaseSeconds: 2 }))).start();
    await plane.core.create('v1/serviceaccounts', 'default', serviceAccountOf('default'));
    await addNode('plain');
    await addNode('gpus');
    const selectors = [{ cel: { expression: `device.driver == "${DRIVER}"` } }];
    await plane.create(
      deviceClass as Kind,
      { ...API, kind: 'DeviceClass', metadata: { name: 'gpu' }, spec: { selectors } } as never,
    );
    await publish(['large', 'small']);
    await plane.create(
      resourceClaimTemplate as Kind,
      {
        ...{ ...API, kind: 'ResourceClaimTemplate', metadata: { namespace: 'default', name: 'large' } },
        spec: { spec: SPEC },
      } as never,
    );
  }, PROCESSES_MS_MAX);
  afterAll(() => stack.disposeAsync());

  async function addNode(name: string): Promise<void> {
    const status = { allocatable: { cpu: '100', memory: '100Gi', pods: '100' } };
    await plane.core.create('v1/nodes', '', { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, status });
    await plane.patch(nodeKind, '', name, { spec: { taints: null } });
  }
  const publish = (models: readonly string[]): Promise<void> =>
    plane.create(
      resourceSlice as Kind,
      {
        ...{ ...API, kind: 'ResourceSlice', metadata: { name: 'gpus' } },
        spec: {
          ...{ driver: DRIVER, nodeName: 'gpus', pool: { name: 'gpus', generation: 1, resourceSliceCount: 1 } },
          devices: models.map((string, at) => ({ name: `gpu-${at}`, attributes: { model: { string } } })),
        },
      } as never,
    );
  const createPod = (name: string, entry: object) =>
    plane.core.create('v1/pods', 'default', podOf(name, { resourceClaims: [{ name: 'gpu', ...entry }] }));
  const nodeOf = (name: string) => plane.get(podKind, 'default', name)?.spec.nodeName;
  const reasonOf = (name: string) =>
    plane.get(podKind, 'default', name)?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
  const end = (name: string) =>
    plane.admin.send({ verb: 'delete', kind: podKind, namespace: 'default', name, gracePeriodSeconds: 0 }, null);
  const claimsOf = (pod: string) =>
    plane.list(resourceClaim, 'default').filter(({ status }) => status?.reservedFor?.some(({ name }) => name === pod));

  it('bind a pod where the device is, which its claim has before that and nobody else gets', {
    timeout: PROCESSES_MS_MAX,
  }, async () => {
    await createPod('first', { resourceClaimTemplateName: 'large' });
    await eventually(() => expect(nodeOf('first')).toBe('gpus'));
    const [claim, ...others] = claimsOf('first');
    expect(others).toEqual([]);
    expect(claim).toMatchObject({
      metadata: { finalizers: [CLAIM_PROTECTION] },
      status: {
        allocation: {
          devices: { results: [{ request: 'gpu', driver: DRIVER, pool: 'gpus', device: 'gpu-0' }] },
          nodeSelector: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['gpus'] }] }],
          },
        },
      },
    });
    const { createRevision, revision } = plane.core.cache.get({
      ...{ group: '', resource: 'pods' },
      namespace: 'default',
      name: 'first',
    })!;
    expect(revision).toBeGreaterThan(createRevision);

    await createPod('second', { resourceClaimTemplateName: 'large' });
    await eventually(() =>
      expect(reasonOf('second')).toBe(
        '0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
      ),
    );
    await end('first');
    await eventually(() => expect(nodeOf('second')).toBe('gpus'));
    expect(claimsOf('second')[0]?.status?.allocation?.devices?.results).toMatchObject([{ device: 'gpu-0' }]);
    await end('second');
  });

  it('let pods that share a claim run together, and give many pods a device each', {
    timeout: PROCESSES_MS_MAX,
  }, async () => {
    await plane.create(
      resourceClaim as Kind,
      { ...API, kind: 'ResourceClaim', metadata: { namespace: 'default', name: 'shared' }, spec: SPEC } as never,
    );
    const sharing = ['s1', 's2', 's3'];
    await Promise.all(sharing.map((name) => createPod(name, { resourceClaimName: 'shared' })));
    await eventually(() => expect(sharing.map(nodeOf)).toEqual(['gpus', 'gpus', 'gpus']));
    expect(
      plane
        .get(resourceClaim, 'default', 'shared')!
        .status!.reservedFor!.map(({ name }) => name)
        .sort(),
    ).toEqual(sharing);
    for (const name of sharing) await end(name);
    await eventually(() => expect(plane.get(resourceClaim, 'default', 'shared')!.status?.allocation).toBeUndefined());

    await plane.admin.send({ verb: 'delete', kind: resourceSlice as Kind, namespace: '', name: 'gpus' }, null);
    await publish(Array.from({ length: 8 }, () => 'large'));
    const many = Array.from({ length: 10 }, (_, at) => `m${at}`);
    await Promise.all(many.map((name) => createPod(name, { resourceClaimTemplateName: 'large' })));
    await eventually(() => expect(many.filter(nodeOf)).toHaveLength(8));
    const devices = many
      .flatMap((name) => claimsOf(name))
      .map(({ status }) => status!.allocation!.devices!.results![0]!.device);
    expect(new Set(devices).size).toBe(8);
    for (const name of many.filter(nodeOf).slice(0, 2)) await end(name);
    await eventually(() =>
      expect(many.filter((name) => plane.get(podKind, 'default', name) && !nodeOf(name))).toEqual([]),
    );
  });
});
