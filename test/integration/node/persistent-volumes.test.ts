import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Kind,
  NODE_LOCAL_FINALIZER,
  type PersistentVolume,
  PV_PROTECTION,
  persistentVolume,
  persistentVolumeClaim,
} from '@periplus/api';
import { whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentHarness, SOON } from './agent-harness.ts';

const reason = whyNoTestContainers();

describe.skipIf(reason)(`persistent volumes on a node${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let node: AgentHarness;
  let kept: string;
  beforeAll(async () => {
    node = await AgentHarness.start();
    kept = join(node.containerd.directory, 'agent/persistent-volumes');
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  const putClaim = (name: string, volumeName: string, more: object = {}): Promise<unknown> =>
    node.cluster.putObject(
      persistentVolumeClaim as unknown as Kind,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { namespace: 'default', name, uid: `uid of ${name}` },
        ...{ spec: { volumeName }, status: { phase: 'Bound' }, ...more },
      } as never,
    );
  const putVolume = (name: string, claim: string, spec: object, metadata: object = {}): Promise<unknown> =>
    node.cluster.putObject(
      persistentVolume as unknown as Kind,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name, uid: `uid of ${name}`, ...metadata },
        spec: {
          claimRef: { namespace: 'default', name: claim, uid: `uid of ${claim}` },
          persistentVolumeReclaimPolicy: 'Delete',
          ...spec,
        },
        status: { phase: 'Bound' },
      } as never,
    );
  /** As the provisioner makes them. */
  const putKept = (name: string, claim: string, metadata: object = {}, spec: object = {}): Promise<unknown> =>
    putVolume(
      name,
      claim,
      { local: { path: join(kept, name) }, ...spec },
      { annotations: { 'periplus.dev/volume-node': node.cluster.node }, ...metadata },
    );
  const uses = (claimName: string, script: string, more: object = {}, mount: object = {}): object => ({
    restartPolicy: 'Never',
    containers: [node.shell(script, { volumeMounts: [{ name: 'v', mountPath: '/data', ...mount }] })],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName, ...more } }],
  });
  const succeeds = async (name: string): Promise<void> => {
    await node.until(name, ({ phase }) => phase === 'Succeeded' || phase === 'Failed');
    expect(node.cluster.status(name)).toMatchObject({ phase: 'Succeeded' });
  };
  const events = (name: string): string[] =>
    node.cluster.events.filter((event) => event.name === name).map((event) => `${event.reason} ${event.message}`);

  it('says where the node keeps volumes', async () => {
    await vi.waitFor(() => {
      expect(node.cluster.nodeObject?.metadata.annotations).toMatchObject({ 'periplus.dev/volume-directory': kept });
    }, SOON);
  });

  it('waits for a claim to be there and bound, says so, and keeps what one pod writes for the next', async () => {
    await node.create('writer', uses('data', 'echo kept > /data/file'));
    const problem = (why: string): string =>
      `FailedMount Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC default/data: ${why}`;
    const missing = 'failed to fetch PVC from API server: persistentvolumeclaims "data" not found';
    await vi.waitFor(() => expect(events('writer')).toContain(problem(missing)), SOON);
    await putClaim('data', '', { status: { phase: 'Pending' } });
    await vi.waitFor(() => expect(events('writer')).toContain(problem('PVC is not bound')), SOON);
    await putKept('pv', 'data');
    await putClaim('data', 'pv');
    await succeeds('writer');
    expect(readFileSync(join(kept, 'pv/file'), 'utf8')).toBe('kept\n');
    await node.cluster.deletePod('writer', 1);
    await node.untilGone('writer');
    await node.create('reader', uses('data', 'test "$(cat /data/file)" = kept'));
    await succeeds('reader');
  });

  it('mounts a part of a volume, and what is to be read only so', async () => {
    await putKept('parts', 'parts');
    await putClaim('parts', 'parts');
    await node.create('part', uses('parts', 'echo deep > /data/file', {}, { subPath: 'a/b' }));
    await succeeds('part');
    expect(readFileSync(join(kept, 'parts/a/b/file'), 'utf8')).toBe('deep\n');
    const script = 'test "$(cat /data/a/b/file)" = deep && ! echo lost > /data/file';
    await node.create('careful', uses('parts', script, { readOnly: true }));
    await succeeds('careful');
  });

  it('gives a volume to the group of the pod, and lets others write to it too', async () => {
    await putKept('shared', 'shared');
    await putClaim('shared', 'shared');
    await node.create('anybody', {
      ...uses('shared', 'echo mine > /data/file && chmod 600 /data/file'),
      securityContext: { runAsUser: 1234, runAsGroup: 1234 },
    });
    await succeeds('anybody');
    await node.create('group', {
      ...uses('shared', 'cat /data/file && echo ours > /data/file'),
      securityContext: { runAsUser: 2345, runAsGroup: 2345, fsGroup: 777 },
    });
    await succeeds('group');
    const { gid, mode } = statSync(join(kept, 'shared'));
    expect([gid, mode & 0o2070]).toEqual([777, 0o2070]);
  });

  it('takes volumes of types hostPath and local as they are, and says what is missing', async () => {
    const there = join(node.containerd.directory, 'there');
    mkdirSync(there);
    writeFileSync(join(there, 'file'), 'before\n');
    await putVolume('host', 'host', { hostPath: { path: there, type: 'Directory' } });
    await putClaim('host', 'host');
    await node.create('host', uses('host', 'test "$(cat /data/file)" = before'));
    await succeeds('host');
    await putVolume('local', 'local', { local: { path: join(there, 'missing') } });
    await putClaim('local', 'local');
    await node.create('local', uses('local', 'true'));
    const missing = `path "${join(there, 'missing')}" does not exist`;
    const message = `FailedMount MountVolume.NewMounter initialization failed for volume "local" : ${missing}`;
    await vi.waitFor(() => expect(events('local')).toContain(message), SOON);
    mkdirSync(join(there, 'missing'));
    await succeeds('local');
    await putVolume('share', 'share', { nfs: { server: 'x', path: '/' } });
    await putClaim('share', 'share');
    await node.create('share', uses('share', 'true'));
    const unknown =
      'FailedMount Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: failed to get Plugin from volumeSpec for volume "share" err=no volume plugin matched';
    await vi.waitFor(() => expect(events('share')).toContain(unknown), SOON);
    await putVolume('disk', 'disk', { csi: { driver: 'disks.example.com', volumeHandle: 'x' } });
    await putClaim('disk', 'disk');
    await node.create('disk', uses('disk', 'true'));
    const driverless =
      'FailedMount MountVolume.MountDevice failed for volume "disk" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name disks.example.com not found in the list of registered CSI drivers';
    await vi.waitFor(() => expect(events('disk')).toContain(driverless), SOON);
    expect(node.cluster.nodeObject?.status).not.toHaveProperty('volumesAttached');
    expect(node.cluster.nodeObject?.status).not.toHaveProperty('volumesInUse');
  });

  describe('removes the directory of a volume', () => {
    const going = { deletionTimestamp: new Date().toISOString() };
    const volume = (name: string) => node.cluster.object('persistentvolumes', '', name) as PersistentVolume | undefined;

    it('when it is to go and nobody has it any more, and then lets the object go', async () => {
      mkdirSync(join(kept, 'old/deep'), { recursive: true });
      await putKept('old', 'old', { ...going, finalizers: [PV_PROTECTION, NODE_LOCAL_FINALIZER] });
      // Seen in order: once the second volume is gone, the first has been looked at.
      mkdirSync(join(kept, 'second'), { recursive: true });
      await putKept('second', 'second', { ...going, finalizers: [NODE_LOCAL_FINALIZER] });
      await vi.waitFor(() => expect(volume('second')).toBeUndefined(), SOON);
      expect([existsSync(join(kept, 'old')), existsSync(join(kept, 'second'))]).toEqual([true, false]);
      await putKept('old', 'old', { ...going, finalizers: [NODE_LOCAL_FINALIZER] });
      await vi.waitFor(() => expect(volume('old')).toBeUndefined(), SOON);
      expect(existsSync(join(kept, 'old'))).toBe(false);
    });

    it('that went while no agent ran', async () => {
      mkdirSync(join(kept, 'late'), { recursive: true });
      await node.stopAgent();
      await putKept('late', 'late', { ...going, finalizers: [NODE_LOCAL_FINALIZER] });
      await node.startAgent();
      await vi.waitFor(() => expect(volume('late')).toBeUndefined(), SOON);
      expect(existsSync(join(kept, 'late'))).toBe(false);
    });

    it('and of no other: not one that is to be retained, nor one that is elsewhere', async () => {
      mkdirSync(join(kept, 'retained'), { recursive: true });
      const spec = { persistentVolumeReclaimPolicy: 'Retain' };
      await putKept('retained', 'retained', { ...going, finalizers: [NODE_LOCAL_FINALIZER] }, spec);
      await vi.waitFor(() => expect(volume('retained')).toBeUndefined(), SOON);
      expect(existsSync(join(kept, 'retained'))).toBe(true);
      const elsewhere = join(node.containerd.directory, 'there');
      const finalizers = [NODE_LOCAL_FINALIZER];
      await putKept('sly', 'sly', { ...going, finalizers }, { local: { path: elsewhere } });
      await vi.waitFor(() => expect(events('sly').join()).toContain('VolumeFailedDelete its path is not'), SOON);
      expect(existsSync(elsewhere)).toBe(true);
      expect(volume('sly')?.metadata.finalizers).toEqual(finalizers);
    });
  });
});
