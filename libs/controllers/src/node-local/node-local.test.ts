import {
  NODE_LOCAL_FINALIZER,
  NODE_LOCAL_PROVISIONER,
  node,
  persistentVolume,
  persistentVolumeClaim,
  VOLUME_ANNOTATION,
} from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { claimBinder } from '../persistent-volume/claim-binder.ts';
import { expansionController } from '../persistent-volume/expansion-controller.ts';
import { claimOf, NS, putClaim, putClass, putVolume, RECYCLER, volumeOf } from '../persistent-volume/fixtures.ts';
import { volumePhaseController } from '../persistent-volume/volume-phase-controller.ts';
import { Simulation } from '../simulation.ts';
import { nodeLocalDeleter } from './node-local-deleter.ts';
import { nodeLocalProvisioner } from './node-local-provisioner.ts';

const { selectedNode } = VOLUME_ANNOTATION;
const HERE = { [selectedNode]: 'n1' };

let sim: Simulation;
beforeEach(() => {
  const binding = [claimBinder, volumePhaseController(RECYCLER), expansionController];
  sim = new Simulation(...([...binding, nodeLocalProvisioner, nodeLocalDeleter] as never[]));
  putClass(sim, 'standard', {
    ...{ provisioner: NODE_LOCAL_PROVISIONER, volumeBindingMode: 'WaitForFirstConsumer', allowVolumeExpansion: true },
  });
  putNode('n1', { 'periplus.dev/volume-directory': '/var/volumes' });
});
const putNode = (name: string, annotations: Record<string, string>): void => {
  const metadata = { name, annotations, labels: { 'kubernetes.io/hostname': `${name}.example.com` } };
  sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata, spec: {} });
};
const ask = (spec: object = {}, annotations: Record<string, string> = HERE): void => {
  putClaim(sim, 'data', { storageClassName: 'standard', ...spec }, annotations);
  sim.settle();
};
const made = () => sim.cluster.truth().list(persistentVolume)[0];

describe('the node-local provisioner', () => {
  it('makes a directory of the node that was chosen into a volume of the claim', () => {
    ask();
    const { uid } = claimOf(sim, 'data')!.metadata;
    expect(made()).toMatchObject({
      metadata: {
        name: `pvc-${uid}`,
        annotations: { 'pv.kubernetes.io/provisioned-by': NODE_LOCAL_PROVISIONER, 'periplus.dev/volume-node': 'n1' },
        finalizers: [NODE_LOCAL_FINALIZER],
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        local: { path: `/var/volumes/pvc-${uid}` },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n1.example.com'] }] },
            ],
          },
        },
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'standard',
      },
      status: { phase: 'Bound' },
    });
    expect(claimOf(sim, 'data')).toMatchObject({ spec: { volumeName: `pvc-${uid}` }, status: { phase: 'Bound' } });
    expect(sim.events).toEqual(
      expect.arrayContaining([
        `Provisioning External provisioner is provisioning volume for claim "${NS}/data"`,
        `ProvisioningSucceeded Successfully provisioned volume pvc-${uid}`,
      ]),
    );
  });

  it('waits for the scheduler', () => {
    ask({}, {});
    expect(made()).toBeUndefined();
  });

  it.each([
    ['access mode ReadWriteMany is not supported', { accessModes: ['ReadWriteMany'] }],
    ['block volumes are not supported', { volumeMode: 'Block' }],
    ['claim.Spec.Selector is not supported', { selector: { matchLabels: { a: 'b' } } }],
    ['data sources are not supported', { dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } }],
    ['classes of volume attributes are not supported', { volumeAttributesClassName: 'gold' }],
  ])('says what it can not do: %s', (problem, spec) => {
    ask(spec);
    expect(made()).toBeUndefined();
    expect(sim.events.join()).toContain(
      `ProvisioningFailed failed to provision volume with StorageClass "standard": ${problem}`,
    );
  });

  it.each([
    ['has no directory for volumes', () => putNode('n2', {})],
    ['not found', () => undefined],
  ])('lets the scheduler choose again when the node %s', (problem, prepare) => {
    prepare();
    ask({}, { [selectedNode]: 'n2' });
    expect(made()).toBeUndefined();
    expect(sim.events.join()).toContain(problem);
    expect(claimOf(sim, 'data')!.metadata.annotations).not.toHaveProperty(selectedNode);
  });

  it('asks for a class that waits', () => {
    putClass(sim, 'eager', { provisioner: NODE_LOCAL_PROVISIONER });
    ask({ storageClassName: 'eager' }, {});
    expect(sim.events.join()).toContain('the class must have volumeBindingMode WaitForFirstConsumer');
  });
});

describe('a node-local volume whose claim has gone', () => {
  const release = (): string => {
    const { name } = made()!.metadata;
    sim.cluster.remove(persistentVolumeClaim as never, NS, 'data');
    sim.settle();
    return name!;
  };

  it('is deleted, and stays until the node has removed the directory', () => {
    ask();
    const name = release();
    expect(volumeOf(sim, name)!.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      finalizers: [NODE_LOCAL_FINALIZER],
    });
    sim.settle();
    expect(volumeOf(sim, name)).toBeDefined();
  });

  it('goes with its node', () => {
    ask();
    const name = release();
    sim.cluster.remove(node as never, '', 'n1');
    sim.settle();
    expect(volumeOf(sim, name)).toBeUndefined();
  });

  it('stays when its policy was changed to keep it', () => {
    ask();
    const { name = '' } = made()!.metadata;
    const kind = persistentVolume as never;
    const patch = { spec: { persistentVolumeReclaimPolicy: 'Retain' } };
    sim.cluster.apply({ verb: 'patch', kind, namespace: '', name, type: 'merge', patch });
    release();
    expect(volumeOf(sim, name)).toMatchObject({ status: { phase: 'Released' } });
    expect(volumeOf(sim, name)!.metadata.deletionTimestamp).toBeUndefined();
  });
});

describe('a claim that wants more', () => {
  const grow = (name: string, storage: string): void => {
    const patch = { spec: { resources: { requests: { storage } } } };
    sim.cluster.apply({
      ...{ verb: 'patch', kind: persistentVolumeClaim as never, namespace: NS, name, type: 'merge', patch },
    });
    sim.settle();
  };

  it('just gets it of a directory', () => {
    ask();
    grow('data', '5Gi');
    expect(claimOf(sim, 'data')!.status).toMatchObject({ phase: 'Bound', capacity: { storage: '5Gi' } });
    expect(made()!.spec.capacity).toEqual({ storage: '5Gi' });
    expect(sim.events).toContain(`VolumeResizeSuccessful ExpandVolume succeeded for volume ${NS}/data`);
  });

  it('waits for the driver of other volumes', () => {
    putVolume(sim, 'pv');
    putClaim(sim, 'other');
    sim.settle();
    grow('other', '5Gi');
    expect(claimOf(sim, 'other')!.status?.capacity).toEqual({ storage: '1Gi' });
    expect(sim.events).toContain('ExternalExpanding waiting for an external controller to expand this PVC');
  });
});
