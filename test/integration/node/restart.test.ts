import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { applyNetworkRules, cleanUpContainers } from '@periplus/containerd';
import { openCri } from '@periplus/cri';
import { whyNoTestContainers } from '@periplus/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentHarness, SOON } from './agent-harness.ts';
import type { PodStatusSeen } from './test-cluster.ts';

const reason = whyNoTestContainers();

describe.skipIf(reason)(`a node that loses its parts${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let node: AgentHarness;
  beforeEach(async () => {
    node = await AgentHarness.start();
  });
  afterEach(() => node?.[Symbol.asyncDispose]());

  const containersOf = async (): Promise<{ id: string; state: string; pod: string }[]> => {
    const cri = openCri(node.containerd.socket);
    const found = await cri.listContainers();
    cri.close();
    return found.map(({ id, state, labels }) => ({ id, state, pod: labels['io.kubernetes.pod.name'] ?? '' }));
  };

  it('leaves running containers alone when the agent comes back, and tells nothing new', async () => {
    const readinessProbe = { exec: { command: ['true'] }, periodSeconds: 1 };
    await node.create('steady', { containers: [node.server({ readinessProbe })] });
    const before = await node.untilRunning('steady');
    const writes = node.cluster.statusWrites.get('steady')!.length;
    await node.stopAgent();
    expect(await containersOf()).toMatchObject([{ state: 'running', pod: 'steady' }]);

    await node.startAgent();
    await vi.waitFor(() => expect(node.agent!.notReady()).toBeUndefined(), SOON);
    await node.create('next', { containers: [node.server()] });
    await node.untilRunning('next');
    expect(node.cluster.status('steady')).toEqual(before);
    expect(node.cluster.statusWrites.get('steady')).toHaveLength(writes);
    expect(await node.cluster.isAlive()).toBe(true);
  });

  it('does what was missed while no agent ran', async () => {
    await node.create('ended', {
      restartPolicy: 'Never',
      containers: [node.shell('while ! test -f /tmp/go; do sleep 0.1; done; exit 5')],
    });
    await node.create('deleted', { containers: [node.server()] });
    await node.create('vanished', { containers: [node.server()] });
    await Promise.all(['ended', 'deleted', 'vanished'].map((name) => node.untilRunning(name)));
    await node.stopAgent();

    const cri = openCri(node.containerd.socket);
    const id = node.main('ended')!.containerID!.replace('containerd://', '');
    await cri.exec(id, ['touch', '/tmp/go'], 5);
    cri.close();
    await node.cluster.deletePod('deleted', 5);
    await node.cluster.deletePod('vanished', 0);
    await node.create('new', { containers: [node.server()] });
    const leftovers = ['agent/pods/old-uid/volumes', 'logs/default_old_old-uid/main'].map((path) =>
      join(node.containerd.directory, path),
    );
    for (const path of leftovers) mkdirSync(path, { recursive: true });

    await node.startAgent();
    await node.untilRunning('new');
    await node.untilGone('deleted');
    await node.until('ended', ({ phase }) => phase === 'Failed');
    expect(node.main('ended')?.state.terminated).toMatchObject({ exitCode: 5 });
    await vi.waitFor(
      async () => expect((await containersOf()).map(({ pod }) => pod).sort()).toEqual(['ended', 'new']),
      SOON,
    );
    await vi.waitFor(() => expect(leftovers.filter((path) => existsSync(path))).toEqual([]), SOON);
  });

  it('goes on after containerd was killed, with the same containers', async () => {
    await node.create('survivor', { containers: [node.server()] });
    const before = await node.untilRunning('survivor');
    await node.containerd.kill();
    await vi.waitFor(() => {
      expect(node.cluster.nodeObject?.status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'False' }),
      );
    }, SOON);
    await node.containerd.start();
    await node.create('after', { containers: [node.server()] });
    await node.untilRunning('after');
    await vi.waitFor(() => {
      expect(node.cluster.nodeObject?.status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True' }),
      );
    }, SOON);
    expect(node.cluster.status('survivor').containerStatuses).toEqual(before.containerStatuses);
    await node.cluster.deletePod('survivor', 5);
    await node.untilGone('survivor');
  });

  it('makes a new sandbox when that of a pod has died', async () => {
    await node.create('reborn', { containers: [node.server()] });
    const before = await node.untilRunning('reborn');
    const cri = openCri(node.containerd.socket);
    const [sandbox] = await cri.listSandboxes();
    await cri.stopSandbox(sandbox!.id);
    const status = await node.until('reborn', ({ phase, containerStatuses }) =>
      Boolean(phase === 'Running' && containerStatuses?.[0]?.ready && containerStatuses[0].restartCount > 0),
    );
    expect(status.podIP).not.toBe('');
    expect(status.containerStatuses?.[0]?.containerID).not.toBe(before.containerStatuses?.[0]?.containerID);
    await vi.waitFor(async () => expect(await cri.listSandboxes()).toHaveLength(1), SOON);
    cri.close();
  });

  it('brings its pods back after the machine went down', async () => {
    node.cluster.put('secrets', 'secret', { a: Buffer.from('b').toString('base64') });
    await node.create('phoenix', {
      volumes: [{ name: 's', secret: { secretName: 'secret' } }],
      containers: [node.server({ volumeMounts: [{ name: 's', mountPath: '/s' }] })],
    });
    await node.untilRunning('phoenix');
    await node.stopAgent();
    const { paths, cgroupRoot, directory } = node.containerd;
    await node.containerd.kill();
    await cleanUpContainers({ paths, cgroupRoot, directories: [directory] });
    await node.containerd.start();
    await applyNetworkRules(paths);
    await node.startAgent();
    const again = ({ containerStatuses }: PodStatusSeen): boolean =>
      Boolean(containerStatuses?.[0]?.ready && containerStatuses[0].restartCount > 0);
    const status = await node.until('phoenix', again);
    expect(status.phase).toBe('Running');
    await node.cluster.deletePod('phoenix', 5);
    await node.untilGone('phoenix');
    await vi.waitFor(async () => expect(await containersOf()).toEqual([]), SOON);
  });
});
