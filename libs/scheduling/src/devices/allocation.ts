import { createHash } from 'node:crypto';
import type { Quantity } from '@periplus/apimachinery';
import type { ChosenDevice } from './device-constraints.ts';
import type { AllocatedConfig, AllocatedDevice, Allocation, Claim, NodeSelector, NodeView } from './resource-types.ts';
import type { Alternative } from './wanted-devices.ts';

/** What was found for one request. */
export interface FoundDevice extends ChosenDevice {
  readonly from: Alternative;
  /** Of a device that several may have: what is taken of it. Null: the device is the claim's alone. */
  readonly consumes: ReadonlyMap<string, Quantity> | null;
}

const HEX_OF_UUID = 32;

/** Tells the shares of one device apart: an UUID of the claim's state, so that the same decision gives the same one. */
function shareId({ metadata }: Claim, { request, pooled }: FoundDevice, index: number): string {
  const text = `${metadata.uid}/${metadata.resourceVersion}/${request}/${pooled.id}/${index}`;
  const hex = createHash('sha256').update(text).digest('hex').slice(0, HEX_OF_UUID);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
  return parts.join('-');
}

function resultOf(claim: Claim, found: FoundDevice, index: number): AllocatedDevice {
  const { request, pooled, from, consumes } = found;
  const { device, pool } = pooled;
  const { adminAccess, tolerations } = from.asked;
  const { bindingConditions, bindingFailureConditions } = device;
  return {
    request,
    driver: pool.driver,
    pool: pool.name,
    device: device.name,
    ...(adminAccess && { adminAccess }),
    ...(tolerations && { tolerations }),
    ...(bindingConditions && { bindingConditions }),
    ...(bindingFailureConditions && { bindingFailureConditions }),
    ...(consumes && { shareID: shareId(claim, found, index) }),
    ...(consumes && consumes.size > 0 && { consumedCapacity: textsOf(consumes) }),
  };
}

const textsOf = (amounts: ReadonlyMap<string, Quantity>): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, amount.toString()]));

/** What classes say of the requests that use them, and then what the claim says of its own. */
function configsOf({ spec }: Claim, used: readonly Alternative[]): AllocatedConfig[] {
  const byClass = new Map<string, { alternative: Alternative; requests: string[] }>();
  for (const alternative of used) {
    const name = alternative.class.metadata.name!;
    const known = byClass.get(name) ?? { alternative, requests: [] };
    known.requests.push(alternative.name);
    byClass.set(name, known);
  }
  const ofClasses = [...byClass.values()].flatMap(({ alternative, requests }) =>
    (alternative.class.spec.config ?? []).map(
      ({ opaque }): AllocatedConfig => ({ source: 'FromClass', requests, opaque }),
    ),
  );
  const isUsed = (request: string): boolean =>
    used.some(({ name }) => name === request || name.startsWith(`${request}/`));
  const ofClaim = (spec.devices?.config ?? [])
    .filter(({ requests = [] }) => requests.length === 0 || requests.some(isUsed))
    .map((config): AllocatedConfig => ({ source: 'FromClaim', ...config }));
  return [...ofClasses, ...ofClaim];
}

type Requirement = NonNullable<NodeSelector['nodeSelectorTerms'][number]['matchFields']>[number];

const textOf = ({ key, operator, values = [] }: Requirement): string =>
  JSON.stringify([key, operator, [...new Set(values)].sort()]);

const distinct = (requirements: readonly Requirement[]): Requirement[] =>
  [...new Map([...requirements].reverse().map((one) => [textOf(one), one])).values()].reverse();

/** Which nodes reach all of the devices; undefined: any. */
function selectorOf(found: readonly FoundDevice[], node: NodeView): NodeSelector | undefined {
  const places = found.map(({ pooled: { device, slice } }) =>
    slice.spec.perDeviceNodeSelection ? device : slice.spec,
  );
  if (places.some(({ nodeName }) => nodeName) || found.some(({ pooled }) => pooled.device.bindsToNode)) {
    const values = [node.metadata.name!];
    return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values }] }] };
  }
  const terms = places.flatMap(({ nodeSelector }) => nodeSelector?.nodeSelectorTerms ?? []);
  const matchFields = distinct(terms.flatMap((term) => term.matchFields ?? []));
  const matchExpressions = distinct(terms.flatMap((term) => term.matchExpressions ?? []));
  if (matchFields.length + matchExpressions.length === 0) return undefined;
  const term = {
    ...(matchFields.length > 0 && { matchFields }),
    ...(matchExpressions.length > 0 && { matchExpressions }),
  };
  return { nodeSelectorTerms: [term] };
}

/** What the status of the claim is to say of the devices that were found for it. */
export function allocationOf(
  claim: Claim,
  used: readonly Alternative[],
  found: readonly FoundDevice[],
  node: NodeView,
): Allocation {
  const config = configsOf(claim, used);
  const nodeSelector = selectorOf(found, node);
  const results = found.map((one, index) => resultOf(claim, one, index));
  return { devices: { results, ...(config.length > 0 && { config }) }, ...(nodeSelector && { nodeSelector }) };
}
