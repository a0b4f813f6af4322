import {
  CLAIM_PROTECTION,
  type Pod,
  pod,
  type ResourceClaim,
  resourceClaim,
  resourceClaimNameOf,
  resourceClaimNamesOf,
  resourceClaimTemplate,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { controllerOf } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import type { Controller, ObjectRef } from '@periplus/reconcile';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { claimReleaseController } from './claim-release-controller.ts';
import { isDone } from './claims-of-pods.ts';
import { podClaimController } from './pod-claim-controller.ts';

const NS = 'ml';
const ALLOCATION = {
  devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: 'n1', device: 'gpu-0' }] },
};
type Entries = NonNullable<Pod['spec']['resourceClaims']>;
type ClaimStatus = NonNullable<ResourceClaim['status']>;

/** Both controllers, woken by nothing but their own rules. */
class Play extends Simulation {
  private readonly woken: { controller: Controller; ref: ObjectRef }[] = [];

  constructor() {
    super(podClaimController, claimReleaseController as Controller);
    this.cluster.subscribe((_revision, changes) => {
      for (const change of changes) for (const controller of this.controllers) this.wake(controller, change);
    });
  }

  private wake(controller: Controller, change: Change): void {
    const { type, entry, previous } = change;
    const { resource, namespace, name } = entry.key;
    const view = this.cluster.view();
    const [now, old] = type === 'deleted' ? [null, entry.object] : [entry.object, previous?.object ?? null];
    const refs = controller.watches
      .filter(({ kind, concerns }) => kind.plural === resource && concerns?.(change, view) !== false)
      .flatMap(({ keys }) => keys(now, old, view));
    if (controller.for?.plural === resource) refs.push({ namespace, name });
    this.woken.push(...refs.map((ref) => ({ controller, ref })));
  }

  /** One look of one controller; false: none is woken. */
  turn(): boolean {
    const next = this.woken.shift();
    if (next) this.reconcile(next.controller, next.ref);
    return next !== undefined;
  }

  override settle(): void {
    for (let turns = 0; this.turn(); turns++)
      if (turns > 2_000) throw new Error('the controllers did not come to rest');
  }

  putTemplate(name = 'one-gpu', metadata = {}): void {
    const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } };
    this.cluster.put(resourceClaimTemplate, {
      ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate', metadata: { namespace: NS, name } },
      spec: { metadata, spec },
    });
  }

  putPod(name: string, resourceClaims: Entries, more: Partial<Pod['spec']> = {}): Pod {
    const spec = { containers: [], resourceClaims, ...more };
    return this.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NS, name }, spec });
  }

  putClaim(name: string, status: ClaimStatus = {}, finalizers = [CLAIM_PROTECTION]): void {
    this.cluster.put(resourceClaim, {
      ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { namespace: NS, name, finalizers } },
      ...{ spec: { devices: { requests: [] } }, status },
    });
  }

  pod(name: string): DeepReadonly<Pod> | undefined {
    return this.cluster.truth().get(pod, NS, name);
  }

  claim(name: string): DeepReadonly<ResourceClaim> | undefined {
    return this.cluster.truth().get(resourceClaim, NS, name);
  }

  claims(): readonly DeepReadonly<ResourceClaim>[] {
    return this.cluster.truth().list(resourceClaim, NS);
  }

  /** What the scheduler does with the claims of a pod: allocates those that are not, and reserves all. */
  allocate(name: string): void {
    const one = this.pod(name)!;
    for (const claimName of resourceClaimNamesOf(one)) {
      const claim = this.claim(claimName)!;
      const { finalizers = [] } = claim.metadata;
      const { reservedFor = [], allocation = ALLOCATION } = claim.status ?? {};
      this.putClaim(
        claimName,
        {
          allocation,
          reservedFor: [...reservedFor, { resource: 'pods', name, uid: one.metadata.uid! }],
        } as ClaimStatus,
        [...new Set([...finalizers, CLAIM_PROTECTION])],
      );
    }
  }

  /** What a kubelet says when all containers have ended. */
  finish(name: string): void {
    this.cluster.put(pod, { ...this.pod(name)!, status: { ...this.pod(name)!.status, phase: 'Succeeded' } } as Pod);
  }

  /** A deletion over the API: what has a finalizer stays. */
  deleteClaim(name: string): void {
    this.cluster.apply({ verb: 'delete', kind: resourceClaim as never, namespace: NS, name });
  }

  /** What the garbage collector does. */
  collect(): void {
    for (const claim of this.claims()) {
      const owner = controllerOf(claim);
      const isGone = owner && this.pod(owner.name)?.metadata.uid !== owner.uid;
      if (isGone && !claim.metadata.deletionTimestamp) this.deleteClaim(claim.metadata.name!);
    }
  }
}

