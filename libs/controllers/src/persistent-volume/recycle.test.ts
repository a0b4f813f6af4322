import { type PersistentVolume, type Pod, persistentVolumeClaim, pod } from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { claimBinder } from './claim-binder.ts';
import { NS, putClaim, putVolume, RECYCLER, volumeOf } from './fixtures.ts';
import { volumePhaseController } from './volume-phase-controller.ts';

const NAME = 'recycler-for-pv';
const controller = volumePhaseController(RECYCLER);

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(claimBinder, controller);
});

const hold = (spec: object = {}): void => {
  putVolume(sim, 'pv', { persistentVolumeReclaimPolicy: 'Recycle', ...spec });
  putClaim(sim, 'data');
  sim.settle();
};
const letGo = (): void => {
  sim.cluster.remove(persistentVolumeClaim as never, NS, 'data');
  sim.settle();
};
const volume = (): PersistentVolume => volumeOf(sim, 'pv') as PersistentVolume;
const phase = () => volume().status?.phase;
const recycler = () => sim.cluster.truth().get(pod, 'default', NAME) as Pod | undefined;
const report = (status: Pod['status']): void => {
  const target = { kind: pod, namespace: 'default', name: NAME, subresource: 'status' } as const;
  sim.cluster.apply({ verb: 'patch', ...target, type: 'merge', patch: { status } });
  sim.settle();
};
const eventsOf = (reason: string) => sim.events.filter((event) => event.startsWith(`${reason} `));

