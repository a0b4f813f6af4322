import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** A port of the node that a pod takes. Address 0.0.0.0 takes it on every address. */
export interface HostPort {
  protocol: string;
  port: number;
  address: string;
}

const ANY = '0.0.0.0';

/** Of its containers and its sidecars: other init containers hold theirs only until they are done. */
export function hostPortsOf({ spec }: DeepReadonly<Pod>): HostPort[] {
  const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  const taken: HostPort[] = [];
  for (const { ports = [] } of [...spec.containers, ...sidecars]) {
    for (const { hostPort, hostIP, protocol = 'TCP' } of ports) {
      if (hostPort) taken.push({ protocol, port: hostPort, address: hostIP || ANY });
    }
  }
  return taken;
}

const sameOrAny = (a: string, b: string): boolean => a === b || a === ANY || b === ANY;

/** Whether two pods with these ports can't share a node. */
export const portsCollide = (wanted: readonly HostPort[], taken: readonly HostPort[]): boolean =>
  wanted.some((a) =>
    taken.some((b) => a.port === b.port && a.protocol === b.protocol && sameOrAny(a.address, b.address)),
  );
