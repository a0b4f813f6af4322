import {
  type CSINode,
  csiNode,
  type Kind,
  NODE_LOCAL_PROVISIONER,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type PodGroup,
  persistentVolume,
  persistentVolumeClaim,
  podGroup,
  type StorageClass,
  storageClass,
  VOLUME_ANNOTATION,
} from '@periplus/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeNode, makePod } from '../testing/objects.ts';
import { SchedulingTest } from '../testing/scheduling.ts';

const { bindCompleted, boundByController, selectedNode } = VOLUME_ANNOTATION;

let test: SchedulingTest;
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
});
afterEach(async () => {
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
  vi.useRealTimers();
});
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

const putClaim = (name: string, spec: object = {}, annotations: Record<string, string> = {}, status: object = {}) =>
  test.cluster.put(persistentVolumeClaim, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: 'default', name, annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'local',
      ...spec,
    },
    status: { phase: 'Pending', ...status },
  } as PersistentVolumeClaim);
const bound = (name: string, volumeName: string, spec: object = {}): PersistentVolumeClaim =>
  putClaim(name, { volumeName, ...spec }, { [bindCompleted]: 'yes' }, { phase: 'Bound' });
const putVolume = (name: string, spec: object = {}, labels: Record<string, string> = {}): PersistentVolume =>
  test.cluster.put(persistentVolume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, storageClassName: 'local', ...spec },
    status: { phase: 'Available' },
  } as PersistentVolume);
const putClass = (more: Partial<StorageClass> = {}): StorageClass =>
  test.cluster.put(storageClass, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local' },
    ...{ provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer', ...more },
  });
const onNode = (name: string) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }],
    },
  },
});
const podWith = (name: string, ...claims: string[]) =>
  makePod(name, { volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) });
const claimNamed = (name: string) => test.cluster.truth().get(persistentVolumeClaim, 'default', name)!;
const volumeNamed = (name: string) => test.cluster.truth().get(persistentVolume, '', name)!;
/** What was said of nodes, without whom it would help to preempt. */
const reasons = () =>
  test.said('FailedScheduling').map((message) => message.split(' no new claims to deallocate, preemption: ')[0]);
const said = () => reasons().at(-1);

describe('a pod that names a disk', () => {
  const withDisk = (name: string, readOnly = false) =>
    makePod(name, { volumes: [{ name: 'disk', gcePersistentDisk: { pdName: 'disk', readOnly } }] });
  const remove = (name: string) => test.cluster.remove({ group: '', plural: 'pods' } as Kind, 'default', name);

  it('stays off a node where another pod writes to it, until that goes', async () => {
    test.put(makeNode('a'));
    test.start();
    test.put(withDisk('p'), makePod('other', {}));
    await settle();
    test.put(withDisk('q', true));
    await settle();
    expect(test.nodeOf('p', 'q')).toEqual(['a', undefined]);
    expect(said()).toBe('0/1 nodes are available: 1 node(s) had no available disk.');
    remove('other');
    await settle(10_000);
    expect(test.said('FailedScheduling')).toHaveLength(1);
    remove('p');
    await settle(10_000);
    expect(test.nodeOf('q')).toEqual(['a']);
  });

  it('goes to another node, or beside one that only reads as it does', async () => {
    test.put(makeNode('a'), makeNode('b'));
    test.start();
    test.put({ ...withDisk('p', true), spec: { ...withDisk('p', true).spec, nodeName: 'a' } });
    test.put(withDisk('writes'));
    await settle();
    expect(test.nodeOf('writes')).toEqual(['b']);
    test.put(withDisk('reads', true));
    await settle();
    expect(test.nodeOf('reads')).toEqual(['a']);
  });

  it('has a less important pod with the disk leave for it', async () => {
    test.put(makeNode('a'));
    test.start();
    test.put(withDisk('p'), makePod('other', {}));
    await settle();
    test.put({ ...withDisk('q'), spec: { ...withDisk('q').spec, priority: 10 } });
    await settle(10_000);
    expect(test.said('Preempted')).toHaveLength(1);
    expect(test.pod('p').metadata.deletionTimestamp).toBeDefined();
    remove('p');
    await settle(10_000);
    expect(test.nodeOf('q', 'other')).toEqual(['a', 'a']);
  });
});

