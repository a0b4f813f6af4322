import {
  controllerRevision,
  namespace,
  persistentVolumeClaim,
  pod,
  type StatefulSet,
  statefulSet,
} from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import { REVISION_LABEL } from '../controller-revision/revision-history.ts';
import { isReady, type PodView } from '../pod-state.ts';
import { Simulation } from '../simulation.ts';
import { statefulSetController } from './stateful-set-controller.ts';

type Spec = Partial<StatefulSet['spec']>;
const web = (image: string, replicas: number, spec: Spec = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'd', name: 'web' },
  spec: {
    replicas,
    serviceName: 'nginx',
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    revisionHistoryLimit: 10,
    ...spec,
  },
});
const parallel: Spec = { podManagementPolicy: 'Parallel' };
const rolling = (rollingUpdate: object): Spec => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
const claims = (whenDeleted: 'Retain' | 'Delete', whenScaled: 'Retain' | 'Delete'): Spec => ({
  volumeClaimTemplates: [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', labels: { tier: 'db' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ],
  persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
});

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(statefulSetController);
});
/** Creates or updates, as a user does. */
const put = (object: StatefulSet): StatefulSet => {
  const verb = present() ? 'update' : 'create';
  sim.cluster.apply({ verb, kind: statefulSet, namespace: 'd', name: 'web', object });
  return present();
};
const present = (): StatefulSet => sim.cluster.view().get(statefulSet, 'd', 'web') as StatefulSet;
const podOf = (ordinal: number): PodView => sim.cluster.view().get(pod, 'd', `web-${ordinal}`)!;
const names = () =>
  sim
    .pods()
    .map(({ metadata }) => metadata.name!)
    .sort();
const images = () =>
  [...sim.pods()]
    .sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1))
    .map(({ spec }) => spec.containers[0]!.image);
const revisions = () => [...sim.cluster.view().list(controllerRevision)].sort((a, b) => a.revision - b.revision);
const claimOf = (ordinal: number) => sim.cluster.view().get(persistentVolumeClaim, 'd', `data-web-${ordinal}`);
const ready = (...ordinals: number[]) => {
  for (const ordinal of ordinals) sim.setReady(podOf(ordinal));
};
const start = (set: StatefulSet): void => {
  put(set);
  for (let i = 0; i <= (set.spec.replicas ?? 1); i++) {
    sim.settle();
    sim.runPods();
  }
  sim.settle();
  sim.events.length = 0;
};
/** Puts pods on a node, so that a deletion takes its time. */
const bindAll = () => {
  for (const target of sim.pods()) if (!target.spec.nodeName) sim.bind(target);
};

