/** One etcd process or container. Every method resolves when what it says is done. */
export interface EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  /** Stops it in its tracks (SIGSTOP): connections stay open, nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(): Promise<void>;
  /** Starts it again, after `kill` or `stop`, on the same data and ports; does not wait until it answers. */
  start(): Promise<void>;
  /** What it has printed so far. */
  log(): Promise<string>;
  /** Stops it for good. */
  remove(): Promise<void>;
}

/** How one member is to run, the same for a process and a container. */
export interface EtcdMemberPlan {
  name: string;
  clientPort: number;
  peerPort: number;
  /** On this machine; data, certificates and logs. */
  folder: string;
  /** etcd's arguments for the address it listens on and the folder as it sees them. */
  args(listen: { host: string; clientPort: number; peerPort: number; folder: string }): string[];
  endpoint: string;
}
