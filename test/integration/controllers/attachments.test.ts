import {
  CONTROLLER_ATTACHES,
  type Kind,
  namespace,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  type VolumeAttachment,
  volumeAttachment,
} from '@periplus/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const [VOLUME, CLAIM, POD, NODE, ATTACHMENT] = [
  persistentVolume,
  persistentVolumeClaim,
  pod,
  node,
  volumeAttachment,
].map((kind) => kind as unknown as Kind) as [Kind, Kind, Kind, Kind, Kind];
const DRIVER = 'disks.example.com';
const DISK = `kubernetes.io/csi/${DRIVER}^disk-1`;
const FINALIZER = `external-attacher/${DRIVER}`;

let plane: ControlPlane;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  plane = stack.use(await startControlPlane());
  stack.use(await runControllers(plane));
  await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' }, spec: {} });
  for (const name of ['n1', 'n2']) {
    await plane.addNode(name);
    await plane.patch(NODE, '', name, { metadata: { annotations: { [CONTROLLER_ATTACHES]: 'true' } } });
  }
  await plane.create(VOLUME, {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' } },
    spec: {
      ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: '' },
      csi: { driver: DRIVER, volumeHandle: 'disk-1' },
    },
  } as never);
  await plane.create(CLAIM, {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { namespace: 'd', name: 'data' } },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } } },
  } as never);
});
afterAll(() => stack.disposeAsync());

const attachments = () => plane.list(ATTACHMENT) as unknown as VolumeAttachment[];
const attachedTo = (name: string) => plane.get(node, '', name)?.status?.volumesAttached?.map((volume) => volume.name);
const startPod = (name: string, nodeName: string): Promise<void> =>
  plane.create(POD, {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'd', name } },
    spec: {
      nodeName,
      containers: [{ name: 'a', image: 'a' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
  } as never);
const removePod = (name: string) =>
  plane.admin.send({ verb: 'delete', kind: POD, namespace: 'd', name, gracePeriodSeconds: 0 }, null);

/** As the external-attacher of a driver: it holds the attachment until the disk is off the node. */
async function attach(): Promise<void> {
  const [attachment] = attachments();
  const name = attachment!.metadata.name!;
  await plane.patch(ATTACHMENT, '', name, { metadata: { finalizers: [FINALIZER] } });
  await plane.patch(ATTACHMENT, '', name, { status: { attached: true } }, 'status');
}

it('a disk follows its pod from node to node by way of VolumeAttachments', async () => {
  await startPod('a', 'n1');
  await eventually(() => expect(attachments()).toMatchObject([{ spec: { attacher: DRIVER, nodeName: 'n1' } }]));
  await attach();
  await eventually(() => {
    expect(attachedTo('n1')).toEqual([DISK]);
    expect(plane.events()).toContain('SuccessfulAttachVolume AttachVolume.Attach succeeded for volume "pv" ');
  });
  await plane.patch(NODE, '', 'n1', { status: { volumesInUse: [DISK] } }, 'status');
  await startPod('b', 'n2');
  const taken = 'FailedAttachVolume Multi-Attach error for volume "pv" Volume is already used by pod(s) a';
  await eventually(() => expect(plane.events()).toContain(taken));
  await removePod('a');
  await eventually(() => expect(attachedTo('n1') ?? []).toEqual([]));
  expect(attachments()).toMatchObject([{ metadata: { finalizers: [FINALIZER] }, spec: { nodeName: 'n1' } }]);
  await plane.patch(NODE, '', 'n1', { status: { volumesInUse: null } }, 'status');
  await eventually(() => expect(attachments()[0]?.metadata.deletionTimestamp).toBeDefined());
  await plane.patch(ATTACHMENT, '', attachments()[0]!.metadata.name!, { metadata: { finalizers: null } });
  await eventually(() => expect(attachments()).toMatchObject([{ spec: { nodeName: 'n2' } }]));
  await attach();
  await eventually(() => expect(attachedTo('n2')).toEqual([DISK]));
});
