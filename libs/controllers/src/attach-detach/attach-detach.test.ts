import {
  CONTROLLER_ATTACHES,
  csiDriver,
  type Node,
  node,
  type PersistentVolume,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  type VolumeAttachment,
  volumeAttachment,
} from '@periplus/api';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { attachDetachController } from './attach-detach-controller.ts';
import { attachedVolumesController } from './attached-volumes-controller.ts';

const NS = 'shop';
const DRIVER = 'disks.example.com';
const NAME = `kubernetes.io/csi/${DRIVER}^disk-1`;
const MINUTE_MS = 60_000;

/** The controllers, with what a kubelet and a driver's attacher do beside them. */
class Play extends Simulation {
  constructor(accessModes: NonNullable<PersistentVolume['spec']['accessModes']> = ['ReadWriteOnce']) {
    super(attachDetachController, attachedVolumesController);
    const claim = this.cluster.put(persistentVolumeClaim, {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { namespace: NS, name: 'data' } },
      ...{ spec: { volumeName: 'pv' }, status: { phase: 'Bound' } },
    });
    this.cluster.put(persistentVolume, {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' } },
      spec: {
        accessModes,
        csi: { driver: DRIVER, volumeHandle: 'disk-1' },
        claimRef: { namespace: NS, name: 'data', uid: claim.metadata.uid },
      },
    });
    for (const name of ['n1', 'n2']) this.putNode(name);
  }

  putNode(name: string, annotations: Record<string, string> = { [CONTROLLER_ATTACHES]: 'true' }): void {
    const status = { conditions: [{ type: 'Ready', status: 'True' as const }] };
    this.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name, annotations }, spec: {}, status });
  }

  changeNode(name: string, change: (status: NonNullable<Node['status']>, spec: Node['spec']) => void): void {
    const { ...copy } = structuredClone(this.node(name)) as Node;
    change(copy.status!, copy.spec);
    this.cluster.put(node, copy);
  }

  putPod(name: string, nodeName?: string): void {
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    const metadata = { namespace: NS, name, creationTimestamp: new Date(this.cluster.nowMs).toISOString() };
    this.cluster.put(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata },
      spec: { containers: [], volumes, ...(nodeName && { nodeName }) },
    });
  }

  /** What the driver's attacher does: attaches what is asked for, and lets go what is to go. */
  attacherActs(): void {
    for (const { metadata } of this.attachments()) {
      const ref = { kind: volumeAttachment as never, namespace: '', name: metadata.name! };
      const patch = { status: { attached: true } };
      this.cluster.apply({ verb: 'patch', ...ref, subresource: 'status', type: 'merge', patch });
    }
  }

  node(name: string) {
    return this.cluster.truth().get(node, '', name)!;
  }

  attachments(): readonly VolumeAttachment[] {
    return this.cluster.truth().list(volumeAttachment as never) as unknown as VolumeAttachment[];
  }

  get nodes(): string[] {
    return this.attachments().map(({ spec }) => spec.nodeName!);
  }

  attachedTo(name: string): string[] {
    return (this.node(name).status?.volumesAttached ?? []).map((volume) => volume.name);
  }
}

let play: Play;
beforeEach(() => {
  play = new Play();
});

/** A pod on n1 has its volume, and the kubelet has mounted it. */
function inUse(): void {
  play.putPod('a', 'n1');
  play.settle();
  play.attacherActs();
  play.settle();
  play.changeNode('n1', (status) => {
    status.volumesInUse = [NAME];
  });
}