let play: Play;
beforeEach(() => {
  play = new Play();
});

const ofTemplate = (name: string): Entries[number] => ({ name, resourceClaimTemplateName: 'one-gpu' });
const named = (resourceClaimName: string): Entries[number] => ({ name: resourceClaimName, resourceClaimName });

describe('a pod whose claims are described by a template', () => {
  it('gets one for each entry, and its status names them', () => {
    play.putTemplate('one-gpu', { labels: { team: 'a' }, annotations: { note: 'x' } });
    const { metadata } = play.putPod('train', [ofTemplate('gpu'), ofTemplate('spare'), named('shared')]);
    play.settle();
    const statuses = play.pod('train')!.status!.resourceClaimStatuses!;
    expect(statuses).toEqual([
      { name: 'gpu', resourceClaimName: expect.stringMatching(/^train-gpu-[a-z0-9]{5}$/) },
      { name: 'spare', resourceClaimName: expect.stringMatching(/^train-spare-[a-z0-9]{5}$/) },
    ]);
    expect(play.claims()).toHaveLength(2);
    expect(play.claim(statuses[0]!.resourceClaimName!)).toMatchObject({
      metadata: {
        labels: { team: 'a' },
        annotations: { note: 'x', 'resource.kubernetes.io/pod-claim-name': 'gpu' },
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Pod',
            name: 'train',
            uid: metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } },
    });
    expect(play.events).toEqual([]);
  });

  it('has a claim whose name keeps something of both names when they are long', () => {
    play.putTemplate();
    play.putPod('p'.repeat(80), [ofTemplate('e'.repeat(20))]);
    play.settle();
    expect(play.claims()[0]!.metadata.name).toMatch(/^p{44}-e{11}[a-z0-9]{5}$/);
  });

  it('waits for the template, and is told', () => {
    play.putPod('train', [ofTemplate('gpu')]);
    play.settle();
    expect(play.claims()).toEqual([]);
    expect(play.events).toEqual([
      'FailedResourceClaimCreation PodResourceClaim gpu: resource claim template "one-gpu": resourceclaimtemplate.resource.k8s.io "one-gpu" not found',
    ]);
    play.putTemplate();
    play.settle();
    expect(play.claims()).toHaveLength(1);
    expect(play.pod('train')!.status!.resourceClaimStatuses).toHaveLength(1);
  });

  it('is told why a claim is refused', () => {
    play.putTemplate();
    play.putPod('train', [ofTemplate('gpu')]);
    const { steps, events } = podClaimController.reconcile({ namespace: NS, name: 'train' }, play.cluster.view());
    expect(events).toMatchObject([
      {
        ...{ type: 'Warning', reason: 'FailedResourceClaimCreation' },
        ...{ message: 'PodResourceClaim gpu: create ResourceClaim ', onRefusalOf: steps[0]![0] },
      },
    ]);
  });

  it('keeps the claim that was made before its status could be written', () => {
    play.putTemplate();
    play.putPod('train', [ofTemplate('gpu')]);
    const ref = { namespace: NS, name: 'train' };
    const { steps } = podClaimController.reconcile(ref, play.cluster.view());
    play.execute({ steps: [steps[0]!] });
    play.settle();
    expect(play.claims()).toHaveLength(1);
    expect(resourceClaimNamesOf(play.pod('train')!)).toEqual([play.claims()[0]!.metadata.name]);
  });

  it('gets another one when its own is deleted, or is not its own any more', () => {
    play.putTemplate();
    play.putPod('train', [ofTemplate('gpu')]);
    play.settle();
    const [before] = play.claims();
    play.deleteClaim(before!.metadata.name!);
    play.settle();
    const [again] = play.claims();
    expect(again!.metadata.uid).not.toBe(before!.metadata.uid);
    play.cluster.put(resourceClaim, {
      ...(again as ResourceClaim),
      metadata: { ...(again as ResourceClaim).metadata, ownerReferences: [] },
    });
    play.settle();
    expect(play.claims()).toHaveLength(2);
    expect(controllerOf(play.claim(resourceClaimNamesOf(play.pod('train')!)[0]!)!)?.name).toBe('train');
  });

  it.each<[string, Partial<Pod>]>([
    ['is about to go', { metadata: { namespace: NS, name: 'train', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    ['has ended', { status: { phase: 'Failed' } }],
  ])('gets none when it %s', (_what, more) => {
    play.putTemplate();
    const metadata = { namespace: NS, name: 'train' };
    const spec = { containers: [], nodeName: 'n1', resourceClaims: [ofTemplate('gpu')] };
    play.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata, spec, ...more });
    play.settle();
    expect(play.claims()).toEqual([]);
  });

  it('does without a claim where its status says that none is needed', () => {
    play.putTemplate();
    const metadata = { namespace: NS, name: 'train' };
    const spec = { containers: [], resourceClaims: [ofTemplate('gpu')] };
    const status = { resourceClaimStatuses: [{ name: 'gpu' }] };
    play.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata, spec, status });
    play.settle();
    expect(play.claims()).toEqual([]);
  });
});

