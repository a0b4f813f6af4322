import { openEtcd } from '@periplus/etcd';
import type { Component, LeaderLeasesDeps } from '@periplus/operations';
import { Keys } from '@periplus/store';
import type { Config } from './config.ts';

/** How long a member of etcd may take to answer. */
const ANSWER_MS_MAX = 2_000;
/** Those of whom one must lead. */
const ELECTED = ['controller-manager', 'scheduler'];

/** The rest of the control plane, as `kubectl get componentstatuses` asks for it. */
export interface Components {
  all: readonly Component[];
  /** Where it stands who leads. */
  elections: Pick<LeaderLeasesDeps, 'etcd' | 'keys' | 'elected'>;
  close(): Promise<void>;
}

/**
 * A component that is elected does its work as long as one of it holds the election, wherever it runs; every member of
 * etcd is asked by itself. Connections are made when first asked.
 */
export function componentsOf({ etcd: { endpoints, prefix, tls } }: Config): Components {
  const keys = new Keys(prefix);
  const open = (some: readonly string[]) =>
    openEtcd({ endpoints: [...some], timeoutMs: ANSWER_MS_MAX, ...(tls && { tls }) });
  const etcd = open(endpoints);
  const members = endpoints.map((endpoint) => open([endpoint]));
  const elected = ELECTED.map((name) => ({
    name,
    async check() {
      const { count } = await etcd.range({ key: keys.election(name), countOnly: true });
      if (count === 0) throw new Error('none is leading');
    },
  }));
  const asked = members.map((member, at) => ({
    name: `etcd-${at}`,
    async check() {
      await member.range({ key: keys.election('health'), countOnly: true });
    },
  }));
  return {
    all: [...elected, ...asked],
    elections: { etcd, keys, elected: ELECTED },
    async close() {
      await Promise.all([etcd, ...members].map((client) => client.close()));
    },
  };
}
