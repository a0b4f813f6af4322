import { persistentVolume, persistentVolumeClaim, pod, VOLUME_ANNOTATION } from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { claimBinder } from './claim-binder.ts';
import { claimOf, NS, putClaim, putClass, putVolume, RECYCLER, volumeOf } from './fixtures.ts';
import { volumePhaseController } from './volume-phase-controller.ts';

const { bindCompleted, boundByController, provisionedBy, provisioner, betaProvisioner, selectedNode } =
  VOLUME_ANNOTATION;

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(claimBinder, volumePhaseController(RECYCLER));
});
/** The volume that a claim is bound to; both say so. */
const bound = (claim: string): string | undefined => {
  const { spec, status, metadata } = claimOf(sim, claim)!;
  if (status?.phase !== 'Bound') return undefined;
  const volume = volumeOf(sim, spec.volumeName!)!;
  expect(volume.spec.claimRef).toMatchObject({ namespace: NS, name: claim, uid: metadata.uid });
  expect(volume.status?.phase).toBe('Bound');
  return spec.volumeName;
};
const phase = (volume: string): string | undefined => volumeOf(sim, volume)?.status?.phase;
const size = (storage: string) => ({ capacity: { storage } });
const wants = (storage: string) => ({ resources: { requests: { storage } } });

describe('a claim that names no volume', () => {
  it('gets the smallest that is large enough, and takes its size', () => {
    putVolume(sim, 'small', size('1Gi'));
    putVolume(sim, 'huge', size('100Gi'));
    putVolume(sim, 'fitting', size('8Gi'));
    putClaim(sim, 'data', wants('5Gi'));
    sim.settle();
    expect(bound('data')).toBe('fitting');
    expect(claimOf(sim, 'data')).toMatchObject({
      metadata: { annotations: { [bindCompleted]: 'yes', [boundByController]: 'yes' } },
      status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '8Gi' } },
    });
    expect(volumeOf(sim, 'fitting')!.metadata.annotations).toEqual({ [boundByController]: 'yes' });
    expect([phase('small'), phase('huge')]).toEqual(['Available', 'Available']);
  });

  it.each([
    ['too small', wants('2Gi'), size('1Gi')],
    ['of another class', {}, { storageClassName: 'fast' }],
    ['without a class, for one that has', { storageClassName: 'fast' }, {}],
    ['a device', {}, { volumeMode: 'Block' as const }],
    ['for one node only', { accessModes: ['ReadWriteMany'] }, {}],
    ['without the labels', { selector: { matchLabels: { tier: 'gold' } } }, {}],
    ['of other attributes', { volumeAttributesClassName: 'gold' }, {}],
  ])('does not get one that is %s', (_what, claim, volume) => {
    putVolume(sim, 'pv', volume as never);
    putClaim(sim, 'data', claim as never);
    sim.settle();
    expect(claimOf(sim, 'data')!.status?.phase).toBe('Pending');
    expect(phase('pv')).toBe('Available');
  });

  it.each([
    ['that has more access modes', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }, {}],
    ['with the labels', {}, { selector: { matchLabels: { tier: 'gold' } } }],
    ['of its class', { storageClassName: 'fast' }, { storageClassName: 'fast' }],
  ])('gets one %s', (_what, volume, claim) => {
    putVolume(sim, 'pv', volume as never, {}, { tier: 'gold' });
    putClaim(sim, 'data', claim as never);
    sim.settle();
    expect(bound('data')).toBe('pv');
  });

  it('gets the one that was made for it, before a better one', () => {
    putVolume(sim, 'exact');
    putVolume(sim, 'reserved', { ...size('9Gi'), claimRef: { namespace: NS, name: 'data' } });
    putClaim(sim, 'data');
    sim.settle();
    expect(bound('data')).toBe('reserved');
    expect(volumeOf(sim, 'reserved')!.metadata.annotations).toEqual({});
  });

  it('does not get one that is for another claim, or another claim of its name', () => {
    putVolume(sim, 'other', { claimRef: { namespace: NS, name: 'other' } });
    putVolume(sim, 'before', { claimRef: { namespace: NS, name: 'data', uid: 'gone' } });
    putClaim(sim, 'data');
    sim.settle();
    expect(claimOf(sim, 'data')!.status?.phase).toBe('Pending');
    expect([phase('other'), phase('before')]).toEqual(['Available', 'Released']);
  });

  it('says what it lacks when there is neither a volume nor a class', () => {
    putClaim(sim, 'data');
    sim.settle();
    expect(sim.events).toContain(
      'FailedBinding no persistent volumes available for this claim and no storage class is set',
    );
  });

  it('gets the default class when one comes', () => {
    putClaim(sim, 'open', { storageClassName: undefined });
    putClaim(sim, 'none');
    sim.settle();
    const isDefault = { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } };
    putClass(sim, 'standard', { metadata: { ...isDefault, creationTimestamp: '2026-01-02T00:00:00Z' } });
    sim.settle();
    expect(claimOf(sim, 'open')!.spec.storageClassName).toBe('standard');
    expect(claimOf(sim, 'none')!.spec.storageClassName).toBe('');
  });
});

