import {
  configMap,
  type Deployment,
  deployment,
  endpointSlice,
  type Kind,
  namespace,
  node,
  pod,
  replicaSet,
  service,
  serviceAccount,
} from '@periplus/api';
import { conditionOf, isConditionTrue } from '@periplus/apimachinery';
import { startProxy } from '@periplus/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type ControlPlane,
  eventually,
  PROCESSES_MS_MAX,
  ROOT_CA,
  runControllers,
  runKubelet,
  spawnControllerManager,
  startControlPlane,
} from './control-plane.ts';

let plane: ControlPlane;
let ns: string;
let serial = 0;
beforeAll(async () => {
  plane = await startControlPlane();
  await plane.addNode('n1');
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  ns = `test-${++serial}`;
  await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns }, spec: {} });
});

const web = (image: string, replicas: number, spec: Partial<Deployment['spec']> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: ns, name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    ...spec,
  },
});
const pods = () => plane.list(pod, ns);
const active = () => pods().filter(({ metadata }) => !metadata.deletionTimestamp);
const ready = () => active().filter(({ status }) => isConditionTrue(status?.conditions, 'Ready'));
const present = () => plane.get(deployment, ns, 'web')!;
const setImage = (image: string) =>
  plane.patch(deployment, ns, 'web', { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } });
const rolledOut = (image: string, replicas: number) =>
  eventually(() => {
    expect(ready().map(({ spec }) => spec.containers[0]!.image)).toEqual(Array.from({ length: replicas }, () => image));
    expect(pods()).toHaveLength(replicas);
    const { metadata, status } = present();
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    });
  });

/** Checks the bounds of a rollout at every revision of the cluster. */
const watchBounds = (replicasMax: number, readyMin: number): { stop(): { pods: number; ready: number } } => {
  const worst = { pods: 0, ready: Number.POSITIVE_INFINITY };
  const look = (): void => {
    worst.pods = Math.max(worst.pods, active().length);
    worst.ready = Math.min(worst.ready, ready().length);
  };
  look();
  const unsubscribe = plane.core.cache.subscribe(look);
  return {
    stop() {
      unsubscribe();
      expect(worst.pods).toBeLessThanOrEqual(replicasMax);
      expect(worst.ready).toBeGreaterThanOrEqual(readyMin);
      return worst;
    },
  };
};

