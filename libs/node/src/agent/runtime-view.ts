import { type ContainerEntry, type ContainerStatus, type Cri, isCriNotFound, type Sandbox } from '@periplus/cri';
import { LABEL } from '../pod/container-names.ts';
import type { ContainerFacts, PodRuntime } from '../pod/pod-runtime.ts';

const newestFirst = (a: { createdAtMs: number }, b: { createdAtMs: number }): number => b.createdAtMs - a.createdAtMs;

/** What the runtime has of a pod that nobody may know. */
export interface FoundPod {
  uid: string;
  namespace: string;
  name: string;
  /** Changes when a sandbox or container came, went or changed its state. */
  fingerprint: string;
}

/** CRI shows an exit some milliseconds after containerd has told of it. One that it never shows is given up. */
const SETTLING_MS_MAX = 2_000;

/** Reads what the runtime has of pods. Ended containers don't change, so each is asked about once. */
export class RuntimeView {
  private readonly cri: Cri;
  private readonly node: string;
  /** Sandboxes and containers by id; events name nothing but these. */
  private readonly podOf = new Map<string, string>();
  private readonly ended = new Map<string, ContainerStatus>();
  private readonly addresses = new Map<string, string[]>();
  /** Containers that were heard to end, with the time of it, until CRI shows them so. */
  private readonly exits = new Map<string, number>();

  /** Only pods that this `node` started are seen. */
  constructor(cri: Cri, node: string) {
    this.cri = cri;
    this.node = node;
  }

  /** Uid of the pod that a sandbox or container belongs to; undefined when it was never seen. */
  podOfId(id: string): string | undefined {
    return this.podOf.get(id);
  }

  learn(id: string, uid: string): void {
    this.podOf.set(id, uid);
  }

  /** The container has ended, as an event says. */
  heardExit(id: string): void {
    this.exits.set(id, Date.now());
  }

  /** Whether the runtime still shows containers as running that have ended: look again in a moment. */
  isSettling({ containers }: PodRuntime): boolean {
    for (const { id, state } of containers) {
      const heardMs = this.exits.get(id);
      if (heardMs === undefined) continue;
      if (state === 'running' && Date.now() - heardMs < SETTLING_MS_MAX) return true;
      this.exits.delete(id);
    }
    return false;
  }

  async inspect(uid: string): Promise<PodRuntime> {
    const labels = { [LABEL.podUid]: uid };
    const [sandboxes, entries] = await Promise.all([
      this.cri.listSandboxes({ labels }),
      this.cri.listContainers({ labels }),
    ]);
    sandboxes.sort(newestFirst);
    const newest = sandboxes[0];
    for (const { id } of [...sandboxes, ...entries]) this.podOf.set(id, uid);
    const [containers, addresses] = await Promise.all([
      Promise.all(entries.map((entry) => this.factsOf(entry))),
      newest?.ready ? this.addressesOf(newest) : [],
    ]);
    return { sandboxes, addresses, containers: containers.filter((facts) => facts !== undefined).sort(newestFirst) };
  }

  /** Every pod that the runtime has something of; forgets what is gone. */
  async relist(): Promise<FoundPod[]> {
    const labels = { [LABEL.node]: this.node };
    const [sandboxes, containers] = await Promise.all([
      this.cri.listSandboxes({ labels }),
      this.cri.listContainers({ labels }),
    ]);
    const found = new Map<string, FoundPod & { states: string[] }>();
    const present = new Set<string>();
    const add = (id: string, from: Readonly<Record<string, string>>, state: string): void => {
      const uid = from[LABEL.podUid] ?? '';
      present.add(id);
      this.podOf.set(id, uid);
      const pod = found.get(uid) ?? {
        ...{ uid, namespace: from[LABEL.podNamespace] ?? '', name: from[LABEL.podName] ?? '' },
        ...{ fingerprint: '', states: [] },
      };
      pod.states.push(`${id}=${state}`);
      found.set(uid, pod);
    };
    for (const { id, labels: from, ready } of sandboxes) add(id, from, String(ready));
    for (const { id, labels: from, state } of containers) add(id, from, state);
    this.forgetAllBut(present);
    return [...found.values()].map(({ states, ...pod }) => ({ ...pod, fingerprint: states.sort().join() }));
  }

  private forgetAllBut(present: ReadonlySet<string>): void {
    for (const map of [this.podOf, this.ended, this.addresses, this.exits]) {
      for (const id of map.keys()) if (!present.has(id)) map.delete(id);
    }
  }

  private async factsOf(entry: ContainerEntry): Promise<ContainerFacts | undefined> {
    try {
      const status = this.ended.get(entry.id) ?? (await this.cri.containerStatus(entry.id));
      if (status.state === 'exited') this.ended.set(entry.id, status);
      const { state, startedAtMs, finishedAtMs, exitCode, reason, message, logPath } = status;
      return { ...entry, state, startedAtMs, finishedAtMs, exitCode, reason, message, logPath };
    } catch (error) {
      if (isCriNotFound(error)) return undefined;
      throw error;
    }
  }

  private async addressesOf(sandbox: Sandbox): Promise<string[]> {
    const known = this.addresses.get(sandbox.id);
    if (known) return known;
    const addresses = await this.cri.sandboxAddresses(sandbox.id);
    if (addresses.length > 0) this.addresses.set(sandbox.id, addresses);
    return addresses;
  }
}