describe('a claim that names its volume', () => {
  it('is bound to it, and says that a user chose it', () => {
    putVolume(sim, 'other');
    putVolume(sim, 'pv');
    putClaim(sim, 'data', { volumeName: 'pv' });
    sim.settle();
    expect(bound('data')).toBe('pv');
    expect(claimOf(sim, 'data')!.metadata.annotations).toEqual({ [bindCompleted]: 'yes' });
  });

  it.each([
    ['storageClassName does not match', { storageClassName: 'fast' }],
    ['requested PV is too small', size('1Mi')],
    ['incompatible volumeMode', { volumeMode: 'Block' as const }],
    ['incompatible accessMode', { accessModes: ['ReadOnlyMany' as const] }],
  ])('is told why not: %s', (problem, volume) => {
    putVolume(sim, 'pv', volume);
    putClaim(sim, 'data', { volumeName: 'pv' });
    sim.settle();
    expect(sim.events).toContain(`VolumeMismatch Cannot bind to requested volume "pv": ${problem}`);
    expect(claimOf(sim, 'data')!.status?.phase).toBe('Pending');
  });

  it('waits for a volume that is not there, and for one that somebody has', () => {
    putVolume(sim, 'taken', { claimRef: { namespace: NS, name: 'owner' } });
    putClaim(sim, 'owner');
    putClaim(sim, 'late', { volumeName: 'taken' });
    putClaim(sim, 'early', { volumeName: 'to-come' });
    sim.settle();
    expect(sim.events).toContain('FailedBinding volume "taken" already bound to a different claim.');
    expect([bound('owner'), bound('late'), bound('early')]).toEqual(['taken', undefined, undefined]);
    putVolume(sim, 'to-come');
    sim.settle();
    expect(bound('early')).toBe('to-come');
  });
});

describe('a class', () => {
  it('has its provisioner asked for a volume, once', () => {
    putClass(sim, 'fast');
    putClaim(sim, 'data', { storageClassName: 'fast' });
    sim.settle();
    sim.settle();
    expect(claimOf(sim, 'data')!.metadata.annotations).toEqual({
      [provisioner]: 'example.com/disks',
      [betaProvisioner]: 'example.com/disks',
    });
    expect(sim.events.filter((event) => event.startsWith('ExternalProvisioning '))).toHaveLength(1);
    const { uid } = claimOf(sim, 'data')!.metadata;
    const claimRef = { namespace: NS, name: 'data', uid };
    putVolume(sim, 'made', { claimRef, storageClassName: 'fast' }, { [provisionedBy]: 'example.com/disks' });
    sim.settle();
    expect(bound('data')).toBe('made');
  });

  it('may be missing', () => {
    putClaim(sim, 'data', { storageClassName: 'fast' });
    sim.settle();
    expect(sim.events).toContain('ProvisioningFailed storageclass.storage.k8s.io "fast" not found');
  });

  it('may have nobody who makes volumes', () => {
    putClass(sim, 'fast', { provisioner: 'kubernetes.io/no-provisioner' });
    putClaim(sim, 'data', { storageClassName: 'fast' });
    sim.settle();
    expect(sim.events).toContain('ProvisioningFailed no volume plugin matched name: kubernetes.io/no-provisioner');
  });

  describe('that waits for the first consumer', () => {
    beforeEach(() => {
      putClass(sim, 'local', { volumeBindingMode: 'WaitForFirstConsumer' });
      putVolume(sim, 'pv', { storageClassName: 'local' });
      putClaim(sim, 'data', { storageClassName: 'local' });
    });

    it('binds nothing before a node is chosen', () => {
      sim.settle();
      expect(bound('data')).toBeUndefined();
      expect(sim.events).toContain('WaitForFirstConsumer waiting for first consumer to be created before binding');
      expect(claimOf(sim, 'data')!.metadata.annotations).toEqual({});
    });

    it('says which pod has no node yet', () => {
      const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
      const metadata = { namespace: NS, name: 'web' };
      sim.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], volumes } });
      sim.settle();
      expect(sim.events).toContain('WaitForPodScheduled waiting for pod web to be scheduled');
    });

    it('binds what the scheduler has chosen for it', () => {
      const { uid } = claimOf(sim, 'data')!.metadata;
      const chosen = { claimRef: { namespace: NS, name: 'data', uid }, storageClassName: 'local' };
      putVolume(sim, 'chosen', chosen, { [boundByController]: 'yes' });
      sim.settle();
      expect(bound('data')).toBe('chosen');
    });

    it('asks the provisioner once a node is chosen', () => {
      sim.cluster.remove(persistentVolume as never, '', 'pv');
      putClaim(sim, 'data', { storageClassName: 'local' }, { [selectedNode]: 'n1' });
      sim.settle();
      expect(claimOf(sim, 'data')!.metadata.annotations?.[provisioner]).toBe('example.com/disks');
    });
  });
});

