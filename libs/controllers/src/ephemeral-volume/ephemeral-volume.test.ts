import { claimNameOf, type PersistentVolumeClaim, type Pod, persistentVolumeClaim, pod } from '@periplus/api';
import { controllerOf } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import type { ObjectRef } from '@periplus/reconcile';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { ephemeralVolumeController } from './ephemeral-volume-controller.ts';

const NS = 'shop';

/** The controller, woken by nothing but its own rules. */
class Play extends Simulation {
  private readonly woken: ObjectRef[] = [];

  constructor() {
    super(ephemeralVolumeController);
    this.cluster.subscribe((_revision, changes) => this.woken.push(...changes.flatMap((change) => this.wakes(change))));
  }

  private wakes(change: Change): readonly ObjectRef[] {
    const { type, entry, previous } = change;
    const view = this.cluster.view();
    const [now, old] = type === 'deleted' ? [null, entry.object] : [entry.object, previous?.object ?? null];
    return ephemeralVolumeController.watches
      .filter(({ kind, concerns }) => kind.plural === entry.key.resource && concerns?.(change, view))
      .flatMap(({ keys }) => keys(now, old, view));
  }

  override settle(): void {
    for (let ref = this.woken.shift(); ref; ref = this.woken.shift()) this.reconcile(ephemeralVolumeController, ref);
  }

  get pending(): number {
    return this.woken.length;
  }

  putPod(name: string, volumes: Pod['spec']['volumes']): Pod {
    const metadata = { namespace: NS, name };
    return this.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], volumes } });
  }

  putClaim(name: string): PersistentVolumeClaim {
    const [apiVersion, kind, metadata] = ['v1', 'PersistentVolumeClaim', { namespace: NS, name }] as const;
    return this.cluster.put(persistentVolumeClaim, { apiVersion, kind, metadata, spec: {} });
  }

  claim(name: string) {
    return this.cluster.truth().get(persistentVolumeClaim, NS, name);
  }
}

let play: Play;
beforeEach(() => {
  play = new Play();
});

const SPEC: PersistentVolumeClaim['spec'] = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' } },
};
const scratch = (name: string) => ({ name, ephemeral: { volumeClaimTemplate: { spec: SPEC } } });

describe('ephemeral volumes', () => {
  it('get a claim of the template, which the pod owns', () => {
    const metadata = { labels: { app: 'shop' }, annotations: { note: 'x' } };
    const owner = play.putPod('web-0', [
      { name: 'a', ephemeral: { volumeClaimTemplate: { metadata, spec: SPEC } } },
      scratch('b'),
      { name: 'c', persistentVolumeClaim: { claimName: 'other' } },
      { name: 'd', emptyDir: {} },
    ]);
    play.settle();
    const claims = play.cluster.truth().list(persistentVolumeClaim, NS);
    expect(claims.map((claim) => claim.metadata.name).sort()).toEqual(['web-0-a', 'web-0-b']);
    const { uid, name } = owner.metadata;
    expect(play.claim('web-0-a')).toMatchObject({
      metadata: {
        ...metadata,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: SPEC,
    });
    expect(play.events).toEqual([]);
  });

  it('get another one when somebody deletes theirs', () => {
    play.putPod('web-0', [scratch('data-1')]);
    play.settle();
    const { uid } = play.claim('web-0-data-1')!.metadata;
    play.cluster.remove(persistentVolumeClaim, NS, 'web-0-data-1');
    play.settle();
    expect(play.claim('web-0-data-1')!.metadata.uid).not.toBe(uid);
  });

  it('leave a claim of the name alone that is not theirs, say so, and get one once it is gone', () => {
    const { uid } = play.putClaim('web-a').metadata;
    play.putPod('web', [scratch('a')]);
    play.settle();
    expect(play.events).toEqual([
      'FailedBinding ephemeral volume a: PVC shop/web-a was not created for pod shop/web (pod is not owner)',
    ]);
    expect(play.claim('web-a')!.metadata).toMatchObject({ uid });
    expect(controllerOf(play.claim('web-a')!)).toBeUndefined();
    play.cluster.remove(persistentVolumeClaim, NS, 'web-a');
    play.settle();
    expect(controllerOf(play.claim('web-a')!)?.name).toBe('web');
  });

  it('get none when the pod is about to go', () => {
    play.cluster.put(pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: NS, name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' },
      spec: { containers: [], volumes: [scratch('a')] },
    });
    play.settle();
    expect(play.claim('web-a')).toBeUndefined();
  });

  it('say why their claim is refused', () => {
    play.putPod('web', [scratch('a')]);
    const { steps, events } = ephemeralVolumeController.reconcile({ namespace: NS, name: 'web' }, play.cluster.view());
    const message = 'ephemeral volume a: create PVC web-a';
    expect(events).toMatchObject([{ type: 'Warning', reason: 'FailedBinding', message, onRefusalOf: steps[0]![0] }]);
  });

  it('wake nobody when a pod only changes', () => {
    play.putPod('web', [scratch('a')]);
    play.settle();
    play.setReady(play.pods()[0]!);
    expect(play.pending).toBe(0);
  });
});