describe('a pod that came to its node without the scheduler', () => {
  it('has allocated claims reserved, now and later', () => {
    play.putClaim('shared', { allocation: ALLOCATION });
    play.putClaim('later');
    const { metadata } = play.putPod('byhand', [named('shared'), named('later'), named('none')], { nodeName: 'n1' });
    play.settle();
    const reservedFor = [{ resource: 'pods', name: 'byhand', uid: metadata.uid }];
    expect(play.claim('shared')!.status).toEqual({ allocation: ALLOCATION, reservedFor });
    expect(play.claim('later')!.status).toEqual({});
    play.putClaim('later', { allocation: ALLOCATION });
    play.settle();
    expect(play.claim('later')!.status!.reservedFor).toEqual(reservedFor);
  });

  it('gets nothing of a claim that is to go', () => {
    play.putClaim('shared', { allocation: ALLOCATION, reservedFor: [{ resource: 'pods', name: 'x', uid: 'y' }] });
    play.deleteClaim('shared');
    play.putPod('byhand', [named('shared')], { nodeName: 'n1' });
    expect(podClaimController.reconcile({ namespace: NS, name: 'byhand' }, play.cluster.view()).steps).toEqual([]);
  });

  it('leaves to the scheduler what has no node', () => {
    play.putClaim('shared', { allocation: ALLOCATION });
    play.putPod('train', [named('shared')]);
    play.settle();
    expect(play.claim('shared')!.status).toEqual({ allocation: ALLOCATION });
  });
});