describe('the controllers on a real control plane', () => {
  let controllers: AsyncDisposable;
  beforeAll(async () => {
    controllers = await runControllers(plane);
  });
  afterAll(() => controllers[Symbol.asyncDispose]());

  it('bring a Deployment from nothing to three ready pods, scale it, and say what they did', async () => {
    using _kubelet = runKubelet(plane);
    await plane.create(deployment, web('i:1', 3));
    await rolledOut('i:1', 3);
    await plane.patch(deployment, ns, 'web', { spec: { replicas: 5 } }, 'scale');
    await rolledOut('i:1', 5);
    await plane.patch(deployment, ns, 'web', { spec: { replicas: 1 } }, 'scale');
    await rolledOut('i:1', 1);
    const name = plane.list(replicaSet, ns)[0]!.metadata.name;
    await eventually(() =>
      expect(plane.events()).toEqual(
        expect.arrayContaining([
          `ScalingReplicaSet Scaled up replica set ${name} from 0 to 3`,
          `ScalingReplicaSet Scaled up replica set ${name} from 3 to 5`,
          `ScalingReplicaSet Scaled down replica set ${name} from 5 to 1`,
          expect.stringMatching(/^SuccessfulCreate Created pod: web-/),
          expect.stringMatching(/^SuccessfulDelete Deleted pod: web-/),
        ]),
      ),
    );
  });

  it('leave a trail of causes from the user to the pod', async () => {
    await plane.create(deployment, web('i:1', 1));
    const target = await eventually(() => {
      expect(pods()).toHaveLength(1);
      return pods()[0]!;
    });
    const causeOf = (kind: Kind, name: string) =>
      plane.core.cache.get({ group: kind.group, resource: kind.plural, namespace: ns, name })!;
    const set = plane.list(replicaSet, ns)[0]!.metadata.name!;
    const createdBy = causeOf(pod, target.metadata.name!).provenance;
    expect(createdBy).toMatchObject({
      actor: 'system:kube-controller-manager',
      verb: 'create',
      cause: { key: `apps/replicasets/${ns}/${set}`, reconciler: 'controller-manager/replicaset' },
    });
  });

  it('roll out a new template without going beyond surge or below what must be ready', async () => {
    using _kubelet = runKubelet(plane, { delayMs: () => Math.random() * 20 });
    await plane.create(deployment, web('i:1', 4));
    await rolledOut('i:1', 4);
    const bounds = watchBounds(5, 4);
    await setImage('i:2');
    await rolledOut('i:2', 4);
    bounds.stop();
    expect(present().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    expect(conditionOf(present().status?.conditions, 'Progressing')?.reason).toBe('NewReplicaSetAvailable');
  });

  it('bring back pods that are deleted, under new names', async () => {
    using _kubelet = runKubelet(plane);
    await plane.create(deployment, web('i:1', 3));
    await rolledOut('i:1', 3);
    const before = pods().map(({ metadata }) => metadata.name!);
    await Promise.all(before.map((name) => plane.admin.send({ verb: 'delete', kind: pod, namespace: ns, name }, null)));
    await rolledOut('i:1', 3);
    await eventually(() => expect(pods().filter(({ metadata }) => before.includes(metadata.name!))).toEqual([]));
  });

  it('recreate: none of the new before the last of the old is gone', async () => {
    using _kubelet = runKubelet(plane);
    await plane.create(deployment, web('i:1', 2, { strategy: { type: 'Recreate' } }));
    await rolledOut('i:1', 2);
    let mixed = false;
    const unsubscribe = plane.core.cache.subscribe(() => {
      mixed ||= new Set(pods().map(({ spec }) => spec.containers[0]!.image)).size > 1;
    });
    await setImage('i:2');
    await rolledOut('i:2', 2);
    unsubscribe();
    expect(mixed).toBe(false);
  });

  it.each(['Background', 'Foreground', 'Orphan'] as const)('delete a Deployment: %s', async (propagationPolicy) => {
    using _kubelet = runKubelet(plane);
    await plane.create(deployment, web('i:1', 2));
    await rolledOut('i:1', 2);
    let sawSetWithoutOwner = false;
    const unsubscribe = plane.core.cache.subscribe(() => {
      sawSetWithoutOwner ||= !present() && plane.list(replicaSet, ns).length > 0;
    });
    await plane.admin.send({ verb: 'delete', kind: deployment, namespace: ns, name: 'web', propagationPolicy }, null);
    await eventually(() => expect(present()).toBeUndefined());
    if (propagationPolicy === 'Orphan') {
      expect(plane.list(replicaSet, ns).map(({ metadata }) => metadata.ownerReferences)).toEqual([undefined]);
      expect(ready()).toHaveLength(2);
    } else {
      await eventually(() => expect([...plane.list(replicaSet, ns), ...pods()]).toEqual([]));
      expect(sawSetWithoutOwner).toBe(propagationPolicy === 'Background');
    }
    unsubscribe();
  });

  it('furnish a namespace, and empty it when it is deleted', async () => {
    using _kubelet = runKubelet(plane);
    await eventually(() => {
      expect(plane.get(serviceAccount, ns, 'default')).toBeDefined();
      expect(plane.get(configMap, ns, 'kube-root-ca.crt')?.data).toEqual({ 'ca.crt': ROOT_CA });
    });
    await plane.create(deployment, web('i:1', 3));
    await plane.create(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: ns, name: 'c' } });
    await rolledOut('i:1', 3);
    await plane.admin.send({ verb: 'delete', kind: namespace, namespace: '', name: ns }, null);
    await eventually(() => expect(plane.get(namespace, '', ns)).toBeUndefined());
    // An Event that was under way goes after it.
    await eventually(() => expect([...plane.core.cache.view(Date.now()).entries(undefined, ns)]).toEqual([]));
  });

  it('keep the EndpointSlice of a Service to the pods that are ready', async () => {
    using _kubelet = runKubelet(plane);
    await plane.create(service, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: ns, name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await plane.create(deployment, web('i:1', 3));
    const states = () =>
      plane
        .list(endpointSlice, ns)
        .flatMap(({ endpoints }) => (endpoints ?? []).map(({ conditions }) => conditions?.ready));
    await eventually(() => expect(states()).toEqual([true, true, true]));
    await plane.patch(deployment, ns, 'web', { spec: { replicas: 1 } }, 'scale');
    await eventually(() => expect(states()).toEqual([true]));
    await plane.admin.send({ verb: 'delete', kind: service, namespace: ns, name: 'web' }, null);
    await eventually(() => expect(plane.list(endpointSlice, ns)).toEqual([]));
  });

  it('mark a node whose lease ends, and take its pods out of service', async () => {
    using _kubelet = runKubelet(plane, { node: 'mortal' });
    const lease = await plane.addNode('mortal');
    await plane.create(deployment, web('i:1', 1));
    await rolledOut('i:1', 1);
    _kubelet[Symbol.dispose]();
    await lease.revoke();
    await eventually(() => {
      const { spec, status } = plane.get(node, '', 'mortal')!;
      expect(conditionOf(status?.conditions, 'Ready')).toMatchObject({
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
      });
      expect(spec.taints).toMatchObject([
        { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
        { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
      ]);
      expect(ready()).toEqual([]);
      expect(plane.events()).toContain('NodeNotReady Node mortal status is now: NodeNotReady');
    });
    await plane.admin.send({ verb: 'delete', kind: node, namespace: '', name: 'mortal' }, null);
    await eventually(() => {
      expect(pods().filter(({ spec }) => spec.nodeName === 'mortal')).toEqual([]);
      const told = (what: string) => expect(plane.events()).toContain(what);
      told('RegisteredNode Node mortal event: Registered Node mortal in Controller');
      told('RemovingNode Node mortal event: Removing Node mortal from Controller');
    });
  });
});

describe('controllers whose connection is cut again and again', () => {
  it('never make a pod twice, and none too many', async () => {
    const { targets } = await plane.connection('nobody');
    await using proxy = await startProxy(`https://${targets[0]}`);
    await using _controllers = await runControllers(plane, {
      target: proxy.url.replace('https://127.0.0.1', 'localhost'),
    });
    using _kubelet = runKubelet(plane);
    // Answers are cut off, so that what they say is lost while what they are about has happened.
    let cuts = 0;
    const cutting = setInterval(() => {
      if (proxy.connections > 0) cuts += 1;
      proxy.cutAfter(2_500 + Math.random() * 1_500);
    }, 30);
    await plane.create(deployment, web('i:1', 0));
    for (const replicas of [30, 5, 40]) {
      await plane.patch(deployment, ns, 'web', { spec: { replicas } }, 'scale');
      let most = 0;
      const unsubscribe = plane.core.cache.subscribe(() => {
        most = Math.max(most, active().length);
      });
      await eventually(() => expect(active()).toHaveLength(replicas));
      unsubscribe();
      expect(most).toBeLessThanOrEqual(Math.max(replicas, 30));
    }
    clearInterval(cutting);
    await rolledOut('i:1', 40);
    expect(cuts).toBeGreaterThan(3);
  });
});

describe('the controller-manager, killed again and again', () => {
  it('never makes more pods than allowed and never fewer than needed, and finishes the rollout', {
    timeout: PROCESSES_MS_MAX,
  }, async () => {
    using manager = await spawnControllerManager(plane);
    using _kubelet = runKubelet(plane, { delayMs: () => Math.random() * 50 });
    let child = manager.start();
    await plane.create(deployment, web('i:1', 10));
    await rolledOut('i:1', 10);
    const bounds = watchBounds(11, 10);
    for (let round = 2; round <= 6; round++) {
      await setImage(`i:${round}`);
      // In the middle: some pods are new, others old.
      await eventually(() => expect(pods().some(({ spec }) => spec.containers[0]!.image === `i:${round}`)).toBe(true));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      child = manager.start();
    }
    await rolledOut('i:6', 10);
    const worst = bounds.stop();
    expect(worst.pods).toBeGreaterThan(10);
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(0);
  });
});