describe('a claim that was bound', () => {
  const bindOne = (): void => {
    putVolume(sim, 'pv');
    putClaim(sim, 'data');
    sim.settle();
    expect(bound('data')).toBe('pv');
  };

  it('is lost with its volume', () => {
    bindOne();
    sim.cluster.remove(persistentVolume as never, '', 'pv');
    sim.settle();
    expect(claimOf(sim, 'data')!.status).toEqual({ phase: 'Lost' });
    expect(sim.events).toContain('ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!');
    sim.settle();
    expect(sim.events.filter((event) => event.startsWith('ClaimLost'))).toHaveLength(1);
  });

  it('is lost when its volume is another claim’s', () => {
    bindOne();
    putVolume(sim, 'pv', { claimRef: { namespace: NS, name: 'other', uid: 'other' } });
    sim.settle();
    expect(sim.events).toContain(
      'ClaimMisbound Two claims are bound to the same volume, this one is bound incorrectly',
    );
  });

  it('takes a volume back that has forgotten it', () => {
    bindOne();
    putVolume(sim, 'pv');
    sim.settle();
    expect(bound('data')).toBe('pv');
  });
});

describe('a volume whose claim has gone', () => {
  const releaseOne = (spec: object, annotations: Record<string, string> = {}): void => {
    putVolume(sim, 'pv', spec, annotations);
    putClaim(sim, 'data');
    sim.settle();
    sim.advance(60_000);
    sim.cluster.remove(persistentVolumeClaim as never, NS, 'data');
    sim.settle();
  };

  it('is kept as it is, and does not go to a claim of the same name', () => {
    releaseOne({});
    expect(volumeOf(sim, 'pv')!.status).toEqual({
      phase: 'Released',
      lastPhaseTransitionTime: '2026-01-01T00:01:00Z',
    });
    putClaim(sim, 'data');
    sim.settle();
    expect(bound('data')).toBeUndefined();
    expect(phase('pv')).toBe('Released');
  });

  it('is free again when somebody takes the claim off it', () => {
    releaseOne({});
    putVolume(sim, 'pv');
    sim.settle();
    expect(phase('pv')).toBe('Available');
  });

  it('is left to whoever made it when it is to be deleted', () => {
    releaseOne({ persistentVolumeReclaimPolicy: 'Delete' }, { [provisionedBy]: 'example.com/disks' });
    expect(phase('pv')).toBe('Released');
  });

  it('has failed when it is to be deleted and nobody made it', () => {
    releaseOne({ persistentVolumeReclaimPolicy: 'Delete' });
    expect(phase('pv')).toBe('Failed');
    expect(sim.events).toContain(
      'VolumeFailedDelete error getting deleter volume plugin for volume "pv": no deletable volume plugin matched',
    );
  });
});

describe('a volume whose claim has another one', () => {
  const elsewhere = (spec: object, annotations: Record<string, string>): void => {
    putVolume(sim, 'first');
    putClaim(sim, 'data');
    sim.settle();
    const { uid } = claimOf(sim, 'data')!.metadata;
    putVolume(sim, 'second', { claimRef: { namespace: NS, name: 'data', uid }, ...spec }, annotations);
    sim.settle();
    expect(bound('data')).toBe('first');
  };

  it('is free when the controller had chosen it', () => {
    elsewhere({}, { [boundByController]: 'yes' });
    expect(volumeOf(sim, 'second')!.spec.claimRef).toBeUndefined();
    expect(phase('second')).toBe('Available');
  });

  it('goes on waiting for a claim of that name when a user had chosen it', () => {
    elsewhere({}, {});
    expect(volumeOf(sim, 'second')!.spec.claimRef).toEqual({ namespace: NS, name: 'data' });
    expect(phase('second')).toBe('Available');
  });

  it('is to go when it was made for the claim', () => {
    elsewhere({ persistentVolumeReclaimPolicy: 'Delete' }, { [provisionedBy]: 'example.com/disks' });
    expect(phase('second')).toBe('Released');
  });
});

it('wakes only the claims that a volume concerns', () => {
  const [rule] = claimBinder.watches;
  putClaim(sim, 'wants-any');
  putClaim(sim, 'wants-fast', { storageClassName: 'fast' });
  putClaim(sim, 'wants-this', { volumeName: 'pv' });
  const view = sim.cluster.view();
  const free = { ...putVolume(sim, 'pv'), status: { phase: 'Available' as const } };
  const woken = (now: object | null, old: object | null) =>
    rule!.keys(now as never, old as never, view).map(({ name }) => name);
  expect(woken(free, null).sort()).toEqual(['wants-any', 'wants-this']);
  expect(woken(free, free)).toEqual(['wants-this']);
  const held = { ...free, spec: { ...free.spec, claimRef: { namespace: NS, name: 'owner' } } };
  expect(woken(held, free).sort()).toEqual(['owner', 'wants-this']);
});