describe('an ordered StatefulSet', () => {
  it('makes its pods one after the other, each when the one before it is ready', () => {
    put(web('i:1', 3));
    sim.settle();
    expect(names()).toEqual(['web-0']);
    ready(0);
    sim.settle();
    expect(names()).toEqual(['web-0', 'web-1']);
    ready(1);
    sim.settle();
    ready(2);
    sim.settle();
    expect(names()).toEqual(['web-0', 'web-1', 'web-2']);
    expect(sim.events).toEqual([
      'SuccessfulCreate create Pod web-0 in StatefulSet web successful',
      'SuccessfulCreate create Pod web-1 in StatefulSet web successful',
      'SuccessfulCreate create Pod web-2 in StatefulSet web successful',
    ]);
  });

  it('gives a pod its name, host name, subdomain, labels and owner', () => {
    const { metadata } = put(web('i:1', 1, { ordinals: { start: 5 } }));
    sim.settle();
    const [revision] = revisions();
    expect(podOf(5)).toMatchObject({
      metadata: {
        name: 'web-5',
        generateName: 'web-',
        labels: {
          app: 'web',
          'statefulset.kubernetes.io/pod-name': 'web-5',
          'apps.kubernetes.io/pod-index': '5',
          'controller-revision-hash': revision!.metadata.name,
        },
        ownerReferences: [{ kind: 'StatefulSet', uid: metadata.uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: { hostname: 'web-5', subdomain: 'nginx', containers: [{ name: 'c', image: 'i:1' }] },
    });
  });

  it('waits for minReadySeconds before the next pod, and looks again in time', () => {
    put(web('i:1', 2, { minReadySeconds: 30 }));
    sim.settle();
    ready(0);
    sim.settle();
    expect(names()).toEqual(['web-0']);
    const plan = statefulSetController.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view());
    expect(plan.lookAgainMs).toBe(30_000);
    expect(present().status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
    sim.advance(30_000);
    sim.settle();
    expect(names()).toEqual(['web-0', 'web-1']);
    expect(present().status?.availableReplicas).toBe(1);
  });

  it('scales down from the highest ordinal, one at a time, and only while the rest is well', () => {
    start(web('i:1', 4));
    bindAll();
    put(web('i:1', 1));
    sim.settle();
    expect(sim.activePods()).toHaveLength(3);
    expect(podOf(3).metadata.deletionTimestamp).toBeDefined();
    sim.setReady(podOf(0), false);
    sim.cluster.remove(pod, 'd', 'web-3');
    sim.settle();
    expect(sim.activePods()).toHaveLength(3);
    ready(0);
    sim.settle();
    expect(podOf(2).metadata.deletionTimestamp).toBeDefined();
    expect(podOf(1).metadata.deletionTimestamp).toBeUndefined();
    expect(sim.events.at(-1)).toBe('SuccessfulDelete delete Pod web-2 in StatefulSet web successful');
  });

  it('scales away a pod that is not well only when it is the first such one', () => {
    start(web('i:1', 3));
    bindAll();
    sim.setReady(podOf(1), false);
    put(web('i:1', 1));
    sim.settle();
    expect(sim.activePods()).toHaveLength(2);
    sim.cluster.remove(pod, 'd', 'web-2');
    sim.settle();
    expect(sim.activePods().map(({ metadata }) => metadata.name)).toEqual(['web-0']);
  });

  it('makes no second pod of an ordinal while the first ends, however long its node is silent', () => {
    start(web('i:1', 2));
    bindAll();
    const { uid } = podOf(1).metadata;
    sim.cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name: 'web-1' });
    sim.advance(3_600_000);
    sim.settle();
    expect(podOf(1).metadata.uid).toBe(uid);
    sim.cluster.remove(pod, 'd', 'web-1');
    sim.settle();
    expect(podOf(1).metadata.uid).not.toBe(uid);
  });

  it.each(['Failed', 'Succeeded'])('makes a pod anew that is %s', (phase) => {
    start(web('i:1', 2));
    const { uid } = podOf(0).metadata;
    sim.cluster.apply({
      ...{ verb: 'patch', kind: pod, namespace: 'd', name: 'web-0', subresource: 'status' },
      ...{ type: 'merge', patch: { status: { phase } } },
    } as never);
    sim.settle();
    expect(podOf(0).metadata.uid).not.toBe(uid);
    expect(podOf(0).status?.phase).toBeUndefined();
  });

  it('moves with its start ordinal, new pods first', () => {
    start(web('i:1', 2));
    put(web('i:1', 2, { ordinals: { start: 1 } }));
    sim.settle();
    expect(names()).toEqual(['web-0', 'web-1', 'web-2']);
    ready(2);
    sim.settle();
    expect(names()).toEqual(['web-1', 'web-2']);
  });

  it('tells of creates that were refused, and shows what is there', () => {
    put(web('i:1', 2));
    const { apply } = sim.cluster;
    sim.cluster.apply = (command) => {
      if (command.kind === pod && command.verb === 'create') throw new StatusError('Forbidden', 'exceeded quota');
      return apply.call(sim.cluster, command);
    };
    sim.reconcile(statefulSetController, { namespace: 'd', name: 'web' });
    const plan = statefulSetController.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view());
    expect(plan.events).toContainEqual(
      expect.objectContaining({
        type: 'Warning',
        reason: 'FailedCreate',
        message: 'create Pod web-0 in StatefulSet web failed error',
        onRefusalOf: expect.objectContaining({ name: 'web-0' }),
      }),
    );
    sim.execute(plan);
    expect(present().status).toMatchObject({ replicas: 0, observedGeneration: 1 });
  });

  it('makes no pods in a namespace that ends', () => {
    sim.cluster.put(namespace, {
      ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' } },
      spec: { finalizers: ['kubernetes'] },
    });
    sim.cluster.apply({ verb: 'delete', kind: namespace, namespace: '', name: 'd' });
    put(web('i:1', 1));
    sim.settle();
    expect(names()).toEqual([]);
  });

  it('makes no pods once it is being deleted, and shows what is left', () => {
    start(web('i:1', 1));
    sim.cluster.apply({
      verb: 'delete',
      kind: statefulSet,
      namespace: 'd',
      name: 'web',
      propagationPolicy: 'Foreground',
    });
    sim.cluster.remove(pod, 'd', 'web-0');
    sim.settle();
    expect(names()).toEqual([]);
    expect(present().status).toMatchObject({ replicas: 0, updateRevision: revisions()[0]!.metadata.name });
  });
});