describe('a volume that is to be recycled', () => {
  it('is emptied by a pod once its claim has gone, and is free again after that', () => {
    hold();
    expect(recycler()).toBeUndefined();
    letGo();
    expect(phase()).toBe('Released');
    expect(recycler()).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'PersistentVolume', name: 'pv', uid: volume().metadata.uid }] },
      spec: {
        ...{ activeDeadlineSeconds: 60, restartPolicy: 'Never', automountServiceAccountToken: false },
        volumes: [{ name: 'vol', hostPath: { path: '/volumes/pv' } }],
        containers: [
          {
            ...{ name: 'pv-recycler', image: RECYCLER.image, command: ['/bin/sh'] },
            args: ['-c', 'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1'],
            volumeMounts: [{ name: 'vol', mountPath: '/scrub' }],
          },
        ],
      },
    });
    report({ phase: 'Running' });
    expect(phase()).toBe('Released');
    report({ phase: 'Succeeded' });
    expect(phase()).toBe('Available');
    expect(volume().spec.claimRef).toBeUndefined();
    expect(recycler()).toBeUndefined();
    expect(eventsOf('VolumeRecycled')).toEqual(['VolumeRecycled Volume recycled']);
  });

  it.each<[string, object, object, number]>([
    ['a small directory', { hostPath: { path: '/d' } }, { hostPath: { path: '/d', type: '' } }, 60],
    ['a large one', { hostPath: { path: '/d' }, capacity: { storage: '10Gi' } }, { hostPath: { path: '/d' } }, 300],
    ['a share', { hostPath: undefined, nfs: { server: 's', path: '/p' } }, { nfs: { server: 's', path: '/p' } }, 300],
    [
      'a large share',
      { hostPath: undefined, nfs: { server: 's', path: '/p' }, capacity: { storage: '20Gi' } },
      { nfs: { server: 's', path: '/p' } },
      600,
    ],
  ])('gives %s the time that it needs', (_, spec, source, activeDeadlineSeconds) => {
    hold(spec);
    letGo();
    expect(recycler()!.spec).toMatchObject({ activeDeadlineSeconds, volumes: [source] });
  });

  it('says when its pod is refused', () => {
    hold();
    letGo();
    sim.cluster.remove(pod, 'default', NAME);
    const { steps, events } = controller.reconcile({ namespace: '', name: 'pv' }, sim.cluster.view());
    expect(events).toEqual([
      {
        ...{ about: volume(), type: 'Warning', reason: 'VolumeFailedRecycle' },
        ...{ message: 'Recycle failed: unexpected error creating recycler pod', onRefusalOf: steps[0]![0] },
      },
    ]);
  });

  it('is emptied where it is', () => {
    const required = {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n7'] }] }],
    };
    hold({ nodeAffinity: { required } });
    letGo();
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: required };
    expect(recycler()!.spec.affinity).toEqual({ nodeAffinity });
  });

  it('has failed for good when nobody can empty it', () => {
    hold({ hostPath: undefined, local: { path: '/disk' } });
    letGo();
    const message = 'No recycler plugin found for the volume!';
    expect(volume().status).toMatchObject({ phase: 'Failed', message });
    expect(eventsOf('VolumeFailedRecycle')).toEqual([`VolumeFailedRecycle ${message}`]);
    expect(recycler()).toBeUndefined();
    expect(controller.reconcile({ namespace: '', name: 'pv' }, sim.cluster.view())).toEqual({ steps: [] });
  });

  it.each([
    ['says why', 'DeadlineExceeded', 'DeadlineExceeded'],
    ['says nothing', undefined, 'pod failed, pod.Status.Message unknown'],
  ])('has failed for a while when the pod has, which %s', (_, message, why) => {
    hold();
    letGo();
    report({ phase: 'Failed', message });
    const problem = `Recycle failed: failed to recycle volume: ${why}`;
    expect(volume().status).toMatchObject({ phase: 'Failed', message: problem });
    expect(eventsOf('VolumeFailedRecycle')).toEqual([`VolumeFailedRecycle ${problem}`]);
    expect(recycler()).toBeUndefined();
    const plan = controller.reconcile({ namespace: '', name: 'pv' }, sim.cluster.view());
    expect(plan).toEqual({ steps: [], lookAgainMs: 15_000 });
    sim.advance(15_000);
    sim.settle();
    expect(volume().status).toMatchObject({ phase: 'Released' });
    expect(volume().status).not.toHaveProperty('message');
    report({ phase: 'Succeeded' });
    expect(phase()).toBe('Available');
  });

  it('waits for pods that still use it, unless there is another claim of that name', () => {
    hold();
    const user: Pod = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NS, name: 'user' } },
      spec: { containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
    };
    sim.cluster.put(pod, user);
    letGo();
    expect(recycler()).toBeUndefined();
    expect(sim.events).toContain(`VolumeFailedRecycle Volume is used by pods: ${NS}/user`);
    const plan = controller.reconcile({ namespace: '', name: 'pv' }, sim.cluster.view());
    expect(plan.lookAgainMs).toBe(15_000);
    sim.cluster.put(pod, { ...user, status: { phase: 'Succeeded' } });
    sim.settle();
    expect(recycler()).toBeDefined();
    sim.cluster.remove(pod, 'default', NAME);
    sim.cluster.put(pod, { ...user, status: { phase: 'Running' } });
    putVolume(sim, 'other');
    putClaim(sim, 'data', { volumeName: 'other' });
    sim.settle();
    expect(recycler()).toBeDefined();
  });

  const forged = (change: (spec: Pod['spec']) => void) => (): void => {
    const { metadata, spec } = structuredClone(recycler()!);
    sim.cluster.remove(pod, 'default', NAME);
    change(spec);
    const { namespace, name } = metadata;
    sim.cluster.put(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec, status: { phase: 'Succeeded' } },
    } as Pod);
  };

  it.each<[string, () => void]>([
    ['does nothing', forged(({ containers }) => Object.assign(containers[0]!, { args: ['-c', 'true'] }))],
    ['has other programs', forged(({ containers }) => Object.assign(containers[0]!, { image: 'mine' }))],
    ['finds other programs', forged(({ containers }) => Object.assign(containers[0]!, { env: [{ name: 'PATH' }] }))],
    ['empties another directory', forged((spec) => Object.assign(spec.volumes![0]!, { hostPath: { path: '/x' } }))],
    ['does more', forged(({ containers }) => containers.push({ name: 'more' }))],
  ])('does not trust a pod of the name that %s', (_, forge) => {
    hold();
    letGo();
    forge();
    sim.settle();
    expect(eventsOf('VolumeRecycled')).toEqual([]);
    expect(phase()).toBe('Released');
    expect(recycler()!.spec.containers).toMatchObject([{ image: RECYCLER.image, command: ['/bin/sh'] }]);
    expect(recycler()!.status?.phase).toBeUndefined();
  });

  it('does not trust a pod that ended before the volume was let go', () => {
    hold();
    letGo();
    const early = structuredClone(recycler()!);
    report({ phase: 'Succeeded' });
    sim.cluster.put(pod, { ...early, metadata: { namespace: 'default', name: NAME }, status: { phase: 'Succeeded' } });
    hold({ claimRef: undefined });
    expect(phase()).toBe('Bound');
    const before = eventsOf('VolumeRecycled').length;
    letGo();
    expect(eventsOf('VolumeRecycled')).toHaveLength(before);
    expect(recycler()!.status?.phase).toBeUndefined();
  });

  it.each<[string, Pod['status'], string]>([
    [
      'no node takes the pod',
      { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }] },
      '0/1 nodes are available',
    ],
    [
      'the image can not be pulled',
      {
        containerStatuses: [
          {
            ...{ name: 'pv-recycler', image: '', imageID: '', ready: false, restartCount: 0 },
            state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } },
          },
        ],
      },
      'no such image',
    ],
  ])('tells when %s', (_, status, message) => {
    hold();
    letGo();
    report({ phase: 'Pending', ...status });
    expect(eventsOf('RecyclerPod')).toContain(`RecyclerPod Recycler pod: ${message}`);
    expect(phase()).toBe('Released');
  });

  it('is looked at when its pod changes, and no other pod wakes anybody', () => {
    hold();
    letGo();
    const [, rule] = controller.watches;
    const view = sim.cluster.view();
    const entry = view.entry({ group: '', resource: 'pods', namespace: 'default', name: NAME })!;
    expect(rule!.keys(recycler()!, null, view)).toEqual([{ namespace: '', name: 'pv' }]);
    const concerns = (namespace: string, name: string) =>
      rule!.concerns!(
        { type: 'modified', entry: { ...entry, key: { ...entry.key, namespace, name } }, previous: null },
        view,
      );
    expect([concerns('default', NAME), concerns(NS, NAME), concerns('default', 'web')]).toEqual([true, false, false]);
  });
});
