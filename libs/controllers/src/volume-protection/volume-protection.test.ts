import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  PV_PROTECTION,
  PVC_PROTECTION,
  persistentVolume,
  persistentVolumeClaim,
  pod,
} from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { claimProtectionController } from './claim-protection-controller.ts';
import { volumeProtectionController } from './volume-protection-controller.ts';

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(claimProtectionController, volumeProtectionController);
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
