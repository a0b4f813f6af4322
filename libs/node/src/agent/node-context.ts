/** Puts together what all pods of a node share. */
import { join } from 'node:path';
import { type CommandClient, EventRecorder, type ResourceClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { Cri } from '@periplus/cri';
import { readMachine } from '../machine.ts';
import { allocatableOf, type NodeIdentity, type RuntimeFacts } from '../node-status.ts';
import type { ClusterDns } from '../pod/dns.ts';
import { Prober } from '../probes/prober.ts';
import { PodDirectories } from '../volumes/pod-directories.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';
import type { AgentContext, NodeSettings } from './agent-context.ts';
import { ImagePuller } from './image-puller.ts';
import { ApiDataSource } from './object-data.ts';
import { RuntimeView } from './runtime-view.ts';
import { StatusSender } from './status-sender.ts';

const VOLUME_REFRESH_MS = 60_000;
/** As the kubelet reports: the largest ones. */
const IMAGES_MAX = 50;

export interface ContextOptions {
  identity: Omit<NodeIdentity, 'port'>;
  /** What others reach the node by; found out when empty. */
  addresses: readonly string[];
  /** Volumes, hosts files, termination messages. */
  directory: string;
  logDirectory: string;
  /** Control groups of the pods: "/kubepods". */
  cgroupRoot: string;
  dns: ClusterDns;
  /** Where pods find the API; absent: they are not told. */
  apiService?: { host: string; port: number };
  /** How long a change of a ConfigMap or Secret may stay unseen in volumes. Default 60 s. */
  volumeRefreshMs?: number;
}

export interface ContextDeps {
  cri: Cri;
  commands: CommandClient;
  resources: ResourceClient;
  log: Logger;
  /** Something about the pod of this uid has changed. */
  wake(uid: string): void;
}

export async function readRuntime(cri: Cri): Promise<RuntimeFacts> {
  const [{ version }, conditions, images] = await Promise.all([cri.version(), cri.conditions(), cri.listImages()]);
  return {
    // Debian's version carries its own suffix: 1.6.20~ds1.
    version: version.replace(/~.*$/, ''),
    conditions,
    images: images
      .map(({ tags, digests, sizeBytes }) => ({ names: [...digests, ...tags], sizeBytes }))
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, IMAGES_MAX),
  };
}

/** Nothing is read or written yet but facts about the machine. */
export function makeContext(options: ContextOptions, deps: ContextDeps): AgentContext {
  const { identity, directory, logDirectory, cgroupRoot, dns, apiService } = options;
  const { cri, log, commands, resources, wake } = deps;
  const directories = new PodDirectories(directory);
  const machine = readMachine('/', options.addresses.length > 0 ? [...options.addresses] : undefined);
  const settings: NodeSettings = {
    facts: {
      name: identity.name,
      addresses: machine.addresses,
      allocatable: allocatableOf(machine, identity.podsMax),
    },
    machineMemoryBytes: machine.memoryBytes,
    ...{ logDirectory, cgroupRoot, dns },
    hostDns: { servers: [], searches: [], options: [] },
    seccompDirectory: join(directory, 'seccomp'),
    volumeRefreshMs: options.volumeRefreshMs ?? VOLUME_REFRESH_MS,
    serviceVariables: apiVariables(apiService),
  };
  const recorder = new EventRecorder({
    commands,
    component: 'kubelet',
    host: identity.name,
    onLost: (error) => log.debug({ error: error.message }, 'an event was lost'),
  });
  return {
    ...{ settings, cri, commands, resources, log, directories, now: Date.now },
    view: new RuntimeView(cri, identity.name),
    images: new ImagePuller(cri, Date.now),
    data: new ApiDataSource(resources, Date.now),
    volumes: new PodVolumes(directories, identity.name, Date.now),
    statuses: new StatusSender(commands, (error, { metadata }) => {
      log.warn({ namespace: metadata.namespace, pod: metadata.name, error: String(error) }, 'could not send a status');
    }),
    prober: new Prober({
      ...{ cri, now: Date.now, onChange: wake },
      onUnhealthy: (pod, container, kind, { message }) =>
        recorder.record({
          about: pod,
          type: 'Warning',
          reason: 'Unhealthy',
          message: `${kind.replace(/^./, (letter) => letter.toUpperCase())} probe failed: ${message}`,
          fieldPath: `spec.containers{${container.name}}`,
        }),
    }),
    record: (event) => recorder.record(event),
  };
}

/** What client libraries look for inside of a pod. */
function apiVariables(service: ContextOptions['apiService']): Map<string, string> {
  if (!service) return new Map();
  const port = String(service.port);
  const tcp = `tcp://${service.host}:${port}`;
  return new Map([
    ['KUBERNETES_SERVICE_HOST', service.host],
    ['KUBERNETES_SERVICE_PORT', port],
    ['KUBERNETES_SERVICE_PORT_HTTPS', port],
    ['KUBERNETES_PORT', tcp],
    [`KUBERNETES_PORT_${port}_TCP`, tcp],
    [`KUBERNETES_PORT_${port}_TCP_PROTO`, 'tcp'],
    [`KUBERNETES_PORT_${port}_TCP_PORT`, port],
    [`KUBERNETES_PORT_${port}_TCP_ADDR`, service.host],
  ]);
}
