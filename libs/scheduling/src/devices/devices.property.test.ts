import { type Pod, pod as podKind, type ResourceClaim, resourceClaim } from '@periplus/api';
import { conflict } from '@periplus/apimachinery';
import { OutcomeUnknownError } from '@periplus/client';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeClaim, makeClass, makeSlice } from '../testing/devices.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { SchedulingTest } from '../testing/scheduling.ts';

const PODS = 5;
const CLAIMS = 4;
const DEVICES: Record<string, string[]> = { a: ['x', 'y'], b: ['z'] };

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

type Action =
  | { does: 'create pod'; pod: number; claims: number[] }
  | { does: 'end pod'; pod: number }
  | { does: 'create claim'; claim: number }
  | { does: 'release' }
  | { does: 'lag'; lagging: boolean }
  | { does: 'fail'; what: string; how: 'refused' | 'lost' | 'unsent' }
  | { does: 'wait'; ms: number };

const index = (count: number) => fc.nat(count - 1);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('create pod' as const),
      pod: index(PODS),
      claims: fc.uniqueArray(index(CLAIMS), { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('end pod' as const), pod: index(PODS) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('create claim' as const), claim: index(CLAIMS) }) },
  { weight: 2, arbitrary: fc.constant({ does: 'release' as const }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('lag' as const), lagging: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('fail' as const),
      what: fc.constantFrom('resourceclaims/', 'resourceclaims/status', 'pods/binding'),
      how: fc.constantFrom('refused' as const, 'lost' as const, 'unsent' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(0, 100, 3_000) }) },
);

/** A cluster in which anything may happen. */
class World {
  readonly test = new SchedulingTest();
  private created = 0;
  private failing: { what: string; how: string }[] = [];

  constructor() {
    const { test } = this;
    test.put(makeClass('gpu'), makeNode('a'), makeNode('b'), makeSlice('a', DEVICES.a!), makeSlice('b', DEVICES.b!));
    test.answer = (command) => {
      const what = `${command.kind.plural}/${command.subresource ?? ''}`;
      const at = this.failing.findIndex((one) => one.what === what);
      if (at < 0) return undefined;
      const { how } = this.failing.splice(at, 1)[0]!;
      if (how === 'refused') return Promise.reject(conflict({ group: '', resource: what }, command.name, 'so'));
      // Whoever sent it does not know whether it was done.
      if (how === 'lost') test.cluster.apply(command);
      return Promise.reject(new OutcomeUnknownError('ServiceUnavailable', 'lost'));
    };
    test.start();
  }

  get pods(): Pod[] {
    return [...this.test.cluster.truth().list(podKind)] as Pod[];
  }

  get claims(): ResourceClaim[] {
    return [...this.test.cluster.truth().list(resourceClaim)] as ResourceClaim[];
  }

  act(action: Action): Promise<unknown> | undefined {
    const { test } = this;
    const { cluster } = test;
    switch (action.does) {
      case 'create pod': {
        const resourceClaims = action.claims.map((claim) => ({ name: `c${claim}`, resourceClaimName: `c${claim}` }));
        const pod = makePod(`p${action.pod}`, { resourceClaims });
        this.created += 1;
        const metadata = { ...pod.metadata, uid: `${this.created}` };
        if (!test.pod(pod.metadata.name!)) test.put({ ...pod, metadata } as Pod);
        return undefined;
      }
      case 'end pod':
        cluster.remove(podKind, 'default', `p${action.pod}`);
        return undefined;
      case 'create claim':
        if (!cluster.truth().get(resourceClaim, 'default', `c${action.claim}`)) test.put(makeClaim(`c${action.claim}`));
        return undefined;
      case 'release':
        this.release();
        return undefined;
      case 'lag':
        cluster.lagging = action.lagging;
        if (!action.lagging) cluster.deliver();
        return undefined;
      case 'fail':
        this.failing.push(action);
        return undefined;
      case 'wait':
        return vi.advanceTimersByTimeAsync(action.ms);
    }
  }

  /** What the controller of claims does for pods that are gone. */
  private release(): void {
    const uids = new Set(this.pods.map(({ metadata }) => metadata.uid));
    for (const claim of this.claims) {
      const { reservedFor = [] } = claim.status ?? {};
      const kept = reservedFor.filter(({ uid }) => uids.has(uid));
      if (kept.length === reservedFor.length) continue;
      const status = kept.length > 0 ? { ...claim.status, reservedFor: kept } : {};
      this.test.cluster.put(resourceClaim, { ...claim, status } as ResourceClaim);
    }
  }

  /** Nothing fails any more, and everything is seen. */
  async calm(): Promise<void> {
    this.failing = [];
    this.test.cluster.lagging = false;
    this.test.cluster.deliver();
    await vi.advanceTimersByTimeAsync(60_000);
    this.release();
    await vi.advanceTimersByTimeAsync(1_200_000);
  }
}

const nodeOfClaim = ({ status }: ResourceClaim): string | undefined => status?.allocation?.devices?.results?.[0]?.pool;
const namesOf = ({ spec }: Pod): string[] => spec.resourceClaims!.map(({ resourceClaimName }) => resourceClaimName!);

/** What must hold at any moment. */
function check({ pods, claims }: World): void {
  const devices = claims.flatMap(({ status }) => status?.allocation?.devices?.results ?? []);
  const ids = devices.map(({ pool, device }) => `${pool}/${device}`);
  expect(ids).toEqual([...new Set(ids)]);
  for (const pod of pods.filter(({ spec }) => spec.nodeName)) {
    const mine = claims.filter(({ metadata }) => namesOf(pod).includes(metadata.name!));
    const held = mine.map((claim) => [
      nodeOfClaim(claim),
      claim.status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid),
    ]);
    expect(held).toEqual(namesOf(pod).map(() => [pod.spec.nodeName, true]));
  }
}

/** The nodes where a pod that waits could have devices, once nothing happens any more. */
function placesFor(pod: Pod, claims: readonly ResourceClaim[]): string[] {
  const mine = claims.filter(({ metadata }) => namesOf(pod).includes(metadata.name!));
  if (mine.length < namesOf(pod).length) return [];
  return Object.keys(DEVICES).filter((node) => {
    const taken = claims.filter((claim) => nodeOfClaim(claim) === node).length;
    const wanted = mine.filter((claim) => nodeOfClaim(claim) === undefined).length;
    const isElsewhere = mine.some((claim) => ![undefined, node].includes(nodeOfClaim(claim)));
    return !isElsewhere && wanted <= DEVICES[node]!.length - taken;
  });
}

it('never gives a device to two claims, binds no pod without its own, and leaves none waiting for one that is free', async () => {
  let bound = 0;
  let waiting = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 40 }), async (actions) => {
      const world = new World();
      for (const action of actions) {
        await world.act(action);
        check(world);
      }
      await world.calm();
      check(world);
      const { pods, claims } = world;
      for (const pod of pods) {
        if (pod.spec.nodeName) bound += 1;
        else {
          waiting += 1;
          expect([pod.metadata.name, placesFor(pod, claims)]).toEqual([pod.metadata.name, []]);
        }
      }
      const ended = world.test.stop();
      await vi.advanceTimersByTimeAsync(2_000);
      await ended;
    }),
    { numRuns: 200 },
  );
  expect(Math.min(bound, waiting)).toBeGreaterThan(50);
});
