import { type Pod, persistentVolumeClaim, pod } from '@periplus/api';
import type { Controller, ObjectRef } from '@periplus/reconcile';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { claimBinder } from './claim-binder.ts';
import { claimOf, NS, putClaim, putVolume, RECYCLER, volumeOf } from './fixtures.ts';
import { recyclerPod } from './recycler-pod.ts';
import { volumePhaseController } from './volume-phase-controller.ts';

const NAME = 'recycler-for-pv';
const phaseController = volumePhaseController(RECYCLER);

const action = fc.constantFrom(
  ...(['claim', 'dropClaim', 'bind', 'phase', 'see', 'seeOne', 'later'] as const),
  ...(['succeed', 'fail', 'removePod', 'forge', 'runEarly'] as const),
);

/** One volume of the policy Recycle, its claim, and whether somebody's data may be in it. */
class Scene {
  readonly sim = new Simulation(claimBinder, phaseController);
  isDirty = false;
  /** What the runtime's barrier sees to: a key is not looked at again before its own writes are seen. */
  private readonly written = new Map<Controller, number>();

  constructor() {
    putVolume(this.sim, 'pv', { persistentVolumeReclaimPolicy: 'Recycle' });
  }

  get worker(): Pod | undefined {
    return this.sim.cluster.truth().get(pod, 'default', NAME) as Pod | undefined;
  }

  look(controller: Controller, ref: ObjectRef): void {
    const { cluster } = this.sim;
    if (cluster.view().revision < (this.written.get(controller) ?? 0)) cluster.deliver();
    if (this.sim.reconcile(controller, ref)) this.written.set(controller, cluster.truth().revision);
  }

  /** The pod ends on its node: when it has succeeded, the volume is empty. */
  end(phase: 'Succeeded' | 'Failed'): void {
    const { worker } = this;
    if (!worker || worker.status?.phase) return;
    if (phase === 'Succeeded') this.isDirty = false;
    this.sim.cluster.put(pod, { ...worker, status: { phase } });
  }

  /** Somebody makes a pod of the name, which says at once that it has ended. */
  forge(containers: Pod['spec']['containers'], volumes: Pod['spec']['volumes']): void {
    if (this.worker) return;
    this.sim.cluster.put(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: NAME } },
      ...{ spec: { containers, volumes }, status: { phase: 'Succeeded' } },
    });
  }

  act(what: string): void {
    const { cluster } = this.sim;
    const claim = claimOf(this.sim, 'data');
    const { containers, volumes } = recyclerPod(volumeOf(this.sim, 'pv')!, RECYCLER)!.spec;
    if (what === 'claim' && !claim) putClaim(this.sim, 'data');
    else if (what === 'dropClaim') cluster.remove(persistentVolumeClaim as never, NS, 'data');
    else if (what === 'bind') this.look(claimBinder as never, { namespace: NS, name: 'data' });
    else if (what === 'phase') this.look(phaseController as never, { namespace: '', name: 'pv' });
    else if (what === 'see') cluster.deliver();
    else if (what === 'seeOne') cluster.deliver(1);
    else if (what === 'later') this.sim.advance(15_000);
    else if (what === 'succeed') this.end('Succeeded');
    else if (what === 'fail') this.end('Failed');
    else if (what === 'removePod') cluster.remove(pod, 'default', NAME);
    else if (what === 'forge') this.forge([{ ...containers[0]!, args: ['-c', 'true'] }], volumes);
    // The right work, but while the claim's pods may write.
    else if (what === 'runEarly' && claim?.status?.phase === 'Bound') this.forge(containers, volumes);
    if (claimOf(this.sim, 'data')?.status?.phase === 'Bound') this.isDirty = true;
  }

  check(): void {
    if (volumeOf(this.sim, 'pv')!.spec.claimRef?.uid === undefined) expect(this.isDirty).toBe(false);
  }
}

it('gives no claim what another one left, in whatever order all happens, and empties the volume in the end', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
      const scene = new Scene();
      const { cluster } = scene.sim;
      cluster.lagging = true;
      for (const what of actions) {
        scene.act(what);
        scene.check();
      }
      cluster.lagging = false;
      cluster.deliver();
      scene.act('dropClaim');
      for (let round = 0; round < 4; round++) {
        scene.sim.settle();
        scene.check();
        scene.end('Succeeded');
        scene.act('later');
      }
      expect(volumeOf(scene.sim, 'pv')!.status?.phase).toBe('Available');
      expect(scene.isDirty).toBe(false);
    }),
    { numRuns: 500 },
  );
});
