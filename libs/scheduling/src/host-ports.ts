import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** A port of the node that a pod takes. Address 0.0.0.0 takes it on every address. */
export interface HostPort {
  protocol: string;
  port: number;
  address: string;
}

const ANY = '0.0.0.0';
const NONE: readonly HostPort[] = [];

export function hostPortsOf({ spec }: DeepReadonly<Pod>): readonly HostPort[] {
  let ports: HostPort[] | undefined;
  for (const containers of [spec.containers, spec.initContainers ?? []]) {
    for (const container of containers) {
      for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
        if (!hostPort) continue;
        ports ??= [];
        ports.push({ protocol: protocol ?? 'TCP', port: hostPort, address: hostIP || ANY });
      }
    }
  }
  return ports ?? NONE;
}

const sameOrAny = (a: string, b: string): boolean => a === b || a === ANY || b === ANY;

/** Whether two pods with these ports can't share a node. */
export const portsCollide = (wanted: readonly HostPort[], taken: readonly HostPort[]): boolean =>
  wanted.some((a) =>
    taken.some((b) => a.port === b.port && a.protocol === b.protocol && sameOrAny(a.address, b.address)),
  );
