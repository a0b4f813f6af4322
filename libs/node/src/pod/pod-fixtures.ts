/** Small pods and runtimes for tests of the decisions. */
import { ANNOTATION, containerHash } from './container-names.ts';
import type { PodInput } from './decide-pod.ts';
import type { ContainerFacts, PodMemory, PodRuntime } from './pod-runtime.ts';
import type { Container, Pod, PodSpec } from './pod-types.ts';

export const NOW = Date.parse('2026-11-21T12:00:00Z');
export const SANDBOX = 'sandbox-0';

export const aPod = (spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-1', ...metadata },
  spec: { nodeName: 'node-1', restartPolicy: 'Always', containers: [{ name: 'main', image: 'app:1' }], ...spec },
  status: { phase: 'Pending' },
});

export const aContainer = (facts: Partial<ContainerFacts> = {}): ContainerFacts => {
  const { name = 'main', attempt = 0 } = facts;
  return {
    ...{ id: `${name}-${attempt}`, sandboxId: SANDBOX, name, attempt, image: 'app:1', imageRef: 'sha256:1' },
    ...{ state: 'running', createdAtMs: NOW - 60_000 + attempt, startedAtMs: NOW - 60_000, finishedAtMs: 0 },
    ...{ exitCode: 0, reason: '', message: '', logPath: '', labels: {} },
    annotations: { [ANNOTATION.hash]: containerHash({ name, image: 'app:1' } as Container) },
    ...facts,
  };
};

export const exited = (facts: Partial<ContainerFacts> = {}): ContainerFacts =>
  aContainer({ state: 'exited', finishedAtMs: NOW - 1_000, ...facts });

export const aRuntime = (
  containers: ContainerFacts[] = [],
  sandbox: 'ready' | 'broken' | 'none' = 'ready',
): PodRuntime => ({
  sandboxes:
    sandbox === 'none'
      ? []
      : [
          {
            ...{ id: SANDBOX, podName: 'web', podNamespace: 'default', podUid: 'uid-1', attempt: 0 },
            ...{ ready: sandbox === 'ready', createdAtMs: NOW - 61_000, labels: {}, annotations: {} },
          },
        ],
  addresses: sandbox === 'ready' ? ['10.0.0.2'] : [],
  containers: [...containers].sort((a, b) => b.createdAtMs - a.createdAtMs),
});

export const aMemory = (memory: Partial<PodMemory> = {}): PodMemory => ({
  ...{ volumesReady: true, cleanedUp: false, stopping: new Map(), startFailures: new Map(), starting: new Set() },
  retryAt: () => undefined,
  backoffMs: () => 10_000,
  probes: () => ({ started: true, ready: true, failed: null }),
  terminationMessage: () => '',
  hostAddresses: ['192.168.0.1'],
  ...memory,
});

export const anInput = (input: Partial<PodInput> = {}): PodInput => ({
  ...{ pod: aPod(), runtime: aRuntime(), memory: aMemory(), nowMs: NOW },
  ...input,
});
