import { type Kind, type Lease, lease as leaseKind, type Node } from '@periplus/api';
import { formatMicroTime, isAlreadyExists, isNotFound } from '@periplus/apimachinery';
import type { CommandClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { Clock } from '@periplus/reconcile';

const NAMESPACE = 'kube-node-lease';
/** Nothing in the cluster reads them, so they cost a write per node in this time and no more. */
export const RENEW_MS = 10 * 60_000;
/** Renewals sent at once. */
const WRITES_MAX = 256;

export interface NodeLeasesDeps {
  commands: CommandClient;
  clock: Clock;
  log: Logger;
}

/**
 * Keeps the Lease objects of nodes, which programs made for Kubernetes look at (`kubectl describe node` does). Whether
 * a node is alive is told by its liveness key in etcd. https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
 */
export class NodeLeases {
  private readonly deps: NodeLeasesDeps;
  /** Uid of each node that has been seen, by name. */
  private readonly nodes = new Map<string, string>();
  private stopRenewing: () => void;
  private closed = false;

  constructor(deps: NodeLeasesDeps) {
    this.deps = deps;
    this.stopRenewing = this.renewLater();
  }

  /** A node of this agent's stands, or stands anew: its lease goes when it goes. */
  see({ metadata }: Node): void {
    const [name, uid] = [metadata.name!, metadata.uid!];
    if (this.closed || this.nodes.get(name) === uid) return;
    this.nodes.set(name, uid);
    void this.tell([name, uid], (lease) => this.hold(lease));
  }

  close(): void {
    this.closed = true;
    this.stopRenewing();
  }

  private renewLater(): () => void {
    return this.deps.clock.after(RENEW_MS, () => {
      this.stopRenewing = this.renewLater();
      void this.renewAll();
    });
  }

  private async renewAll(): Promise<void> {
    const all = [...this.nodes];
    for (let i = 0; i < all.length && !this.closed; i += WRITES_MAX) {
      await Promise.all(all.slice(i, i + WRITES_MAX).map((node) => this.tell(node, (lease) => this.renew(lease))));
    }
  }

  private hold(lease: Lease): Promise<unknown> {
    const create = this.deps.commands.send({ verb: 'create', ...targetOf(lease), object: lease }, null);
    return create.catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
      return this.renew(lease);
    });
  }

  private renew(lease: Lease): Promise<unknown> {
    const { metadata, spec } = lease;
    const patch = { metadata: { ownerReferences: metadata.ownerReferences }, spec };
    return this.deps.commands.send({ verb: 'patch', type: 'merge', ...targetOf(lease), patch }, null);
  }

  /** A node whose lease is gone, or could not be made, is forgotten until it is seen again. */
  private async tell([name, uid]: [string, string], how: (lease: Lease) => Promise<unknown>): Promise<void> {
    const { clock, log } = this.deps;
    try {
      await how(leaseOf(name, uid, clock.nowMs()));
    } catch (error) {
      if (this.nodes.get(name) === uid) this.nodes.delete(name);
      if (!this.closed && !isNotFound(error))
        log.warn({ node: name, error: String(error) }, 'could not tell of a lease');
    }
  }
}

const targetOf = ({ metadata }: Lease) => ({
  kind: leaseKind as unknown as Kind,
  namespace: NAMESPACE,
  name: metadata.name!,
});

const leaseOf = (name: string, uid: string, nowMs: number): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: NAMESPACE, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
  spec: {
    holderIdentity: name,
    // Who judges by it gives a node as long as it may take to miss one renewal.
    leaseDurationSeconds: (2 * RENEW_MS) / 1_000,
    renewTime: formatMicroTime(nowMs),
  },
});
