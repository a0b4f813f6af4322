import type { EndpointSlice, Endpoints } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Slice = DeepReadonly<EndpointSlice>;
type SliceEndpoint = NonNullable<Slice['endpoints']>[number];

/** Addresses in one Endpoints object; what is beyond is left out. */
const ADDRESSES_MAX = 1_000;

function addressOf({ addresses, hostname, nodeName, targetRef }: SliceEndpoint): Address {
  return {
    ip: addresses[0] ?? '',
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef: { ...targetRef } }),
  };
}

const byAddress = (a: Address, b: Address): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);

export interface Subsets {
  subsets: Subset[];
  isTruncated: boolean;
}

/** Those that are ready come first: when there are too many, others are left out before them. */
function truncated(subsets: readonly Subset[]): Subset[] {
  let left = ADDRESSES_MAX;
  const take = (addresses: Address[] | undefined): Address[] => {
    const taken = (addresses ?? []).slice(0, left);
    left -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const unready = subsets.map(({ notReadyAddresses }) => take(notReadyAddresses));
  return subsets.map((subset, i) => ({ ...subset, addresses: ready[i]!, notReadyAddresses: unready[i]! }));
}

/** What EndpointSlices of one family say, in the older form: by ports, the ready ones apart from the others. */
export function subsetsOf(slices: readonly Slice[]): Subsets {
  const byPorts = new Map<string, Required<Subset>>();
  let count = 0;
  for (const { ports, endpoints } of slices) {
    const own = [...(ports ?? [])].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
    const key = JSON.stringify(own);
    const subset = byPorts.get(key) ?? {
      ...{ addresses: [], notReadyAddresses: [] },
      ports: own.map(({ name, port, protocol, appProtocol }) => ({
        ...(name && { name }),
        ...{ port: port ?? 0, protocol: protocol ?? 'TCP' },
        ...(appProtocol && { appProtocol }),
      })),
    };
    for (const endpoint of endpoints ?? []) {
      const { ready = true, terminating = false } = endpoint.conditions ?? {};
      // Nobody is told of pods on their way out, unless their Service wants all of them.
      if (!ready && terminating) continue;
      (ready ? subset.addresses : subset.notReadyAddresses).push(addressOf(endpoint));
      count += 1;
    }
    byPorts.set(key, subset);
  }
  const found = [...byPorts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset);
  for (const { addresses, notReadyAddresses } of found) {
    addresses.sort(byAddress);
    notReadyAddresses.sort(byAddress);
  }
  const subsets = truncated(found)
    .filter(({ addresses = [], notReadyAddresses = [] }) => addresses.length + notReadyAddresses.length > 0)
    .map(({ addresses = [], notReadyAddresses = [], ports = [] }) => ({
      ...(addresses.length > 0 && { addresses }),
      ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
      ...(ports.length > 0 && { ports }),
    }));
  return { subsets, isTruncated: count > ADDRESSES_MAX };
}