describe('a parallel StatefulSet', () => {
  it('makes all pods at once, in batches that double', () => {
    put(web('i:1', 6, parallel));
    sim.reconcile(statefulSetController, { namespace: 'd', name: 'web' });
    const plan = statefulSetController.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view());
    expect(plan.steps.map((step) => step.length)).toEqual([1, 2, 3]);
    sim.settle();
    expect(names()).toHaveLength(6);
  });

  it('asks for no more than a burst at once, whatever the number of replicas', () => {
    put(web('i:1', 2 ** 31 - 1, parallel));
    sim.reconcile(statefulSetController, { namespace: 'd', name: 'web' });
    const plan = statefulSetController.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view());
    expect(plan.steps.flat()).toHaveLength(500);
  });

  it('scales down all at once, ready or not', () => {
    start(web('i:1', 4, parallel));
    sim.setReady(podOf(2), false);
    put(web('i:1', 1, parallel));
    sim.settle();
    expect(names()).toEqual(['web-0']);
  });

  it('replaces pods of an old template that are not well beyond what may be unavailable', () => {
    start(web('i:1', 4, parallel));
    bindAll();
    sim.setReady(podOf(0), false);
    sim.setReady(podOf(1), false);
    put(web('i:2', 4, { ...parallel, ...rolling({ maxUnavailable: 1 }) }));
    sim.settle();
    expect(
      sim
        .activePods()
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(['web-2', 'web-3']);
  });
});

