import { type ResourceClaim, type ResourceSlice, resourceClaim, resourceSlice } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Index, View } from '@periplus/cache';

export type SliceView = DeepReadonly<ResourceSlice>;
type Device = NonNullable<SliceView['spec']['devices']>[number];
export type Taint = NonNullable<Device['taints']>[number];
type Allocation = NonNullable<NonNullable<DeepReadonly<ResourceClaim>['status']>['allocation']>;
export type AllocatedDevice = NonNullable<NonNullable<Allocation['devices']>['results']>[number];

/** Names of drivers have no slash. */
const poolName = (driver: string, pool: string): string => `${driver}/${pool}`;
export const poolOf = ({ spec }: SliceView): string => poolName(spec.driver, spec.pool.name);

export const devicesOf = ({ status }: DeepReadonly<ResourceClaim>): readonly AllocatedDevice[] =>
  status?.allocation?.devices?.results ?? [];

export const slicesOfPool: Index<ResourceSlice> = {
  name: 'slices-of-pool',
  kind: resourceSlice,
  keys: (slice) => [poolOf(slice)],
};

/** Claims by the pools that their devices are of. */
export const claimsOnPool: Index<ResourceClaim> = {
  name: 'claims-on-pool',
  kind: resourceClaim,
  keys: (claim) => [...new Set(devicesOf(claim).map(({ driver, pool }) => poolName(driver, pool)))],
};

/** The slices of a pool. */
export type Pools = (pool: string) => readonly SliceView[];
export const poolsNow =
  (view: View): Pools =>
  (pool) =>
    view.index(slicesOfPool, pool);

/** The taints of an allocated device that make pods leave. Slices of older generations count no more. */
export function evictingTaints({ driver, pool, device }: AllocatedDevice, pools: Pools): readonly Taint[] {
  const slices = pools(poolName(driver, pool));
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
  return slices
    .filter(({ spec }) => spec.pool.generation === newest)
    .flatMap(({ spec }) => spec.devices?.find(({ name }) => name === device)?.taints ?? [])
    .filter(({ effect }) => effect === 'NoExecute');
}
