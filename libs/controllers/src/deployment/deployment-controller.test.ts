import { type Deployment, deployment, pod, replicaSet } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import { replicaSetController } from '../replica-set/replica-set-controller.ts';
import { Simulation } from '../simulation.ts';
import { deploymentController } from './deployment-controller.ts';

type Spec = Partial<Deployment['spec']>;
const web = (image: string, replicas: number, spec: Spec = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'd', name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...spec,
  },
});

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(deploymentController, replicaSetController);
});
const ref = { namespace: 'd', name: 'web' };
const present = (): Deployment => sim.cluster.view().get(deployment, 'd', 'web') as Deployment;
const condition = (type: string) => present().status?.conditions?.find((candidate) => candidate.type === type);
const sizes = () => sim.replicaSets().map(({ spec }) => spec.replicas);
const look = () => sim.reconcile(deploymentController, ref);
/** Rolls out to the end: controllers and kubelets take turns. */
const rollOut = (): void => {
  for (let i = 0; i < 30; i++) {
    sim.settle();
    sim.runPods();
  }
  sim.settle();
};

describe('the Deployment controller', () => {
  it('creates a ReplicaSet of its template with the hash in name, labels and selector', () => {
    const { metadata } = sim.cluster.put(deployment, web('i:1', 3));
    sim.settle();
    const [set] = sim.replicaSets();
    const hash = set!.metadata.labels?.['pod-template-hash'];
    expect(hash).toMatch(/^[bcdf456789]{1,10}$/);
    expect(set).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        labels: { app: 'web' },
        annotations: {
          'deployment.kubernetes.io/revision': '1',
          'deployment.kubernetes.io/desired-replicas': '3',
          'deployment.kubernetes.io/max-replicas': '4',
        },
        ownerReferences: [{ kind: 'Deployment', name: 'web', uid: metadata.uid, controller: true }],
      },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } } },
    });
    expect(present().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
    expect(sim.events[0]).toBe(`ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`);
  });

  it('shows a rollout in counts and conditions as Kubernetes words them', () => {
    sim.cluster.put(deployment, web('i:1', 3));
    look();
    const name = sim.replicaSets()[0]!.metadata.name;
    expect(condition('Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetCreated',
      message: `Created new replica set "${name}"`,
    });
    sim.settle();
    expect(condition('Available')).toMatchObject({
      status: 'False',
      reason: 'MinimumReplicasUnavailable',
      message: 'Deployment does not have minimum availability.',
    });
    sim.setReady(sim.pods()[0]!);
    sim.settle();
    expect(condition('Progressing')).toMatchObject({
      reason: 'ReplicaSetUpdated',
      message: `ReplicaSet "${name}" is progressing.`,
    });
    rollOut();
    expect(condition('Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${name}" has successfully progressed.`,
    });
    expect(condition('Available')).toMatchObject({
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    });
    expect(present().status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
    expect(present().status).not.toHaveProperty('unavailableReplicas');
  });

  it('rolls out a new template pod by pod, within surge and unavailability', () => {
    sim.cluster.put(deployment, web('i:1', 3));
    rollOut();
    sim.cluster.put(deployment, web('i:2', 3));
    for (let i = 0; i < 20; i++) {
      while (
        sim.controllers.some((controller) =>
          sim.cluster
            .view()
            .list(controller.for!)
            .some((object) => {
              const moved = sim.reconcile(controller, { namespace: 'd', name: object.metadata.name! });
              expect(sim.activePods().length).toBeLessThanOrEqual(4);
              expect(
                sim.activePods().filter(({ status }) => status?.phase === 'Running').length,
              ).toBeGreaterThanOrEqual(3);
              return moved;
            }),
        )
      );
      sim.runPods();
    }
    expect(sim.activePods().map(({ spec }) => spec.containers[0]!.image)).toEqual(['i:2', 'i:2', 'i:2']);
    expect(sizes()).toEqual([0, 3]);
    expect(present().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    const [old, now] = sim.replicaSets().map(({ metadata }) => metadata.name);
    expect(sim.events.filter((event) => event.startsWith('ScalingReplicaSet'))).toEqual([
      `ScalingReplicaSet Scaled up replica set ${old} from 0 to 3`,
      `ScalingReplicaSet Scaled up replica set ${now} from 0 to 1`,
      `ScalingReplicaSet Scaled down replica set ${old} from 3 to 2`,
      `ScalingReplicaSet Scaled up replica set ${now} from 1 to 2`,
      `ScalingReplicaSet Scaled down replica set ${old} from 2 to 1`,
      `ScalingReplicaSet Scaled up replica set ${now} from 2 to 3`,
      `ScalingReplicaSet Scaled down replica set ${old} from 1 to 0`,
    ]);
  });

  it('goes back to an earlier ReplicaSet when the template does, under a new revision', () => {
    for (const image of ['i:1', 'i:2', 'i:1']) {
      sim.cluster.put(deployment, web(image, 1));
      rollOut();
    }
    expect(sim.replicaSets()).toHaveLength(2);
    expect(sim.replicaSets()[0]!.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
    expect(sizes()).toEqual([1, 0]);
  });

  it('keeps as many old ReplicaSets as the history limit says', () => {
    for (let i = 1; i <= 5; i++) {
      sim.cluster.put(deployment, web(`i:${i}`, 1, { revisionHistoryLimit: 2 }));
      rollOut();
    }
    const revisions = sim
      .replicaSets()
      .map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision']);
    expect(revisions).toEqual(['3', '4', '5']);
  });

  it('copies annotations to the ReplicaSet, except its own and what kubectl last applied', () => {
    sim.cluster.put(deployment, {
      ...web('i:1', 1),
      metadata: {
        ...ref,
        annotations: {
          'kubernetes.io/change-cause': 'because',
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
        },
      },
    });
    sim.settle();
    expect(Object.keys(sim.replicaSets()[0]!.metadata.annotations!).sort()).toEqual([
      'deployment.kubernetes.io/desired-replicas',
      'deployment.kubernetes.io/max-replicas',
      'deployment.kubernetes.io/revision',
      'kubernetes.io/change-cause',
    ]);
  });

  it('recreates: no new pod before the last old one is gone', () => {
    const recreate: Spec = { strategy: { type: 'Recreate' } };
    sim.cluster.put(deployment, web('i:1', 2, recreate));
    rollOut();
    for (const target of sim.pods())
      sim.cluster.put(pod, { ...target, spec: { ...target.spec, nodeName: 'n' } } as never);
    sim.cluster.put(deployment, web('i:2', 2, recreate));
    sim.settle();
    expect(sim.pods().every(({ metadata }) => metadata.deletionTimestamp)).toBe(true);
    expect(sim.replicaSets()).toHaveLength(1);
    sim.cluster.remove(pod, 'd', sim.pods()[0]!.metadata.name!);
    sim.settle();
    expect(sim.replicaSets()).toHaveLength(1);
    sim.cluster.remove(pod, 'd', sim.pods()[0]!.metadata.name!);
    sim.settle();
    expect(sim.activePods().map(({ spec }) => spec.containers[0]!.image)).toEqual(['i:2', 'i:2']);
  });

  it('wakes a recreating Deployment when a pod of an old ReplicaSet is gone', () => {
    sim.cluster.put(deployment, web('i:1', 1, { strategy: { type: 'Recreate' } }));
    rollOut();
    const rule = deploymentController.watches.find(({ kind }) => kind.kind === 'Pod')!;
    const target = sim.pods()[0]!;
    expect(rule.keys(null, target, sim.cluster.view())).toEqual([ref]);
    expect(rule.keys(target, target, sim.cluster.view())).toEqual([]);
  });

  it('does not roll out while it is paused, but scales; resuming rolls out', () => {
    sim.cluster.put(deployment, web('i:1', 2));
    rollOut();
    sim.cluster.put(deployment, web('i:2', 3, { paused: true }));
    sim.settle();
    expect(sizes()).toEqual([3]);
    expect(condition('Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
      message: 'Deployment is paused',
    });
    sim.cluster.put(deployment, web('i:2', 3, { paused: false }));
    look();
    expect(sim.replicaSets()).toHaveLength(2);
    rollOut();
    expect(sizes()).toEqual([0, 3]);
    expect(condition('Progressing')).toMatchObject({ reason: 'NewReplicaSetAvailable' });
  });

  it('says so when a rollout makes no progress before its deadline, and looks again at that moment', () => {
    sim.cluster.put(deployment, web('i:1', 1, { progressDeadlineSeconds: 60 }));
    sim.settle();
    expect(deploymentController.reconcile(ref, sim.cluster.view()).lookAgainMs).toBe(60_000);
    sim.advance(60_000);
    sim.settle();
    const name = sim.replicaSets()[0]!.metadata.name;
    expect(condition('Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${name}" has timed out progressing.`,
    });
    rollOut();
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  it('scales sets in proportion in the middle of a rollout', () => {
    const slow: Spec = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } };
    sim.cluster.put(deployment, web('i:1', 10, slow));
    rollOut();
    sim.cluster.put(deployment, web('i:2', 10, slow));
    sim.settle();
    expect(sizes()).toEqual([8, 5]);
    sim.cluster.put(deployment, web('i:2', 15, slow));
    look();
    // https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
    expect(sizes()).toEqual([11, 7]);
  });

  it('takes another name when somebody else has the one of its hash', () => {
    sim.cluster.put(deployment, web('i:1', 1));
    const plan = deploymentController.reconcile(ref, sim.cluster.view());
    const { name } = plan.steps[0]![0]!;
    sim.cluster.put(replicaSet, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { namespace: 'd', name },
      spec: { replicas: 0, selector: { matchLabels: { other: 'x' } } },
    });
    sim.settle();
    expect(present().status?.collisionCount).toBe(1);
    expect(sim.replicaSets()).toHaveLength(2);
    expect(sim.activePods()).toHaveLength(1);
  });

  it('adopts a ReplicaSet of its template that nobody controls', () => {
    sim.cluster.put(deployment, web('i:1', 2));
    rollOut();
    const [set] = sim.replicaSets();
    const { ownerReferences: _, ...metadata } = set!.metadata;
    sim.cluster.remove(replicaSet, 'd', metadata.name!);
    sim.cluster.put(replicaSet, { ...set!, metadata });
    sim.settle();
    expect(sim.replicaSets()).toHaveLength(1);
    expect(sim.replicaSets()[0]!.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'web' }]);
  });

  it('says why its ReplicaSet could not be created', () => {
    sim.cluster.put(deployment, web('i:1', 1));
    const apply = sim.cluster.apply.bind(sim.cluster);
    sim.cluster.apply = (command) => {
      if (command.verb === 'create') throw new StatusError('Forbidden', 'replicasets.apps is forbidden: no');
      return apply(command);
    };
    look();
    expect(condition('Progressing')).toMatchObject({
      status: 'False',
      reason: 'ReplicaSetCreateError',
      message: expect.stringMatching(/^Failed to create new replica set "web-.*": replicasets.apps is forbidden: no$/),
    });
  });

  it('passes the failure of a ReplicaSet to get its pods on', () => {
    sim.cluster.put(deployment, web('i:1', 1));
    look();
    const [set] = sim.replicaSets();
    sim.cluster.put(replicaSet, {
      ...set!,
      status: {
        replicas: 0,
        conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'no' }],
      },
    });
    look();
    expect(condition('ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate', message: 'no' });
  });

  it('scales to zero and back', () => {
    sim.cluster.put(deployment, web('i:1', 2));
    rollOut();
    sim.cluster.put(deployment, web('i:1', 0));
    rollOut();
    expect(sim.pods()).toHaveLength(0);
    sim.cluster.put(deployment, web('i:1', 2));
    rollOut();
    expect(sim.activePods()).toHaveLength(2);
  });
});