const PODS = ['a', 'a-b', 'a-b-c'] as const;
const VOLUMES = ['b', 'b-c', 'c'] as const;
const podName = fc.constantFrom(...PODS);
const volumes = fc.subarray([...VOLUMES], { minLength: 1 });
const step = fc.oneof(
  fc.record({ do: fc.constant('addPod' as const), name: podName, volumes }),
  fc.record({ do: fc.constantFrom('removePod' as const), name: podName }),
  fc.record({ do: fc.constantFrom('addClaim' as const, 'removeClaim' as const), of: podName, at: fc.nat(2) }),
  fc.record({ do: fc.constant('settle' as const) }),
);

it('every pod has its claims in the end but for those that others have, which nobody touches', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const one = new Play();
      const foreign = new Map<string, string>();
      for (const action of steps) {
        if (action.do === 'addPod' && !one.cluster.truth().get(pod, NS, action.name)) {
          one.putPod(action.name, action.volumes.map(scratch));
        } else if (action.do === 'removePod') {
          const owner = one.cluster.truth().get(pod, NS, action.name);
          one.cluster.remove(pod, NS, action.name);
          // What the garbage collector does.
          for (const { metadata } of owner ? one.cluster.truth().owned(persistentVolumeClaim, owner.metadata.uid!) : [])
            one.cluster.remove(persistentVolumeClaim, NS, metadata.name!);
        } else if (action.do === 'settle') one.settle();
        else if (action.do === 'addClaim' || action.do === 'removeClaim') {
          const name = `${action.of}-${VOLUMES[action.at]}`;
          if (action.do === 'removeClaim') {
            one.cluster.remove(persistentVolumeClaim, NS, name);
            foreign.delete(name);
          } else if (!one.claim(name)) foreign.set(name, one.putClaim(name).metadata.uid!);
        }
      }
      one.settle();
      const truth = one.cluster.truth();
      for (const [name, uid] of foreign) expect(truth.get(persistentVolumeClaim, NS, name)?.metadata.uid).toBe(uid);
      const pods = truth.list(pod, NS);
      for (const owner of pods) {
        for (const volume of owner.spec.volumes!) {
          const claim = one.claim(claimNameOf(owner, volume)!);
          expect(claim).toBeDefined();
          // Two pods may need one name: the first has it.
          expect(foreign.has(claim!.metadata.name!) || controllerOf(claim!) !== undefined).toBe(true);
        }
      }
      for (const claim of truth.list(persistentVolumeClaim, NS)) {
        if (foreign.has(claim.metadata.name!)) continue;
        expect(pods.map(({ metadata }) => metadata.uid)).toContain(controllerOf(claim)?.uid);
      }
    }),
  );
});