describe('a rolling update of a StatefulSet', () => {
  const step = () => {
    sim.runPods();
    sim.settle();
  };

  it('replaces one pod after the other, the highest ordinal first', () => {
    start(web('i:1', 3));
    put(web('i:2', 3));
    sim.settle();
    expect(images()).toEqual(['i:1', 'i:1', 'i:2']);
    const [before, after] = revisions().map(({ metadata }) => metadata.name);
    expect(present().status).toMatchObject({
      currentRevision: before,
      updateRevision: after,
      currentReplicas: 2,
      updatedReplicas: 1,
    });
    step();
    expect(images()).toEqual(['i:1', 'i:2', 'i:2']);
    step();
    step();
    expect(images()).toEqual(['i:2', 'i:2', 'i:2']);
    expect(present().status).toEqual({
      observedGeneration: 2,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      currentRevision: after,
      updateRevision: after,
      collisionCount: 0,
    });
  });

  it('leaves what is below the partition, and makes it anew of the template that it had', () => {
    start(web('i:1', 3));
    put(web('i:2', 3, rolling({ partition: 2 })));
    sim.settle();
    step();
    expect(images()).toEqual(['i:1', 'i:1', 'i:2']);
    sim.cluster.remove(pod, 'd', 'web-1');
    sim.settle();
    step();
    expect(images()).toEqual(['i:1', 'i:1', 'i:2']);
    expect(podOf(1).metadata.labels?.[REVISION_LABEL]).toBe(revisions()[0]!.metadata.name);
    put(web('i:2', 3, rolling({ partition: 0 })));
    for (let i = 0; i < 4; i++) step();
    sim.settle();
    expect(images()).toEqual(['i:2', 'i:2', 'i:2']);
  });

  it('counts the partition from the start ordinal', () => {
    start(web('i:1', 3, { ordinals: { start: 10 } }));
    put(web('i:2', 3, { ordinals: { start: 10 }, ...rolling({ partition: 2 }) }));
    sim.settle();
    step();
    expect(images()).toEqual(['i:1', 'i:1', 'i:2']);
  });

  it.each([
    [2, 4, ['web-2', 'web-3']],
    ['50%', 5, ['web-3', 'web-4']],
    ['10%', 3, ['web-2']],
  ] as const)('takes %s of %i at once', (maxUnavailable, replicas, taken) => {
    start(web('i:1', replicas));
    bindAll();
    put(web('i:2', replicas, rolling({ maxUnavailable })));
    sim.settle();
    const leaving = sim.pods().filter(({ metadata }) => metadata.deletionTimestamp);
    expect(leaving.map(({ metadata }) => metadata.name).sort()).toEqual(taken);
  });

  it('touches nothing with OnDelete, and makes what was deleted of the new template', () => {
    const onDelete: Spec = { updateStrategy: { type: 'OnDelete' } };
    start(web('i:1', 3, onDelete));
    put(web('i:2', 3, onDelete));
    sim.settle();
    expect(images()).toEqual(['i:1', 'i:1', 'i:1']);
    sim.cluster.remove(pod, 'd', 'web-0');
    sim.settle();
    expect(images()).toEqual(['i:2', 'i:1', 'i:1']);
  });

  it('without parameters goes on with the pods of the old template where they are gone', () => {
    const plain: Spec = { updateStrategy: { type: 'RollingUpdate' } };
    start(web('i:1', 3, plain));
    put(web('i:2', 3, plain));
    sim.settle();
    expect(images()).toEqual(['i:1', 'i:1', 'i:2']);
    for (let i = 0; i < 3; i++) step();
    expect(images()).toEqual(['i:2', 'i:2', 'i:2']);
  });

  it('does not go on while the new pod is not ready', () => {
    start(web('i:1', 3));
    put(web('i:2', 3));
    for (let i = 0; i < 5; i++) sim.settle();
    expect(images()).toEqual(['i:1', 'i:1', 'i:2']);
    expect(sim.activePods().filter(isReady)).toHaveLength(2);
  });
});

