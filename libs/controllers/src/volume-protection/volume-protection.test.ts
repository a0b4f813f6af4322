import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  PV_PROTECTION,
  PVC_PROTECTION,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  VAC_PROTECTION,
  type VolumeAttributesClass,
  volumeAttributesClass,
} from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { attributesClassProtectionController } from './attributes-class-protection-controller.ts';
import { claimProtectionController } from './claim-protection-controller.ts';
import { volumeProtectionController } from './volume-protection-controller.ts';

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(claimProtectionController, volumeProtectionController, attributesClassProtectionController);
});
const putClaim = (finalizers: string[] = [PVC_PROTECTION]): PersistentVolumeClaim =>
  sim.cluster.put(persistentVolumeClaim, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: 'shop', name: 'data', finalizers },
    spec: {},
  });
const putPod = (name: string, volumes: Pod['spec']['volumes'], nodeName?: string): Pod =>
  sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name },
    spec: { containers: [], volumes, ...(nodeName && { nodeName }) },
  });
const putVolume = (phase: 'Bound' | 'Released'): PersistentVolume =>
  sim.cluster.put(persistentVolume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv', finalizers: [PV_PROTECTION] },
    spec: {},
    status: { phase },
  });
const remove = (kind: never, namespace: string, name: string): void => {
  sim.cluster.apply({ verb: 'delete', kind, namespace, name });
  sim.settle();
};
const claim = () => sim.cluster.truth().get(persistentVolumeClaim, 'shop', 'data');
const DATA = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];

describe('a claim that is to go', () => {
  it('goes when no pod uses it', () => {
    putClaim();
    putPod('waiting', DATA);
    remove(persistentVolumeClaim as never, 'shop', 'data');
    expect(claim()).toBeUndefined();
  });

  it('stays as long as a pod does', () => {
    putClaim();
    putPod('p', DATA, 'n1');
    remove(persistentVolumeClaim as never, 'shop', 'data');
    expect(claim()?.metadata.finalizers).toEqual([PVC_PROTECTION]);
    sim.cluster.remove(pod, 'shop', 'p');
    sim.settle();
    expect(claim()).toBeUndefined();
  });

  it('stays for the pod that it was made for', () => {
    sim.cluster.put(persistentVolumeClaim, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace: 'shop', name: 'p-scratch', finalizers: [PVC_PROTECTION] },
      spec: {},
    });
    putPod('p', [{ name: 'scratch', ephemeral: {} }], 'n1');
    remove(persistentVolumeClaim as never, 'shop', 'p-scratch');
    expect(sim.cluster.truth().get(persistentVolumeClaim, 'shop', 'p-scratch')).toBeDefined();
  });

  it('keeps what others hold it by', () => {
    putClaim([PVC_PROTECTION, 'example.com/hold']);
    remove(persistentVolumeClaim as never, 'shop', 'data');
    expect(claim()?.metadata.finalizers).toEqual(['example.com/hold']);
  });
});

describe('a volume that is to go', () => {
  it('stays while it is bound', () => {
    putVolume('Bound');
    remove(persistentVolume as never, '', 'pv');
    expect(sim.cluster.truth().get(persistentVolume, '', 'pv')).toBeDefined();
  });

  it('goes when nobody holds it', () => {
    putVolume('Released');
    remove(persistentVolume as never, '', 'pv');
    expect(sim.cluster.truth().get(persistentVolume, '', 'pv')).toBeUndefined();
  });
});

describe('a class of volume attributes', () => {
  const found = () => sim.cluster.truth().get(volumeAttributesClass, '', 'gold');
  const put = (finalizers?: string[]) =>
    sim.cluster.put<VolumeAttributesClass>(volumeAttributesClass, {
      ...{ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttributesClass' },
      metadata: { name: 'gold', ...(finalizers && { finalizers }) },
      driverName: 'example.com/driver',
    });
  const claimOf = (spec: object, status: object = {}): void => {
    const metadata = { namespace: 'shop', name: 'data' };
    sim.cluster.put(persistentVolumeClaim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec, status });
  };

  it('is protected, and goes when nobody uses it', () => {
    put(['example.com/hold']);
    sim.settle();
    expect(found()?.metadata.finalizers).toEqual(['example.com/hold', VAC_PROTECTION]);
    remove(volumeAttributesClass as never, '', 'gold');
    expect(found()?.metadata.finalizers).toEqual(['example.com/hold']);
  });

  it.each<[string, () => void]>([
    ['a claim asks for it', () => claimOf({ volumeAttributesClassName: 'gold' })],
    ['a claim still has it', () => claimOf({}, { currentVolumeAttributesClassName: 'gold' })],
    [
      'a claim is to get it',
      () => {
        claimOf({}, { modifyVolumeStatus: { targetVolumeAttributesClassName: 'gold', status: 'Pending' } });
      },
    ],
    [
      'a volume has it',
      () => {
        const volume = putVolume('Released');
        sim.cluster.put(persistentVolume, { ...volume, spec: { volumeAttributesClassName: 'gold' } });
      },
    ],
  ])('stays while %s', (_what, given) => {
    put();
    given();
    sim.settle();
    remove(volumeAttributesClass as never, '', 'gold');
    expect(found()?.metadata.finalizers).toEqual([VAC_PROTECTION]);
  });

  it('is looked at when a claim lets it go', () => {
    const [rule] = attributesClassProtectionController.watches;
    const keys = (now: object | null, old: object | null) => rule!.keys(now as never, old as never, sim.cluster.view());
    const gold = { spec: { volumeAttributesClassName: 'gold' } };
    expect(keys(null, gold)).toEqual([{ namespace: '', name: 'gold' }]);
    expect(keys({ spec: { volumeAttributesClassName: 'iron' } }, gold)).toEqual([{ namespace: '', name: 'gold' }]);
    expect(keys({ ...gold, status: {} }, gold)).toEqual([]);
    expect(keys(gold, null)).toEqual([]);
  });
});
