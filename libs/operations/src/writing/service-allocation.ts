import {
  addressesOf,
  DEFAULT_SERVICE_CIDR,
  isIpv6Range,
  isReadyServiceCIDR,
  type Service,
  service,
  serviceCIDR,
} from '@periplus/api';
import { at, type DeepReadonly, type FieldError, internalError, invalid } from '@periplus/apimachinery';
import { allocationPath } from '@periplus/store';
import type { ClusterState } from '../cluster-state.ts';
import { allocationsOf, CLUSTER_IPS, NODE_PORTS } from './companions.ts';
import { addressOf, addressPool, hasAddress, type Pool, pick, type ServiceNetwork } from './service-network.ts';

type Port = NonNullable<Service['spec']['ports']>[number];

/** A value that we chose, which somebody else may have taken meanwhile. */
export interface Choice {
  readonly path: string;
  undo(): void;
}

export interface AllocationDeps {
  network: ServiceNetwork;
  /** What is taken, as far as the cache knows; the commit makes sure. And what further ranges there are. */
  cluster: Pick<ClusterState, 'isAllocated' | 'objects' | 'object'>;
  random(): number;
}

const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: Service['spec']): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
const needsHealthCheckPort = ({ type, externalTrafficPolicy }: Service['spec']): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

const refuse = ({ metadata }: Service, errors: FieldError[]): void => {
  if (errors.length > 0) throw invalid(service, metadata.name ?? '', errors);
};

/** What addresses are taken from now: the ServiceCIDRs that are ready. */
function addressPools({ network, cluster }: AllocationDeps): Pool[] {
  const ready = [...cluster.objects(serviceCIDR)].filter(isReadyServiceCIDR);
  const pools = ready
    .flatMap(({ spec }) => spec.cidrs ?? [])
    .filter((range) => !isIpv6Range(range))
    .map(addressPool);
  // The server's own range counts before the server has said so in the cluster.
  return cluster.object(serviceCIDR, '', DEFAULT_SERVICE_CIDR) ? pools : [network.addresses, ...pools];
}

/** Addresses and ports that the user names must be of our ranges. Those that the service has stay its own. */
function checkNamed(object: Service, held: ReadonlySet<string>, deps: AllocationDeps): void {
  const { network } = deps;
  const errors: FieldError[] = [];
  const { spec } = object;
  for (const address of addressesOf(object)) {
    if (held.has(allocationPath(CLUSTER_IPS, address))) continue;
    if (addressPools(deps).some((pool) => hasAddress(pool, address))) continue;
    const why = 'the provided network does not match the current range';
    errors.push(at('spec', 'clusterIPs').invalid(spec.clusterIPs, `failed to allocate IP ${address}: ${why}`));
  }
  const why = `provided port is not in the valid range. The range of valid ports is ${network.nodePortRange}`;
  spec.ports?.forEach(({ nodePort }, i) => {
    if (!nodePort || network.hasNodePort(nodePort) || held.has(allocationPath(NODE_PORTS, String(nodePort)))) return;
    errors.push(at('spec').index('ports', i).child('nodePort').invalid(nodePort, why));
  });
  refuse(object, errors);
}

/**
 * Gives a service the addresses and node ports that its type needs and that it does not name itself. Returns what was
 * chosen. Throws Invalid for values outside of the ranges, and InternalError when a range is full.
 */
export function allocate(object: Service, old: DeepReadonly<Service> | null, deps: AllocationDeps): Choice[] {
  const { network, cluster, random } = deps;
  const { spec } = object;
  const held = allocationsOf(old);
  checkNamed(object, held, deps);
  const choices: Choice[] = [];
  const chosen = allocationsOf(object);
  const choose = (pools: readonly Pool[], name: string, text: (value: number) => string, what: string): string => {
    const isUsed = (value: number): boolean => {
      const path = allocationPath(name, text(value));
      return chosen.has(path) || (cluster.isAllocated(path) && !held.has(path));
    };
    for (const pool of pools) {
      const value = pick(pool, isUsed, random);
      if (value === undefined) continue;
      chosen.add(allocationPath(name, text(value)));
      return text(value);
    }
    throw internalError(`failed to allocate a ${what}: range is full`);
  };
  const choosePort = (set: (port: number | undefined) => void): void => {
    const port = choose([network.nodePorts], NODE_PORTS, String, 'nodePort');
    set(Number(port));
    choices.push({ path: allocationPath(NODE_PORTS, port), undo: () => set(undefined) });
  };

  if (spec.type !== 'ExternalName' && !spec.clusterIP) {
    const address = choose(addressPools(deps), CLUSTER_IPS, addressOf, 'serviceIP');
    spec.clusterIP = address;
    spec.clusterIPs = [address];
    const undo = (): void => {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    };
    choices.push({ path: allocationPath(CLUSTER_IPS, address), undo });
  }
  if (needsNodePorts(spec)) {
    for (const port of spec.ports ?? []) if (!port.nodePort) choosePort((number) => setNodePort(port, number));
  }
  if (needsHealthCheckPort(spec) && !spec.healthCheckNodePort) {
    choosePort((number) => {
      if (number === undefined) delete spec.healthCheckNodePort;
      else spec.healthCheckNodePort = number;
    });
  }
  return choices;
}

function setNodePort(port: Port, number: number | undefined): void {
  if (number === undefined) delete port.nodePort;
  else port.nodePort = number;
}

/** The refusal of a value that the user named and another service holds. */
export function alreadyAllocated(object: Service, path: string): Error {
  const { spec, metadata } = object;
  for (const address of spec.clusterIPs ?? []) {
    if (allocationPath(CLUSTER_IPS, address) !== path) continue;
    const why = `failed to allocate IP ${address}: provided IP is already allocated`;
    return invalid(service, metadata.name ?? '', [at('spec', 'clusterIPs').invalid(spec.clusterIPs, why)]);
  }
  const position = spec.ports?.findIndex(({ nodePort }) => allocationPath(NODE_PORTS, String(nodePort)) === path) ?? -1;
  const place =
    position >= 0 ? at('spec').index('ports', position).child('nodePort') : at('spec', 'healthCheckNodePort');
  const port = position >= 0 ? spec.ports![position]!.nodePort : spec.healthCheckNodePort;
  return invalid(service, metadata.name ?? '', [place.invalid(port, 'provided port is already allocated')]);
}