describe('the history of a StatefulSet', () => {
  it('keeps each template once, with the patch that brings it back', () => {
    start(web('i:1', 1));
    put({
      ...web('i:2', 1),
      metadata: { namespace: 'd', name: 'web', annotations: { 'kubernetes.io/change-cause': 'two' } },
    });
    sim.settle();
    sim.runPods();
    sim.settle();
    const [first, second] = revisions();
    expect(first).toMatchObject({ revision: 1, metadata: { labels: { app: 'web' } } });
    expect(first!.metadata.name).toBe(`web-${first!.metadata.labels!['controller.kubernetes.io/hash']}`);
    expect(second).toMatchObject({
      revision: 2,
      metadata: { annotations: { 'kubernetes.io/change-cause': 'two' } },
      data: {
        spec: {
          template: {
            $patch: 'replace',
            metadata: { labels: { app: 'web' } },
            spec: { containers: [{ name: 'c', image: 'i:2' }] },
          },
        },
      },
    });
    put(web('i:1', 1));
    sim.settle();
    expect(revisions().map(({ metadata, revision }) => [metadata.name, revision])).toEqual([
      [second!.metadata.name, 2],
      [first!.metadata.name, 3],
    ]);
  });

  it('forgets the oldest templates beyond its limit, but none that a pod has', () => {
    start(web('i:1', 2, { revisionHistoryLimit: 1, ...rolling({ partition: 1 }) }));
    for (const image of ['i:2', 'i:3', 'i:4', 'i:5']) {
      put(web(image, 2, { revisionHistoryLimit: 1, ...rolling({ partition: 1 }) }));
      for (let i = 0; i < 3; i++) {
        sim.settle();
        sim.runPods();
      }
      sim.settle();
    }
    expect(images()).toEqual(['i:1', 'i:5']);
    expect(revisions().map(({ revision }) => revision)).toEqual([1, 4, 5]);
  });

  it('takes another name when the one of its template is taken', () => {
    start(web('i:1', 1));
    const [taken] = revisions();
    sim.cluster.remove(statefulSet, 'd', 'web');
    sim.cluster.remove(pod, 'd', 'web-0');
    put(web('i:1', 1));
    sim.settle();
    expect(present().status?.collisionCount).toBe(1);
    expect(revisions().filter(({ metadata }) => metadata.name !== taken!.metadata.name)).toHaveLength(1);
    expect(names()).toEqual(['web-0']);
  });

  it('knows adopted pods by the revision that it adopts too, and restarts none', () => {
    start(web('i:1', 2));
    const uids = sim.pods().map(({ metadata }) => metadata.uid);
    const orphan = { metadata: { ownerReferences: null } };
    for (const kind of [pod, controllerRevision]) {
      for (const { metadata } of sim.cluster.view().list(kind as typeof pod)) {
        sim.cluster.apply({ verb: 'patch', kind, namespace: 'd', name: metadata.name!, type: 'merge', patch: orphan });
      }
    }
    sim.cluster.remove(statefulSet, 'd', 'web');
    const { metadata } = put(web('i:1', 2));
    sim.settle();
    expect(sim.pods().map((one) => one.metadata.uid)).toEqual(uids);
    for (const one of [...sim.pods(), ...revisions()])
      expect(one.metadata.ownerReferences?.[0]?.uid).toBe(metadata.uid);
    expect(present().status).toMatchObject({ replicas: 2, updatedReplicas: 2 });
  });

  it('makes one of two revisions with the same template, and lets their pods be', () => {
    start(web('i:1', 1));
    const [kept] = revisions();
    const { uid } = podOf(0).metadata;
    sim.cluster.put(controllerRevision, {
      ...structuredClone(kept as typeof kept & object),
      metadata: { name: 'web-twin', namespace: 'd', labels: { app: 'web' } },
      revision: 7,
    } as never);
    sim.settle();
    expect(revisions().map(({ metadata }) => metadata.name)).toEqual(['web-twin']);
    expect(podOf(0).metadata).toMatchObject({ uid, labels: { [REVISION_LABEL]: 'web-twin' } });
  });

  it('leaves pods of other names alone, and gives those of its own what identifies them', () => {
    const bare = (name: string) => ({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'd', name, labels: { app: 'web' } } },
      ...{ spec: { containers: [{ name: 'c', image: 'i:1' }] } },
    });
    for (const name of ['web-00', 'web-x', 'other-0', 'web-0']) sim.cluster.put(pod, bare(name) as never);
    put(web('i:1', 1, { updateStrategy: { type: 'OnDelete' } }));
    sim.settle();
    const adopted = sim.pods().filter(({ metadata }) => metadata.ownerReferences);
    expect(adopted.map(({ metadata }) => metadata.name)).toEqual(['web-0']);
    expect(adopted[0]!.metadata.labels?.['apps.kubernetes.io/pod-index']).toBe('0');
    expect(sim.events).toContain('SuccessfulUpdate update Pod web-0 in StatefulSet web successful');
  });
});