describe('a volume that a driver attaches', () => {
  it('gets an attachment of the name that drivers know when a pod that uses it has a node', () => {
    play.putPod('a');
    play.settle();
    expect(play.attachments()).toEqual([]);
    play.putPod('a', 'n1');
    play.settle();
    // printf 'disk-1disks.example.comn1' | sha256sum
    const name = 'csi-12b51b7d660a7f2de6c26940e1ae12cd406263244c9d2e0082b028f8d1d20ae8';
    expect(play.attachments()).toMatchObject([
      { metadata: { name }, spec: { attacher: DRIVER, nodeName: 'n1', source: { persistentVolumeName: 'pv' } } },
    ]);
    expect(play.attachedTo('n1')).toEqual([]);
  });

  it('is told to the node and its pods once it is attached', () => {
    play.putPod('a', 'n1');
    play.settle();
    play.attacherActs();
    play.settle();
    expect(play.node('n1').status?.volumesAttached).toEqual([{ name: NAME, devicePath: '' }]);
    expect(play.events).toEqual(['SuccessfulAttachVolume AttachVolume.Attach succeeded for volume "pv" ']);
  });

  it.each<[string, () => void]>([
    ['the driver does not attach', () => putDriver(false)],
    ['the node attaches itself', () => play.putNode('n1', {})],
    ['the node is gone', () => play.cluster.remove(node, '', 'n1')],
    [
      'the claim has another volume',
      () =>
        play.cluster.put(persistentVolumeClaim, {
          ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { namespace: NS, name: 'data' } },
          ...{ spec: { volumeName: 'other' }, status: { phase: 'Bound' } },
        }),
    ],
  ])('gets none when %s', (_, change) => {
    change();
    play.putPod('a', 'n1');
    play.settle();
    expect(play.attachments()).toEqual([]);
  });

  it('leaves attachments of others alone', () => {
    const spec = { attacher: DRIVER, nodeName: 'n1', source: { persistentVolumeName: 'pv' } };
    play.cluster.put(volumeAttachment, {
      ...{ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', metadata: { name: 'by-hand' }, spec },
    });
    play.settle();
    expect(play.nodes).toEqual(['n1']);
  });

  it('says what the driver says when it fails', () => {
    play.putPod('a', 'n1');
    play.settle();
    const ref = { kind: volumeAttachment as never, namespace: '', name: play.attachments()[0]!.metadata.name! };
    const patch = { status: { attached: false, attachError: { message: 'no such disk' } } };
    play.cluster.apply({ verb: 'patch', ...ref, subresource: 'status', type: 'merge', patch });
    play.settle();
    expect(play.events).toContain('FailedAttachVolume AttachVolume.Attach failed for volume "pv" : no such disk');
  });

  const putDriver = (attachRequired: boolean): void => {
    play.cluster.put(csiDriver, {
      ...{ apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: DRIVER }, spec: { attachRequired } },
    });
  };
});

describe('a volume for one node at a time', () => {
  it('is not attached to a second one, whose pod hears why', () => {
    inUse();
    play.putPod('b', 'n2');
    play.settle();
    expect(play.nodes).toEqual(['n1']);
    expect(play.events).toContain(
      'FailedAttachVolume Multi-Attach error for volume "pv" Volume is already used by pod(s) a',
    );
  });

  it('goes to the second when the first has unmounted it, and not before', () => {
    inUse();
    play.putPod('b', 'n2');
    play.cluster.remove(pod, NS, 'a');
    play.settle();
    expect(play.attachedTo('n1')).toEqual([]);
    expect(play.nodes).toEqual(['n1']);
    expect(play.events).toContain(
      `FailedAttachVolume Multi-Attach error for volume "pv" Volume is already exclusively attached to one node and can't be attached to another`,
    );
    play.advance(10 * MINUTE_MS);
    play.settle();
    expect(play.nodes).toEqual(['n1']);
    play.changeNode('n1', (status) => {
      delete status.volumesInUse;
    });
    play.settle();
    expect(play.nodes).toEqual(['n2']);
  });

  it('is not taken away before its node has heard that it may not mount it any more', () => {
    play.putPod('a', 'n1');
    play.settle();
    play.attacherActs();
    play.settle();
    play.cluster.remove(pod, NS, 'a');
    for (let look = 0; look < 3; look++) play.reconcile(attachDetachController, { namespace: '', name: 'pv' });
    expect(play.nodes).toEqual(['n1']);
    play.settle();
    expect(play.nodes).toEqual([]);
  });

  it('is taken from a node that is not Ready after six minutes', () => {
    inUse();
    play.cluster.remove(pod, NS, 'a');
    play.changeNode('n1', ({ conditions }) => {
      conditions![0]!.status = 'Unknown';
    });
    play.settle();
    play.advance(6 * MINUTE_MS - 1_000);
    const { lookAgainMs } = attachDetachController.reconcile({ namespace: '', name: 'pv' }, play.cluster.view());
    expect(lookAgainMs).toBeGreaterThan(0);
    expect(lookAgainMs).toBeLessThanOrEqual(2_000);
    play.settle();
    expect(play.nodes).toEqual(['n1']);
    play.advance(2_000);
    play.settle();
    expect(play.nodes).toEqual([]);
  });

  it('is taken at once from a node that is out of service', () => {
    inUse();
    play.cluster.remove(pod, NS, 'a');
    play.changeNode('n1', (_, spec) => {
      spec.taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }];
    });
    play.settle();
    expect(play.nodes).toEqual([]);
  });

  it('stays when a pod comes back to its node in time', () => {
    inUse();
    play.cluster.remove(pod, NS, 'a');
    play.settle();
    play.putPod('b', 'n1');
    play.settle();
    expect(play.attachedTo('n1')).toEqual([NAME]);
  });
});