describe('a pod whose claim is bound', () => {
  it('goes where its volume is', async () => {
    test.put(makeNode('a'), makeNode('b'), makeNode('c'));
    putVolume('pv', onNode('b'));
    bound('data', 'pv');
    test.start();
    test.put(podWith('p', 'data'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['b']);
  });

  it('says that no node has its volume, and goes there when there is one', async () => {
    test.put(makeNode('a'), makeNode('b'));
    putVolume('pv', onNode('c'));
    bound('data', 'pv');
    test.start();
    test.put(podWith('p', 'data'));
    await settle();
    expect(said()).toBe("0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.");
    test.put(makeNode('c'));
    await settle(10_000);
    expect(test.nodeOf('p')).toEqual(['c']);
  });

  it('waits while its volume is missing', async () => {
    test.put(makeNode('a'));
    bound('data', 'pv');
    test.start();
    test.put(podWith('p', 'data'));
    await settle();
    const reason = '1 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
    expect(said()).toBe(`0/1 nodes are available: ${reason}.`);
    putVolume('pv');
    await settle(10_000);
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('stays in the zone of its volume', async () => {
    const zone = (name: string) => ({ labels: { 'topology.kubernetes.io/zone': name } });
    test.put(makeNode('a', zone('east')), makeNode('b', zone('west')));
    putVolume('pv', {}, { 'topology.kubernetes.io/zone': 'north__west' });
    putVolume('far', {}, { 'topology.kubernetes.io/zone': 'south' });
    bound('data', 'pv');
    bound('lost', 'far');
    test.start();
    test.put(podWith('p', 'data'), podWith('q', 'lost'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['b']);
    expect(said()).toBe('0/2 nodes are available: 2 node(s) had no available volume zone.');
  });

  it('has it for itself when the claim is for one pod', async () => {
    test.put(makeNode('a'));
    putVolume('pv');
    bound('data', 'pv', { accessModes: ['ReadWriteOncePod'] });
    test.start();
    test.put(podWith('p', 'data'));
    await settle();
    test.put(podWith('q', 'data'));
    await settle();
    expect(test.nodeOf('p', 'q')).toEqual(['a', undefined]);
    const reason = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
    expect(said()).toBe(`0/1 nodes are available: 1 ${reason}.`);
    test.cluster.remove(test.pod('p').kind && ({ group: '', plural: 'pods' } as Kind), 'default', 'p');
    await settle(10_000);
    expect(test.nodeOf('q')).toEqual(['a']);
  });

  it('minds how many volumes of a driver a node takes; one that is there already counts once', async () => {
    test.put(makeNode('a'));
    const drivers = [{ name: 'example.com/disks', nodeID: 'a', allocatable: { count: 1 } }];
    const metadata = { name: 'a' };
    test.cluster.put<CSINode>(csiNode, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata,
      spec: { drivers },
    });
    for (const name of ['one', 'two']) {
      putVolume(name, { csi: { driver: 'example.com/disks', volumeHandle: name } });
      bound(name, name);
    }
    test.start();
    test.put(podWith('p', 'one'));
    await settle();
    test.put(podWith('q', 'one'), podWith('r', 'two'));
    await settle();
    expect(test.nodeOf('p', 'q', 'r')).toEqual(['a', 'a', undefined]);
    expect(said()).toBe('0/1 nodes are available: 1 node(s) exceed max volume count.');
  });
});

describe('a pod with an ephemeral volume', () => {
  const podWithScratch = () => makePod('p', { volumes: [{ name: 'scratch', ephemeral: {} }] });
  const claimOf = (uid: string) => {
    const { metadata, ...claim } = bound('p-scratch', 'pv');
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true };
    return test.cluster.put(persistentVolumeClaim, { ...claim, metadata: { ...metadata, ownerReferences: [owner] } });
  };
  beforeEach(() => {
    test.put(makeNode('a'));
    putVolume('pv');
  });

  it('waits until its claim has been made', async () => {
    test.start();
    test.put(podWithScratch());
    await settle();
    const reason = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"';
    expect(said()).toBe(`0/1 nodes are available: ${reason}.`);
    claimOf(test.pod('p').metadata.uid!);
    await settle(10_000);
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('does not take the claim of a pod that had its name before', async () => {
    claimOf('uid of another');
    test.start();
    test.put(podWithScratch());
    await settle();
    const reason = 'PVC default/p-scratch was not created for pod default/p (pod is not owner)';
    expect(said()).toBe(`0/1 nodes are available: ${reason}.`);
  });
});

describe('a pod whose claim is not bound', () => {
  it.each<[string, string, () => void]>([
    ['is missing', 'persistentvolumeclaim "data" not found', () => undefined],
    [
      'is about to go',
      'persistentvolumeclaim "data" is being deleted',
      () => {
        const { metadata, ...claim } = bound('data', 'pv');
        const going = { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] };
        test.cluster.put(persistentVolumeClaim, { ...claim, metadata: going });
      },
    ],
    [
      'is lost',
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "pv"',
      () => {
        putClaim('data', { volumeName: 'pv' }, {}, { phase: 'Lost' });
      },
    ],
    [
      'is of a class that does not wait',
      'pod has unbound immediate PersistentVolumeClaims',
      () => {
        putClass({ volumeBindingMode: 'Immediate' });
        putClaim('data');
      },
    ],
    [
      'is tied to a volume',
      'pod has unbound immediate PersistentVolumeClaims',
      () => {
        putClass();
        putClaim('data', { volumeName: 'pv' });
      },
    ],
  ])('waits when it %s, and says so once', async (_what, reason, prepare) => {
    test.put(makeNode('a'), makeNode('b'));
    prepare();
    test.start();
    test.put(podWith('p', 'data'));
    await settle();
    const beyondHelp = '0/2 nodes are available: 2 Preemption is not helpful for scheduling.';
    const message = `0/2 nodes are available: ${reason}. no new claims to deallocate, preemption: ${beyondHelp}`;
    expect(test.said('FailedScheduling')).toEqual([message]);
    test.cluster.remove(persistentVolumeClaim as unknown as Kind, 'default', 'data');
    putVolume('pv');
    bound('data', 'pv');
    await settle(10_000);
    expect(test.nodeOf('p')[0]).toBeDefined();
  });

  it('takes a volume of the node that it goes to, and is bound after the claim', async () => {
    putClass();
    test.put(makeNode('a'), makeNode('b'));
    putVolume('far', { ...onNode('c') });
    putVolume('near', { ...onNode('b') });
    const { metadata } = putClaim('data');
    test.start();
    test.put(podWith('p', 'data'));
    await settle();
    expect(volumeNamed('near')).toMatchObject({
      metadata: { annotations: { [boundByController]: 'yes' } },
      spec: { claimRef: { namespace: 'default', name: 'data', uid: metadata.uid } },
    });
    expect(test.nodeOf('p')).toEqual([undefined]);
    bound('data', 'near');
    await settle();
    expect(test.nodeOf('p')).toEqual(['b']);
    expect(volumeNamed('far').spec.claimRef).toBeUndefined();
  });

  it('never takes a volume that another pod was given a moment ago', async () => {
    putClass();
    test.put(makeNode('a'));
    putVolume('pv');
    putClaim('one');
    putClaim('two');
    test.start();
    await settle();
    test.put(podWith('p', 'one'), podWith('q', 'two'));
    test.cluster.lagging = true;
    await settle();
    expect(test.cluster.sent.filter(({ command }) => command.kind.plural === 'persistentvolumes')).toHaveLength(1);
    test.cluster.lagging = false;
    test.cluster.deliver();
    await settle();
    expect(said()).toBe("0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.");
  });

  it('has its gang wait for the claims of all', async () => {
    putClass({ provisioner: 'example.com/disks' });
    test.put(makeNode('a'));
    test.cluster.put<PodGroup>(podGroup, {
      apiVersion: 'scheduling.k8s.io/v1alpha2',
      kind: 'PodGroup',
      metadata: { name: 'g', namespace: 'default' },
      spec: { schedulingPolicy: { gang: { minCount: 2 } } },
    });
    for (const name of ['one', 'two']) {
      putClaim(name);
      const pod = podWith(name, name);
      test.put({ ...pod, spec: { ...pod.spec, schedulingGroup: { podGroupName: 'g' } } });
    }
    test.start();
    await settle();
    for (const name of ['one', 'two']) {
      expect(claimNamed(name).metadata.annotations).toEqual({ [selectedNode]: 'a' });
      expect(test.nodeOf('one', 'two')).toEqual([undefined, undefined]);
      putVolume(`made-${name}`, onNode('a'));
      bound(name, `made-${name}`);
      await settle();
    }
    expect(test.nodeOf('one', 'two')).toEqual(['a', 'a']);
  });

  it('has all its claims served by one node, each by a volume of its own', async () => {
    putClass();
    test.put(makeNode('a'), makeNode('b'));
    putVolume('a1', { ...onNode('a'), capacity: { storage: '9Gi' } });
    putVolume('b1', { ...onNode('b'), capacity: { storage: '1Gi' } });
    putVolume('b2', { ...onNode('b'), capacity: { storage: '5Gi' } });
    putClaim('large', { resources: { requests: { storage: '5Gi' } } });
    putClaim('small');
    test.start();
    test.put(podWith('p', 'large', 'small'));
    await settle();
    expect(volumeNamed('b1').spec.claimRef?.name).toBe('small');
    expect(volumeNamed('b2').spec.claimRef?.name).toBe('large');
  });

  describe('and whose class makes volumes', () => {
    beforeEach(() => putClass({ provisioner: 'example.com/disks' }));

    it('names the node on the claim, waits for the volume, and keeps its place meanwhile', async () => {
      test.put(makeNode('a', { allocatable: { pods: '1' } }));
      putClaim('data');
      test.start();
      test.put(podWith('p', 'data'));
      await settle();
      expect(claimNamed('data').metadata.annotations).toEqual({ [selectedNode]: 'a' });
      test.put(makePod('q'));
      await settle();
      expect(test.nodeOf('p', 'q')).toEqual([undefined, undefined]);
      expect(said()).toBe('0/1 nodes are available: 1 Too many pods.');
      putVolume('made', onNode('a'));
      bound('data', 'made');
      await settle();
      expect(test.nodeOf('p', 'q')).toEqual(['a', undefined]);
    });

    it('goes only where volumes may be made', async () => {
      putClass({
        provisioner: 'example.com/disks',
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['west'] }] }],
      });
      test.put(makeNode('a', { labels: { zone: 'east' } }), makeNode('b', { labels: { zone: 'west' } }));
      putClaim('data');
      test.start();
      test.put(podWith('p', 'data'));
      await settle();
      expect(claimNamed('data').metadata.annotations).toEqual({ [selectedNode]: 'b' });
    });

    it('goes only to nodes that keep volumes themselves when the class is of those', async () => {
      putClass({ provisioner: NODE_LOCAL_PROVISIONER });
      test.put(makeNode('a'));
      putClaim('data');
      test.start();
      test.put(podWith('p', 'data'));
      await settle();
      expect(said()).toBe("0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.");
      const { metadata, ...node } = makeNode('a');
      const annotations = { 'periplus.dev/volume-directory': '/volumes' };
      test.put({ ...node, metadata: { ...metadata, annotations } } as never);
      await settle(10_000);
      expect(claimNamed('data').metadata.annotations).toEqual({ [selectedNode]: 'a' });
    });

    it('goes where an earlier scheduler has decided', async () => {
      test.put(makeNode('a'), makeNode('b'), makeNode('c'));
      putClaim('data', {}, { [selectedNode]: 'c' });
      test.start();
      test.put(podWith('p', 'data'));
      await settle();
      putVolume('made', onNode('c'));
      bound('data', 'made');
      await settle();
      expect(test.nodeOf('p')).toEqual(['c']);
    });

    it('looks for another node when the provisioner gives up', async () => {
      test.put(makeNode('a'));
      const claim = putClaim('data');
      test.start();
      test.put(podWith('p', 'data'));
      await settle();
      test.put(makeNode('b', { allocatable: { cpu: '64', memory: '256Gi' } }));
      test.cluster.put(persistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations: {} } });
      await settle(10_000);
      expect(claimNamed('data').metadata.annotations?.[selectedNode]).toBeDefined();
      expect(test.cluster.sent.filter(({ command }) => command.kind.plural === 'persistentvolumeclaims')).toHaveLength(
        2,
      );
    });

    it('gives up after ten minutes, and tries again', async () => {
      test.put(makeNode('a'));
      putClaim('data');
      test.start();
      test.put(podWith('p', 'data'));
      await settle(599_000);
      expect(test.cluster.sent.filter(({ command }) => command.kind.plural === 'persistentvolumeclaims')).toHaveLength(
        1,
      );
      await settle(20_000);
      expect(test.cluster.sent.filter(({ command }) => command.kind.plural === 'persistentvolumeclaims')).toHaveLength(
        2,
      );
      expect(test.nodeOf('p')).toEqual([undefined]);
    });
  });
});