describe('the claims of a StatefulSet', () => {
  it('are made before the pod that uses them', () => {
    put(web('i:1', 1, claims('Retain', 'Retain')));
    sim.reconcile(statefulSetController, { namespace: 'd', name: 'web' });
    const plan = statefulSetController.reconcile({ namespace: 'd', name: 'web' }, sim.cluster.view());
    expect(plan.steps.map((step) => step.map(({ name }) => name))).toEqual([['data-web-0'], ['web-0']]);
    sim.settle();
    expect(claimOf(0)).toMatchObject({
      metadata: { labels: { app: 'web', tier: 'db' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    expect(claimOf(0)!.metadata.ownerReferences).toBeUndefined();
    expect(podOf(0).spec.volumes).toEqual([{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } }]);
    expect(sim.events).toEqual([
      'SuccessfulCreate create Claim data-web-0 Pod web-0 in StatefulSet web success',
      'SuccessfulCreate create Pod web-0 in StatefulSet web successful',
    ]);
  });

  it('outlive their pods and are used by the next ones', () => {
    start(web('i:1', 2, claims('Retain', 'Retain')));
    const { uid } = claimOf(1)!.metadata;
    put(web('i:1', 1, claims('Retain', 'Retain')));
    sim.settle();
    expect(names()).toEqual(['web-0']);
    put(web('i:1', 2, claims('Retain', 'Retain')));
    sim.settle();
    expect(claimOf(1)!.metadata.uid).toBe(uid);
  });

  it.each([
    ['Retain', 'Retain', [], []],
    ['Delete', 'Retain', ['StatefulSet/web'], ['StatefulSet/web']],
    ['Retain', 'Delete', [], ['Pod/web-1']],
    ['Delete', 'Delete', ['StatefulSet/web'], ['Pod/web-1']],
  ] as const)(
    'belong, with %s when deleted and %s when scaled, to whom they go with',
    (deleted, scaled, kept, condemned) => {
      const owners = (ordinal: number) =>
        (claimOf(ordinal)!.metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`);
      start(web('i:1', 2, claims(deleted, scaled)));
      expect([owners(0), owners(1)]).toEqual([kept, kept]);
      bindAll();
      put(web('i:1', 1, claims(deleted, scaled)));
      sim.settle();
      expect(podOf(1).metadata.deletionTimestamp).toBeDefined();
      expect([owners(0), owners(1)]).toEqual([kept, condemned]);
      put(web('i:1', 2, claims('Retain', 'Retain')));
      sim.settle();
      expect([owners(0), owners(1)]).toEqual([[], []]);
    },
  );

  it('keep a pod from being made while they are about to go', () => {
    start(web('i:1', 2, claims('Retain', 'Delete')));
    bindAll();
    put(web('i:1', 1, claims('Retain', 'Delete')));
    sim.settle();
    sim.cluster.remove(pod, 'd', 'web-1');
    put(web('i:1', 2, claims('Retain', 'Delete')));
    sim.settle();
    expect(names()).toEqual(['web-0']);
    const { uid } = claimOf(1)!.metadata;
    sim.cluster.remove(persistentVolumeClaim, 'd', 'data-web-1');
    sim.settle();
    expect(names()).toEqual(['web-0', 'web-1']);
    expect(claimOf(1)!.metadata.uid).not.toBe(uid);
  });

  it('wake their set when they are gone', () => {
    start(web('i:1', 1, claims('Retain', 'Retain')));
    const rule = statefulSetController.watches.find(({ kind }) => kind === (persistentVolumeClaim as never))!;
    const claim = (name: string) => ({ metadata: { namespace: 'd', name } }) as never;
    expect(rule.keys(null, claim('data-web-0'), sim.cluster.view())).toEqual([{ namespace: 'd', name: 'web' }]);
    for (const name of ['data-web-x', 'data-web-', 'data-other-0', 'web-0']) {
      expect(rule.keys(null, claim(name), sim.cluster.view())).toEqual([]);
    }
    expect(rule.keys(claim('data-web-0'), claim('data-web-0'), sim.cluster.view())).toEqual([]);
  });

  it('that somebody else controls are left to them, which is said', () => {
    start(web('i:1', 1, claims('Retain', 'Retain')));
    const stranger = { apiVersion: 'example.com/v1', kind: 'Backup', name: 'b', uid: 'u', controller: true };
    sim.cluster.put(persistentVolumeClaim, {
      ...structuredClone(claimOf(0)),
      metadata: { namespace: 'd', name: 'data-web-0', ownerReferences: [stranger] },
    } as never);
    put(web('i:1', 1, claims('Delete', 'Retain')));
    sim.settle();
    expect(claimOf(0)!.metadata.ownerReferences).toEqual([stranger]);
  });
});
