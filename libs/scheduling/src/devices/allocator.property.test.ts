import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asking, celSelector, DRIVER, makeClaim, makeClass, makeSlice, resultOf } from '../testing/devices.ts';
import { makeNode } from '../testing/objects.ts';
import { AllocatedDevices } from './allocated-devices.ts';
import { allocate } from './allocator.ts';
import { DevicePools } from './device-pools.ts';
import { DeviceSelectors } from './device-selectors.ts';
import type { Allocation, Claim, Device, DeviceRequest, ExactRequest } from './resource-types.ts';
import { wantedDevices } from './wanted-devices.ts';

/** Few of each, so that they often stand in each other's way. */
const MEMORY = 3;
const BANDWIDTH = 3;

interface DeviceCase {
  model: string;
  numa: number | null;
  memory: number;
  isShared: boolean;
  isTaken: boolean;
}
interface AskedCase {
  model: string | null;
  count: number | 'All';
  bandwidth: number;
}
interface RequestCase {
  alternatives: AskedCase[];
}
interface ClaimCase {
  requests: RequestCase[];
  constraint: 'matchAttribute' | 'distinctAttribute' | null;
  onFirst: boolean;
}

const models = fc.constantFrom('small', 'large');
const deviceCase: fc.Arbitrary<DeviceCase> = fc.record({
  model: models,
  numa: fc.option(fc.nat(1), { freq: 5 }),
  memory: fc.nat(2),
  isShared: fc.boolean(),
  isTaken: fc.boolean(),
});
const askedCase: fc.Arbitrary<AskedCase> = fc.record({
  model: fc.option(models),
  count: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 2 }) },
    { weight: 1, arbitrary: fc.constant('All' as const) },
  ),
  bandwidth: fc.integer({ min: 1, max: 2 }),
});
const claimCase: fc.Arbitrary<ClaimCase> = fc.record({
  requests: fc.array(fc.record({ alternatives: fc.array(askedCase, { minLength: 1, maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 2,
  }),
  constraint: fc.constantFrom('matchAttribute' as const, 'distinctAttribute' as const, null),
  onFirst: fc.boolean(),
});

const nameOf = (index: number): string => `d${index}`;

const deviceOf = ({ model, numa, memory, isShared }: DeviceCase, index: number): Device => ({
  name: nameOf(index),
  attributes: { model: { string: model }, ...(numa !== null && { numa: { int: numa } }) },
  ...(isShared && { allowMultipleAllocations: true }),
  capacity: { bandwidth: { value: String(BANDWIDTH) } },
  ...(memory > 0 && { consumesCounters: [{ counterSet: 'card', counters: { memory: { value: String(memory) } } }] }),
});

const askedOf = ({ model, count, bandwidth }: AskedCase): Partial<ExactRequest> & { deviceClassName: string } => ({
  deviceClassName: 'gpu',
  allocationMode: count === 'All' ? 'All' : 'ExactCount',
  ...(count !== 'All' && { count }),
  capacity: { requests: { bandwidth: String(bandwidth) } },
  ...(model !== null && { selectors: [celSelector(`device.attributes["${DRIVER}"].model == "${model}"`)] }),
});

function requestOf({ alternatives }: RequestCase, index: number): DeviceRequest {
  const name = `r${index}`;
  if (alternatives.length === 1) return asking(name, { count: undefined, ...askedOf(alternatives[0]!) });
  return { name, firstAvailable: alternatives.map((one, at) => ({ name: `a${at}`, ...askedOf(one) })) };
}

function claimOf({ requests, constraint, onFirst }: ClaimCase, index: number): Claim {
  const constraints =
    constraint === null ? [] : [{ [constraint]: `${DRIVER}/numa`, ...(onFirst && { requests: ['r0'] }) }];
  return makeClaim(`c${index}`, { requests: requests.map(requestOf), constraints });
}

const isTaken = ({ isTaken, isShared }: DeviceCase): boolean => isTaken && !isShared;

function search(devices: readonly DeviceCase[], claims: readonly Claim[]): readonly Allocation[] | string {
  const pool = { name: 'n', generation: 1, resourceSliceCount: 2 };
  const sharedCounters = [{ name: 'card', counters: { memory: { value: String(MEMORY) } } }];
  const pools = new DevicePools();
  pools.set({ ...makeSlice('n', [], { sharedCounters, pool }), metadata: { name: 'counters' } });
  pools.set(makeSlice('n', devices.map(deviceOf), { pool }));
  const allocated = new AllocatedDevices();
  const results = devices.flatMap((one, index) => (isTaken(one) ? [resultOf('n', nameOf(index))] : []));
  allocated.add({ devices: { results } });
  const selectors = new DeviceSelectors();
  const open = claims.map((claim) => ({ claim, wanted: wantedDevices(claim, () => makeClass('gpu')) as never }));
  const node = makeNode('n');
  return allocate(open, node, pools.reachedFrom(node), { allocated, selectors }, { steps: 1_000_000 });
}

/** What an alternative gets, by indexes of devices; in the order of the requests of all claims. */
interface Choice {
  claim: number;
  request: number;
  alternative: number;
  devices: number[];
}

/** Whether that is what was asked for, and can be had together with what is taken. Written anew, without the allocator. */
function isRight(choices: readonly Choice[], devices: readonly DeviceCase[], claims: readonly ClaimCase[]): boolean {
  const uses = choices.flatMap(({ claim, request, alternative, devices: chosen }) => {
    const asked = claims[claim]!.requests[request]!.alternatives[alternative]!;
    return chosen.map((index) => ({ claim, request, index, asked, device: devices[index]! }));
  });
  for (const { claim, request, alternative, devices: chosen } of choices) {
    const { model, count } = claims[claim]!.requests[request]!.alternatives[alternative]!;
    const selected = devices.flatMap((one, index) => (model === null || one.model === model ? [index] : []));
    if (chosen.some((index) => !selected.includes(index))) return false;
    if (count === 'All' ? chosen.length === 0 || `${chosen}` !== `${selected}` : chosen.length !== count) return false;
  }
  for (const [index, device] of devices.entries()) {
    const users = uses.filter((use) => use.index === index);
    if (device.isShared) {
      if (users.reduce((sum, { asked }) => sum + asked.bandwidth, 0) > BANDWIDTH) return false;
    } else if (users.length + Number(device.isTaken) > 1) return false;
  }
  const used = devices.filter((one, index) => isTaken(one) || uses.some((use) => use.index === index));
  const needed = used.reduce((sum, { memory }) => sum + memory, 0);
  if (uses.some(({ device }) => device.memory > 0) && needed > MEMORY) return false;
  return claims.every(({ constraint, onFirst }, claim) => {
    if (constraint === null) return true;
    const mine = uses.filter((use) => use.claim === claim && (!onFirst || use.request === 0));
    const values = mine.map(({ device }) => device.numa);
    if (values.includes(null)) return false;
    const distinct = new Set(values).size;
    return constraint === 'matchAttribute' ? distinct <= 1 : distinct === values.length;
  });
}

/** Sets of so many indexes; of devices that can be shared, one may be there repeatedly. */
function* sets(devices: readonly DeviceCase[], count: number, from = 0): Generator<number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let first = from; first < devices.length; first += 1) {
    for (const rest of sets(devices, count - 1, devices[first]!.isShared ? first : first + 1)) yield [first, ...rest];
  }
}

/** Everything that could be chosen. */
function* everyChoice(
  devices: readonly DeviceCase[],
  claims: readonly ClaimCase[],
  claim = 0,
  request = 0,
): Generator<Choice[]> {
  if (claim === claims.length) {
    yield [];
    return;
  }
  const { requests } = claims[claim]!;
  if (request === requests.length) {
    yield* everyChoice(devices, claims, claim + 1, 0);
    return;
  }
  for (const [alternative, { model, count }] of requests[request]!.alternatives.entries()) {
    const all = devices.flatMap((one, index) => (model === null || one.model === model ? [index] : []));
    for (const chosen of count === 'All' ? [all] : sets(devices, count)) {
      for (const rest of everyChoice(devices, claims, claim, request + 1)) {
        yield [{ claim, request, alternative, devices: chosen }, ...rest];
      }
    }
  }
}

function choicesOf(allocations: readonly Allocation[], claims: readonly ClaimCase[]): Choice[] {
  return allocations.flatMap(({ devices }, claim) =>
    claims[claim]!.requests.map((_, request) => {
      const results = devices!.results!.filter((result) => result.request.split('/')[0] === `r${request}`);
      const [, alternative = 'a0'] = results[0]?.request.split('/') ?? [];
      return {
        claim,
        request,
        alternative: Number(alternative.slice(1)),
        devices: results.map((result) => Number(result.device.slice(1))),
      };
    }),
  );
}

it('finds devices if and only if there are any, and only what was asked for', () => {
  let [some, none] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(deviceCase, { maxLength: 4 }),
      fc.array(claimCase, { minLength: 1, maxLength: 2 }),
      (devices, claims) => {
        const found = search(devices, claims.map(claimOf));
        if (typeof found === 'string') {
          none += 1;
          expect(found).toBe('cannot allocate all claims');
          for (const choice of everyChoice(devices, claims)) {
            if (isRight(choice, devices, claims)) expect(choice).toBe('found');
          }
          return;
        }
        some += 1;
        const choices = choicesOf(found, claims);
        expect([choices, isRight(choices, devices, claims)]).toEqual([choices, true]);
        expect(search(devices, claims.map(claimOf))).toEqual(found);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(Math.min(some, none)).toBeGreaterThan(200);
});
