import { persistentVolume, persistentVolumeClaim } from '@periplus/api';
import type { Controller, ObjectRef } from '@periplus/reconcile';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { claimBinder } from './claim-binder.ts';
import { claimOf, NS, putClaim, putVolume, RECYCLER, volumeOf } from './fixtures.ts';
import { volumePhaseController } from './volume-phase-controller.ts';

const phaseController = volumePhaseController(RECYCLER);
const NAMES = ['a', 'b', 'c'] as const;

const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('bind' as const, 'phase' as const), name }),
  fc.record({ do: fc.constantFrom('see' as const, 'seeOne' as const), name }),
  fc.record({ do: fc.constant('claim' as const), name, gib: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('claimThat' as const), name, other: name }),
  fc.record({ do: fc.constant('volume' as const), name, gib: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('volumeFor' as const), name, other: name }),
  fc.record({ do: fc.constantFrom('dropClaim' as const, 'dropVolume' as const, 'freeVolume' as const), name }),
);

/** Watches the claims as they become Bound: to which volume, by its uid. */
class Bindings {
  private readonly volumes = new Map<string, string>();

  check(sim: Simulation): void {
    const claims = sim.cluster.truth().list(persistentVolumeClaim);
    const takers = new Map<string, string>();
    for (const { metadata, spec, status } of claims) {
      if (status?.phase !== 'Bound') continue;
      const uid = volumeOf(sim, spec.volumeName!)?.metadata.uid;
      // A volume that is gone was that of the claim, of which the claim has to hear yet.
      const volume = this.volumes.get(metadata.uid!) ?? uid;
      if (volume === undefined) continue;
      this.volumes.set(metadata.uid!, volume);
      expect(takers.get(volume)).toBeUndefined();
      takers.set(volume, metadata.uid!);
    }
  }
}

it('never binds two claims to one volume, nor one claim to two, in whatever order all happens, and comes to rest', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const sim = new Simulation(claimBinder, phaseController);
      const { cluster } = sim;
      const bindings = new Bindings();
      /** A claim that was bound keeps the name of its volume for life. */
      const completed = new Map<string, string>();
      /** What the runtime's barrier sees to: a key is not looked at again before its own writes are seen. */
      const written = new Map<string, number>();
      const look = (controller: Controller, ref: ObjectRef): void => {
        const key = `${controller.name} ${ref.name}`;
        if (cluster.view().revision < (written.get(key) ?? 0)) cluster.deliver();
        if (sim.reconcile(controller, ref)) written.set(key, cluster.truth().revision);
      };
      cluster.lagging = true;
      for (const action of steps) {
        const exists = (kind: 'claim' | 'volume', of: string) =>
          kind === 'claim' ? claimOf(sim, of) : volumeOf(sim, of);
        if (action.do === 'bind') look(claimBinder as never, { namespace: NS, name: action.name });
        else if (action.do === 'phase') look(phaseController as never, { namespace: '', name: action.name });
        else if (action.do === 'see') cluster.deliver();
        else if (action.do === 'seeOne') cluster.deliver(1);
        else if (action.do === 'claim' && !exists('claim', action.name)) {
          putClaim(sim, action.name, { resources: { requests: { storage: `${action.gib}Gi` } } });
        } else if (action.do === 'claimThat' && !exists('claim', action.name)) {
          putClaim(sim, action.name, { volumeName: action.other });
        } else if (action.do === 'volume' && !exists('volume', action.name)) {
          putVolume(sim, action.name, { capacity: { storage: `${action.gib}Gi` } });
        } else if (action.do === 'volumeFor' && !exists('volume', action.name)) {
          putVolume(sim, action.name, { claimRef: { namespace: NS, name: action.other } });
        } else if (action.do === 'dropClaim') cluster.remove(persistentVolumeClaim as never, NS, action.name);
        else if (action.do === 'dropVolume') cluster.remove(persistentVolume as never, '', action.name);
        else if (action.do === 'freeVolume' && volumeOf(sim, action.name)?.status?.phase === 'Released') {
          cluster.apply({
            ...{ verb: 'patch', kind: persistentVolume as never, namespace: '', name: action.name, type: 'merge' },
            patch: { spec: { claimRef: null } },
          });
        }
        bindings.check(sim);
        for (const { metadata, spec, status } of cluster.truth().list(persistentVolumeClaim)) {
          if (status?.phase !== 'Bound') continue;
          expect(completed.get(metadata.uid!) ?? spec.volumeName).toBe(spec.volumeName);
          completed.set(metadata.uid!, spec.volumeName!);
        }
      }
      cluster.lagging = false;
      cluster.deliver();
      sim.settle();
      bindings.check(sim);
      for (const { spec, status } of cluster.truth().list(persistentVolume)) {
        expect(['Available', 'Bound', 'Released']).toContain(status?.phase);
        expect(status?.phase === 'Available').toBe(!spec.claimRef?.uid);
      }
    }),
  );
});

it('binds every claim for which there is a volume of its own', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (sizes) => {
      const sim = new Simulation(claimBinder, phaseController);
      sizes.forEach((gib, i) => {
        putVolume(sim, `v${i}`, { capacity: { storage: `${gib}Gi` } });
        putClaim(sim, `c${i}`, { resources: { requests: { storage: '1Gi' } } });
      });
      sim.settle();
      const volumes = sizes.map((_, i) => claimOf(sim, `c${i}`)!.spec.volumeName);
      expect(new Set(volumes).size).toBe(sizes.length);
      expect(volumes).not.toContain(undefined);
    }),
  );
});
