import { openCri, type SandboxConfig, type TaskEvent, watchTasks } from '@periplus/cri';
import { eventually, startContainerd, type TestContainerd, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const reason = whyNoTestContainers();

describe.skipIf(reason)(`the runtime client${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let containerd: TestContainerd;
  beforeAll(async () => {
    containerd = await startContainerd();
  });
  afterAll(() => containerd?.stop());

  const sandboxConfig = (name: string): SandboxConfig => ({
    metadata: { name, namespace: 'default', uid: `uid-${name}`, attempt: 0 },
    hostname: name,
    logDirectory: `${containerd.directory}/logs/${name}`,
    labels: { app: name },
    linux: { cgroupParent: `${containerd.cgroupRoot}/pod${name}`, securityContext: { namespaceOptions: { pid: 1 } } },
  });

  it('runs a container in a sandbox with an address, and hears of its exit', async () => {
    const cri = openCri(containerd.socket);
    const events: TaskEvent[] = [];
    const connected = vi.fn();
    const watch = watchTasks(containerd.socket, { onEvent: (event) => events.push(event), onConnected: connected });
    await eventually(() => expect(connected).toHaveBeenCalled());

    const config = sandboxConfig('one');
    const sandbox = await cri.runSandbox(config);
    expect(await cri.sandboxAddresses(sandbox)).toEqual([expect.stringMatching(/^10\.\d+\.\d+\.\d+$/)]);
    const container = await cri.createContainer(
      sandbox,
      {
        metadata: { name: 'main', attempt: 0 },
        image: { image: containerd.image },
        command: ['/bin/sh', '-c', 'echo out; exit 7'],
        logPath: 'main/0.log',
        linux: {},
      },
      config,
    );
    await cri.startContainer(container);
    await eventually(() =>
      expect(events.filter((event) => event.containerId === container).map((event) => event.topic)).toEqual(
        expect.arrayContaining(['/tasks/start', '/tasks/exit']),
      ),
    );
    await eventually(async () => {
      expect(await cri.containerStatus(container)).toMatchObject({ state: 'exited', exitCode: 7, reason: 'Error' });
    });
    expect(await cri.listSandboxes({ labels: { app: 'one' } })).toMatchObject([
      { id: sandbox, podUid: 'uid-one', ready: true },
    ]);
    await cri.stopSandbox(sandbox);
    await cri.removeSandbox(sandbox);
    expect(await cri.listContainers()).toEqual([]);
    watch.close();
    cri.close();
  });

  it('says what kind of failure it was, in the words of the runtime', async () => {
    const cri = openCri(containerd.socket);
    await expect(cri.containerStatus('nope')).rejects.toMatchObject({ failure: 'NotFound', method: 'ContainerStatus' });
    expect(await cri.image('localhost/absent:1')).toBeUndefined();
    expect(await cri.image(containerd.image)).toMatchObject({ uid: 1000, tags: [containerd.image] });
    cri.close();
  });
});