describe('a claim', () => {
  it('stays with the pods that may run, and is given back when the last is done', () => {
    play.putClaim('shared', {}, ['example.com/hold']);
    play.putPod('a', [named('shared')], { nodeName: 'n1' });
    play.putPod('b', [named('shared')], { nodeName: 'n1' });
    play.allocate('a');
    play.allocate('b');
    play.settle();
    play.finish('a');
    play.settle();
    expect(play.claim('shared')!.status).toEqual({
      allocation: ALLOCATION,
      reservedFor: [{ resource: 'pods', name: 'b', uid: play.pod('b')!.metadata.uid }],
    });
    play.cluster.remove(pod, NS, 'b');
    play.settle();
    expect(play.claim('shared')).toMatchObject({ status: {}, metadata: { finalizers: ['example.com/hold'] } });
    expect(play.claim('shared')!.status).toEqual({});
  });

  it('is not in use by a namesake of its pod', () => {
    play.putClaim('shared');
    play.putPod('a', [named('shared')], { nodeName: 'n1' });
    play.allocate('a');
    play.cluster.remove(pod, NS, 'a');
    play.putPod('a', [named('shared')]);
    play.settle();
    expect(play.claim('shared')!.status).toEqual({});
  });

  it('stays allocated when it never was in use', () => {
    play.putClaim('shared', { allocation: ALLOCATION });
    play.settle();
    expect(play.claim('shared')!.status).toEqual({ allocation: ALLOCATION });
  });

  it('keeps what was allocated by somebody who did not protect it', () => {
    play.putClaim('shared', { allocation: ALLOCATION, reservedFor: [{ resource: 'pods', name: 'x', uid: 'y' }] }, []);
    play.settle();
    expect(play.claim('shared')!.status).toEqual({ allocation: ALLOCATION });
  });

  it('is left alone while something else than pods may use it', () => {
    const reservedFor = [{ apiGroup: 'example.com', resource: 'things', name: 'x', uid: 'y' }];
    play.putClaim('shared', { allocation: ALLOCATION, reservedFor });
    play.deleteClaim('shared');
    play.settle();
    expect(play.claim('shared')!.status).toEqual({ allocation: ALLOCATION, reservedFor });
  });

  it('goes when it is deleted and nobody uses it, allocated or not', () => {
    play.putClaim('unused', { allocation: ALLOCATION });
    play.putClaim('pending');
    play.deleteClaim('unused');
    play.deleteClaim('pending');
    play.settle();
    expect(play.claims()).toEqual([]);
  });

  it('that is deleted waits for the pods that use it', () => {
    play.putClaim('shared');
    play.putPod('a', [named('shared')], { nodeName: 'n1' });
    play.allocate('a');
    play.deleteClaim('shared');
    play.settle();
    expect(play.claim('shared')!.status!.allocation).toEqual(ALLOCATION);
    play.finish('a');
    play.settle();
    expect(play.claim('shared')).toBeUndefined();
  });

  it('keeps its finalizer when it is allocated again at once', () => {
    play.putClaim('shared', { allocation: ALLOCATION, reservedFor: [{ resource: 'pods', name: 'x', uid: 'y' }] });
    const { steps } = claimReleaseController.reconcile({ namespace: NS, name: 'shared' }, play.cluster.view());
    play.execute({ steps: [steps[0]!] });
    play.putPod('b', [named('shared')]);
    play.allocate('b');
    expect(() => play.cluster.apply(steps[1]![0]!)).toThrow();
    expect(play.claim('shared')!.metadata.finalizers).toEqual([CLAIM_PROTECTION]);
  });

  it('keeps what a pod has just reserved that is not seen yet', () => {
    play.putClaim('shared', { allocation: ALLOCATION, reservedFor: [{ resource: 'pods', name: 'x', uid: 'y' }] });
    const { steps } = claimReleaseController.reconcile({ namespace: NS, name: 'shared' }, play.cluster.view());
    play.putPod('b', [named('shared')]);
    play.allocate('b');
    play.execute({ steps });
    expect(play.claim('shared')!.status!.allocation).toEqual(ALLOCATION);
  });

  it.each<[string, () => void]>([
    ['has ended', () => play.finish('train')],
    [
      'has a namesake',
      () => {
        play.cluster.remove(pod, NS, 'train');
        play.putPod('train', []);
      },
    ],
  ])('that was made for a pod goes when the pod %s', (_what, end) => {
    play.putTemplate();
    play.putPod('train', [ofTemplate('gpu')], { nodeName: 'n1' });
    play.settle();
    play.allocate('train');
    play.settle();
    expect(play.claims()).toHaveLength(1);
    end();
    play.settle();
    expect(play.claims()).toEqual([]);
  });
});

it('pods without claims wake nobody', () => {
  const plain = play.putPod('web', []);
  const { containers } = plain.spec;
  play.cluster.put(pod, { ...plain, spec: { containers } });
  play.settle();
  play.setReady(play.pod('web')!);
  expect(play.turn()).toBe(false);
});

