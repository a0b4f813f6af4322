import type { Node } from '@periplus/api';
import type { Command } from '@periplus/client';
import { afterEach, expect, it, vi } from 'vitest';
import { NodeRegistration, type RegistrationDeps } from './node-registration.ts';
import type { MachineFacts } from './node-status.ts';

const GIBI = 1024 ** 3;
const machine: MachineFacts = {
  ...{ hostname: 'n1', architecture: 'amd64', cpus: 2, memoryBytes: 4 * GIBI, memoryFreeBytes: 2 * GIBI },
  ...{ diskBytes: 100 * GIBI, diskFreeBytes: 50 * GIBI, pidsFree: 30_000, addresses: ['192.168.0.1'] },
  ...{ machineId: 'm', systemUuid: 's', bootId: 'b', kernelVersion: '6.1', osImage: 'Debian' },
};

let registration: NodeRegistration | undefined;
afterEach(() => registration?.close());

it('tells that its node is ready although the watch shows the change before the answer to it', async () => {
  const turns: string[] = [];
  const send = async (command: Command): Promise<{ resourceVersion: string }> => {
    const resourceVersion = command.verb === 'create' ? '1' : '2';
    if (command.verb === 'patch') {
      const { status } = command.patch as unknown as Node;
      registration!.see({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'n1', resourceVersion },
        spec: {},
        status,
      });
    }
    return { resourceVersion };
  };
  registration = new NodeRegistration({
    ...{ identity: { name: 'n1', port: 10_250, labels: {}, taints: [] }, readMachine: () => machine },
    readRuntime: async () => ({
      ...{ version: '1.6.20', images: [] },
      conditions: [{ type: 'RuntimeReady', status: true, reason: '', message: '' }],
    }),
    ...{ commands: { send } as unknown as RegistrationDeps['commands'], resources: {} as never },
    ...{ now: Date.now, isAlive: () => true, log: { info() {}, warn() {} } as never },
    onTurn: (_node, reason) => void turns.push(reason),
  });
  registration.start();
  await vi.waitFor(() =>
    expect(turns).toEqual(['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID', 'NodeReady']),
  );
});