it('a volume for many nodes is attached to each that has pods which use it, once', () => {
  play = new Play(['ReadWriteMany']);
  for (const [name, nodeName] of [
    ['a', 'n1'],
    ['b', 'n2'],
    ['c', 'n2'],
  ])
    play.putPod(name!, nodeName);
  play.settle();
  expect(play.nodes.sort()).toEqual(['n1', 'n2']);
});

const at = fc.constantFrom('n1', 'n2');
const step = fc.oneof(
  fc.record({ do: fc.constant('addPod' as const), name: fc.constantFrom('a', 'b', 'c'), at }),
  fc.record({ do: fc.constant('removePod' as const), name: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ do: fc.constantFrom('mount' as const, 'unmount' as const), at }),
  fc.record({ do: fc.constantFrom('attach' as const, 'settle' as const, 'wait' as const, 'look' as const) }),
);

it('whatever happens, it is on one node at most, is never taken from a Ready node that uses it, and gets where it is needed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const one = new Play();
      const check = (): void => {
        expect(new Set(one.nodes).size).toBeLessThanOrEqual(1);
        for (const name of ['n1', 'n2']) if (one.node(name).status?.volumesInUse) expect(one.nodes).toContain(name);
      };
      const has = (name: string): boolean => one.cluster.truth().get(pod, NS, name) !== undefined;
      const unmount = (name: string): void => one.changeNode(name, (status) => delete status.volumesInUse);
      for (const action of steps) {
        if (action.do === 'addPod' && !has(action.name)) one.putPod(action.name, action.at);
        else if (action.do === 'removePod') one.cluster.remove(pod, NS, action.name);
        // A kubelet mounts what its node's status says is attached.
        else if (action.do === 'mount' && one.attachedTo(action.at).includes(NAME))
          one.changeNode(action.at, (status) => {
            status.volumesInUse = [NAME];
          });
        else if (action.do === 'unmount') unmount(action.at);
        else if (action.do === 'attach') one.attacherActs();
        else if (action.do === 'settle') one.settle();
        // The two work side by side, and this one may be ahead.
        else if (action.do === 'look') one.reconcile(attachDetachController, { namespace: '', name: 'pv' });
        else if (action.do === 'wait') one.advance(10 * MINUTE_MS);
        check();
      }
      for (const name of ['n1', 'n2']) unmount(name);
      for (let round = 0; round < 3; round++) {
        one.settle();
        one.attacherActs();
        check();
      }
      const wanted = new Set(one.pods().map(({ spec }) => spec.nodeName!));
      expect(wanted.size === 0 ? one.nodes : one.nodes.filter((name) => wanted.has(name)).length).toEqual(
        wanted.size === 0 ? [] : 1,
      );
      for (const name of one.nodes) expect(one.attachedTo(name)).toEqual([NAME]);
    }),
  );
});