const podName = fc.constantFrom('a', 'a-x');
const entries = fc.constantFrom(
  [named('shared')],
  [ofTemplate('x')],
  [ofTemplate('x-y'), ofTemplate('y'), named('shared')],
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add'), name: podName, entries }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('finish', 'delete', 'remove', 'loseClaims'), name: podName }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('bind'), name: podName }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('turn', 'deliver'), times: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('collect', 'deleteShared', 'addShared') }) },
);
type Step = { do: string; name?: string; times?: number; entries?: readonly Entries[number][] };

function perform(one: Play, action: Step): void {
  const { name = '', times = 1 } = action;
  const found = one.pod(name);
  const claims = found ? resourceClaimNamesOf(found).map((claim) => one.claim(claim)) : [];
  if (action.do === 'add' && !found) one.putPod(name, [...action.entries!]);
  else if (action.do === 'turn') for (let i = 0; i < times; i++) one.turn();
  else if (action.do === 'deliver') one.cluster.deliver(times);
  else if (action.do === 'collect') one.collect();
  else if (action.do === 'settle') {
    do one.cluster.deliver();
    while (one.turn());
  } else if (action.do === 'addShared' && !one.claim('shared')) one.putClaim('shared', {}, []);
  else if (action.do === 'deleteShared' && one.claim('shared')) one.deleteClaim('shared');
  else if (found && action.do === 'finish' && found.spec.nodeName) one.finish(name);
  else if (found && action.do === 'remove') one.cluster.remove(pod, NS, name);
  else if (found && action.do === 'delete') one.cluster.apply({ verb: 'delete', kind: pod, namespace: NS, name });
  else if (found && action.do === 'loseClaims') {
    for (const claim of claims) if (claim && !claim.metadata.deletionTimestamp) one.deleteClaim(claim.metadata.name!);
  } else if (found && action.do === 'bind' && !found.spec.nodeName && !found.metadata.deletionTimestamp) {
    const isComplete = claims.length === found.spec.resourceClaims!.length;
    if (!isComplete || !claims.every((claim) => claim && !claim.metadata.deletionTimestamp)) return;
    one.allocate(name);
    one.bind(one.pod(name)!);
  }
}

/** What must never be seen: a pod that may run without its devices, or two claims for one entry. */
function check(one: Play): void {
  for (const found of one.cluster.truth().list(pod, NS)) {
    const made = one.claims().filter((claim) => controllerOf(claim)?.uid === found.metadata.uid);
    const marks = made.map(({ metadata }) => metadata.annotations!['resource.kubernetes.io/pod-claim-name']);
    expect(new Set(marks).size).toBe(marks.length);
    if (!found.spec.nodeName || isDone(found)) continue;
    for (const name of resourceClaimNamesOf(found)) {
      const status = one.claim(name)?.status;
      expect(status?.allocation).toEqual(ALLOCATION);
      expect(status?.reservedFor?.map(({ uid }) => uid)).toContain(found.metadata.uid);
    }
  }
}

it('no pod that may run loses its devices, none has two claims for an entry, and in the end none are held for nobody', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const one = new Play();
      one.putTemplate();
      one.putClaim('shared', {}, []);
      one.cluster.lagging = true;
      for (const action of steps) {
        perform(one, action);
        check(one);
      }
      one.cluster.lagging = false;
      one.cluster.deliver();
      one.settle();
      one.collect();
      one.settle();
      check(one);
      for (const claim of one.claims()) {
        const uids = one.cluster
          .truth()
          .list(pod, NS)
          .filter((found) => !isDone(found))
          .map(({ metadata }) => metadata.uid);
        for (const { uid } of claim.status?.reservedFor ?? []) expect(uids).toContain(uid);
        if (claim.status?.allocation) expect(claim.status.reservedFor).not.toHaveLength(0);
        else expect(claim.metadata.deletionTimestamp).toBeUndefined();
      }
      for (const found of one.cluster.truth().list(pod, NS)) {
        if (isDone(found) || found.metadata.deletionTimestamp) continue;
        for (const entry of found.spec.resourceClaims!) {
          if (entry.resourceClaimTemplateName) expect(one.claim(resourceClaimNameOf(found, entry)!)).toBeDefined();
        }
      }
    }),
    { numRuns: 400 },
  );
});
