import {
  CLAIM_PROTECTION,
  type Kind,
  namespace,
  pod,
  resourceClaim,
  resourceClaimNamesOf,
  resourceClaimTemplate,
  resourceSlice,
} from '@periplus/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const NS = 'ml';
const [POD, CLAIM] = [pod as Kind, resourceClaim as Kind];
const SPEC = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } };
const ALLOCATION = {
  devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: 'n1', device: 'gpu-0' }] },
};
const claimNamed = (name: string) => ({
  ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { namespace: NS, name } },
  spec: SPEC,
});

describe('claims for devices', () => {
  let plane: ControlPlane;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    plane = stack.use(await startControlPlane());
    stack.use(await runControllers(plane));
    await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS }, spec: {} });
    await plane.addNode('n1');
  });
  afterAll(() => stack.disposeAsync());

  const claim = (name: string) => plane.get(resourceClaim, NS, name);
  const createPod = (name: string, entry: object): Promise<void> =>
    plane.create(POD, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NS, name } },
      spec: { containers: [{ name: 'c', image: 'i' }], resourceClaims: [{ name: 'gpu', ...entry }] },
    } as never);
  /** What the scheduler does. */
  const schedule = async (name: string, allocation: object = ALLOCATION): Promise<void> => {
    const { metadata } = plane.get(pod, NS, name)!;
    for (const claimName of resourceClaimNamesOf(plane.get(pod, NS, name)!)) {
      const { reservedFor = [] } = claim(claimName)!.status ?? {};
      const consumers = [...reservedFor, { resource: 'pods', name, uid: metadata.uid }];
      await plane.patch(CLAIM, NS, claimName, { metadata: { finalizers: [CLAIM_PROTECTION] } });
      await plane.patch(CLAIM, NS, claimName, { status: { allocation, reservedFor: consumers } }, 'status');
    }
    const target = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace: NS, name } };
    const object = { ...target, target: { kind: 'Node', name: 'n1' } };
    await plane.admin.send({ verb: 'create', kind: POD, namespace: NS, name, subresource: 'binding', object }, null);
    await eventually(() => expect(plane.get(pod, NS, name)!.spec.nodeName).toBe('n1'));
  };
  const finish = (name: string): Promise<void> =>
    plane.patch(POD, NS, name, { status: { phase: 'Succeeded' } }, 'status');
  const madeFor = (name: string): Promise<string> =>
    eventually(() => {
      const [made] = resourceClaimNamesOf(plane.get(pod, NS, name)!);
      expect(claim(made!)).toBeDefined();
      return made!;
    });

  it('are made of a template once there is one, and go with the end of their pod', async () => {
    await createPod('train', { resourceClaimTemplateName: 'one-gpu' });
    const missing = 'resourceclaimtemplate.resource.k8s.io "one-gpu" not found';
    await eventually(() =>
      expect(plane.events()).toContain(
        `FailedResourceClaimCreation PodResourceClaim gpu: resource claim template "one-gpu": ${missing}`,
      ),
    );
    await plane.create(resourceClaimTemplate, {
      ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate' },
      ...{ metadata: { namespace: NS, name: 'one-gpu' }, spec: { spec: SPEC } },
    });
    const made = await madeFor('train');
    expect(made).toMatch(/^train-gpu-[a-z0-9]{5}$/);
    await schedule('train');
    expect(claim(made)!.status!.allocation).toBeDefined();
    await finish('train');
    await eventually(() => expect(claim(made)).toBeUndefined());
    expect(plane.get(pod, NS, 'train')).toBeDefined();
  });

  it('go with their pod when it is deleted', async () => {
    await createPod('short', { resourceClaimTemplateName: 'one-gpu' });
    const made = await madeFor('short');
    await schedule('short');
    await plane.admin.send({ verb: 'delete', kind: POD, namespace: NS, name: 'short', gracePeriodSeconds: 0 }, null);
    await eventually(() => expect(claim(made)).toBeUndefined());
  });

  it('are kept for the last of the pods that share one, and then given back', async () => {
    await plane.create(CLAIM, claimNamed('shared'));
    for (const name of ['a', 'b']) {
      await createPod(name, { resourceClaimName: 'shared' });
      await eventually(() => expect(plane.get(pod, NS, name)).toBeDefined());
      await schedule(name);
    }
    await finish('a');
    await eventually(() => expect(claim('shared')!.status!.reservedFor).toMatchObject([{ name: 'b' }]));
    expect(claim('shared')!.status!.allocation).toBeDefined();
    await finish('b');
    await eventually(() => {
      expect(claim('shared')!.status).toEqual({});
      expect(claim('shared')!.metadata.finalizers).toBeUndefined();
    });
  });

  it('that are tainted lose their pods, after the time that the claim tolerates it', async () => {
    const tolerations = [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 }];
    const [result] = ALLOCATION.devices.results;
    const allocation = { devices: { results: [{ ...result, tolerations }] } };
    await plane.create(CLAIM, claimNamed('tainted'));
    await createPod('leaving', { resourceClaimName: 'tainted' });
    await eventually(() => expect(plane.get(pod, NS, 'leaving')).toBeDefined());
    await schedule('leaving', allocation);
    const device = { name: 'gpu-0', taints: [{ key: 'health', effect: 'NoExecute' }] };
    await plane.create(resourceSlice, {
      ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceSlice', metadata: { name: 'n1' } },
      spec: {
        ...{ driver: 'gpu.example.com', nodeName: 'n1', devices: [device] },
        pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
      },
    } as never);
    await eventually(() => {
      expect(plane.get(pod, NS, 'leaving')!.metadata.deletionTimestamp).toBeDefined();
      expect(plane.events()).toContain('DeviceTaintManagerEviction Marking for deletion');
    });
    const [condition] = plane
      .get(pod, NS, 'leaving')!
      .status!.conditions!.filter(({ type }) => type === 'DisruptionTarget');
    expect(condition).toMatchObject({ status: 'True', reason: 'DeletionByDeviceTaintManager' });
  });

  it('are reserved for a pod that was given its node by hand, and deleted only after it', async () => {
    await plane.create(CLAIM, { ...claimNamed('byhand'), status: {} } as never);
    await createPod('byhand', { resourceClaimName: 'byhand' });
    await plane.patch(CLAIM, NS, 'byhand', { metadata: { finalizers: [CLAIM_PROTECTION] } });
    const target = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace: NS, name: 'byhand' } };
    const object = { ...target, target: { kind: 'Node', name: 'n1' } };
    const binding = { kind: POD, namespace: NS, name: 'byhand', subresource: 'binding' };
    await plane.admin.send({ ...binding, verb: 'create', object }, null);
    await plane.patch(CLAIM, NS, 'byhand', { status: { allocation: ALLOCATION } }, 'status');
    await eventually(() => expect(claim('byhand')!.status!.reservedFor).toMatchObject([{ name: 'byhand' }]));
    await plane.admin.send({ verb: 'delete', kind: CLAIM, namespace: NS, name: 'byhand' }, null);
    await eventually(() => expect(claim('byhand')!.metadata.deletionTimestamp).toBeDefined());
    await finish('byhand');
    await eventually(() => expect(claim('byhand')).toBeUndefined());
  });
});
