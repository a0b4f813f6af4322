import type { CommandClient, RecordedEvent, ResourceClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { Cri } from '@periplus/cri';
import type { ClusterDns, DnsConfig } from '../pod/dns.ts';
import type { NodeFacts } from '../pod/pod-fields.ts';
import type { Prober } from '../probes/prober.ts';
import type { PodDirectories } from '../volumes/pod-directories.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { ImagePuller } from './image-puller.ts';
import type { DataSource } from './object-data.ts';
import type { RuntimeView } from './runtime-view.ts';
import type { StatusSender } from './status-sender.ts';

/** What the node is and where it keeps things. */
export interface NodeSettings {
  facts: NodeFacts;
  machineMemoryBytes: number;
  logDirectory: string;
  cgroupRoot: string;
  seccompDirectory: string;
  dns: ClusterDns;
  /** The node's own resolvers. */
  hostDns: DnsConfig;
  /** How long a ConfigMap or Secret that changed may stay unseen in volumes. */
  volumeRefreshMs: number;
  /** Variables that lead to the API from inside: KUBERNETES_SERVICE_HOST and others. */
  serviceVariables: ReadonlyMap<string, string>;
}

/** What all pods of a node share. */
export interface AgentContext {
  settings: NodeSettings;
  cri: Cri;
  view: RuntimeView;
  images: ImagePuller;
  data: DataSource;
  directories: PodDirectories;
  volumes: PodVolumes;
  statuses: StatusSender;
  commands: CommandClient;
  resources: ResourceClient;
  prober: Prober;
  record(event: RecordedEvent): void;
  log: Logger;
  now(): number;
}
