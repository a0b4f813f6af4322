import {
  controllerRevision,
  type DaemonSet,
  daemonSet,
  type Node,
  namespace,
  node,
  pod,
  type Taint,
} from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import { REVISION_LABEL } from '../controller-revision/revision-history.ts';
import { isReady, type PodView } from '../pod-state.ts';
import { Simulation } from '../simulation.ts';
import { nodeOf } from './daemon-pod.ts';
import { daemonSetController } from './daemon-set-controller.ts';

type Spec = Partial<DaemonSet['spec']>;
type PodSpec = Partial<NonNullable<DaemonSet['spec']['template']['spec']>>;
const agent = (image: string, spec: Spec = {}, podSpec: PodSpec = {}): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { namespace: 'd', name: 'agent' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image }], ...podSpec } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    revisionHistoryLimit: 10,
    ...spec,
  },
});
const rolling = (maxUnavailable: number | string, maxSurge: number | string): Spec => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
});
const nodeNamed = (name: string, labels: Record<string, string> = {}, taints: Taint[] = []): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  spec: { taints: [...taints] },
});
const taint = (key: string, effect: Taint['effect']): Taint => ({ key, effect });

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(daemonSetController);
});
const ref = { namespace: 'd', name: 'agent' };
const present = (): DaemonSet => sim.cluster.view().get(daemonSet, 'd', 'agent') as DaemonSet;
/** Creates or updates, as a user does. */
const put = (object: DaemonSet): DaemonSet => {
  sim.cluster.apply({ verb: present() ? 'update' : 'create', kind: daemonSet, ...ref, object });
  return present();
};
const nodes = (...names: string[]) => {
  for (const name of names) sim.cluster.put(node, nodeNamed(name));
};
const look = () => sim.reconcile(daemonSetController, ref);
const plan = () => daemonSetController.reconcile(ref, sim.cluster.view());
const podsOn = (name: string): PodView[] => sim.pods().filter((candidate) => nodeOf(candidate) === name);
const placed = () =>
  sim
    .activePods()
    .map((candidate) => nodeOf(candidate))
    .sort();
const images = () =>
  sim
    .activePods()
    .map((one) => `${nodeOf(one)}:${one.spec.containers[0]?.image?.at(-1)}`)
    .sort();
const revisions = () => [...sim.cluster.view().list(controllerRevision)].sort((a, b) => a.revision - b.revision);
/** The scheduler and the nodes: pods are bound, run and end. */
const run = (): void => {
  for (const target of sim.activePods()) if (!target.spec.nodeName) sim.bind(target, nodeOf(target));
  sim.runPods();
};
const rollOut = (): void => {
  for (let i = 0; i < 15; i++) {
    sim.settle();
    run();
  }
  sim.settle();
};
const end = (target: PodView, phase: string): void => {
  sim.cluster.apply({
    ...{ verb: 'patch', kind: pod, namespace: 'd', name: target.metadata.name!, subresource: 'status' },
    ...{ type: 'merge', patch: { status: { phase, conditions: [] } } },
  });
};

describe('a DaemonSet', () => {
  it('has one pod on each node, which only that node can take', () => {
    nodes('a', 'b');
    const { metadata } = put(agent('i:1'));
    sim.settle();
    expect(placed()).toEqual(['a', 'b']);
    const [revision] = revisions();
    const hash = revision!.metadata.labels![REVISION_LABEL]!;
    expect(revision!.metadata.name).toBe(`agent-${hash}`);
    expect(podsOn('a')[0]).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^agent-[a-z0-9]{5}$/),
        generateName: 'agent-',
        labels: { app: 'agent', [REVISION_LABEL]: hash },
        ownerReferences: [{ kind: 'DaemonSet', uid: metadata.uid, controller: true }],
      },
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
            },
          },
        },
      },
    });
    expect(podsOn('a')[0]!.metadata.annotations).toBeUndefined();
    expect(sim.events[0]).toBe(`SuccessfulCreate Created pod: ${sim.pods()[0]!.metadata.name}`);
    nodes('c');
    sim.settle();
    expect(placed()).toEqual(['a', 'b', 'c']);
  });

  it('tolerates what every daemon has to live with, and what its template says', () => {
    nodes('a');
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
    put(agent('i:1', {}, { hostNetwork: true, tolerations: [{ key: 'mine', operator: 'Exists' }, own as never] }));
    sim.settle();
    const tolerations = podsOn('a')[0]!.spec.tolerations!;
    expect(tolerations.map(({ key, effect = '' }) => `${key}:${effect}`)).toEqual([
      'mine:',
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/memory-pressure:NoSchedule',
      'node.kubernetes.io/pid-pressure:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
      'node.kubernetes.io/network-unavailable:NoSchedule',
    ]);
    expect(tolerations.every(({ operator }) => operator === 'Exists')).toBe(true);
    expect(tolerations[1]!.tolerationSeconds).toBeUndefined();
  });

  const zone = (value: string): PodSpec => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }] }],
        },
      },
    },
  });
  it.each<[string, Node, PodSpec, boolean]>([
    ['a plain node', nodeNamed('n'), {}, true],
    [
      'a node with the labels of its selector',
      nodeNamed('n', { disk: 'ssd' }),
      { nodeSelector: { disk: 'ssd' } },
      true,
    ],
    ['a node without them', nodeNamed('n'), { nodeSelector: { disk: 'ssd' } }, false],
    ['a node that its affinity asks for', nodeNamed('n', { zone: 'z1' }), zone('z1'), true],
    ['another one', nodeNamed('n', { zone: 'z2' }), zone('z1'), false],
    ['the node that its template names', nodeNamed('n'), { nodeName: 'n' }, true],
    ['a node that its template does not name', nodeNamed('n'), { nodeName: 'm' }, false],
    ['a tainted node', nodeNamed('n', {}, [taint('gpu', 'NoSchedule')]), {}, false],
    ['a node that prefers others', nodeNamed('n', {}, [taint('gpu', 'PreferNoSchedule')]), {}, true],
    [
      'a taint that it tolerates',
      nodeNamed('n', {}, [taint('gpu', 'NoSchedule')]),
      { tolerations: [{ key: 'gpu', operator: 'Exists' }] },
      true,
    ],
    ['a cordoned node', nodeNamed('n', {}, [taint('node.kubernetes.io/unschedulable', 'NoSchedule')]), {}, true],
    ['a node that is not ready', nodeNamed('n', {}, [taint('node.kubernetes.io/not-ready', 'NoExecute')]), {}, true],
    [
      'a node without network',
      nodeNamed('n', {}, [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')]),
      {},
      false,
    ],
    [
      'a node without network that it needs not',
      nodeNamed('n', {}, [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')]),
      { hostNetwork: true },
      true,
    ],
  ])('looks at %s', (_what, target, podSpec, runs) => {
    sim.cluster.put(node, target);
    put(agent('i:1', {}, podSpec));
    sim.settle();
    expect(placed()).toEqual(runs ? ['n'] : []);
    expect(present().status?.desiredNumberScheduled).toBe(runs ? 1 : 0);
  });

  it('leaves a node that is for it no more; a taint that does not evict leaves its pod', () => {
    nodes('a', 'b');
    put(agent('i:1'));
    rollOut();
    sim.cluster.put(node, nodeNamed('a', {}, [taint('gpu', 'NoSchedule')]));
    sim.settle();
    expect(placed()).toEqual(['a', 'b']);
    expect(present().status).toMatchObject({ desiredNumberScheduled: 1, numberMisscheduled: 1 });
    sim.cluster.put(node, nodeNamed('a', {}, [taint('gpu', 'NoExecute')]));
    sim.settle();
    expect(placed()).toEqual(['b']);
    sim.runPods();
    sim.settle();
    expect(present().status).toMatchObject({ desiredNumberScheduled: 1, numberMisscheduled: 0 });
  });

  it('is woken only by nodes that it may stand otherwise to', () => {
    put(agent('i:1', {}, { nodeSelector: { disk: 'ssd' } }));
    const rule = daemonSetController.watches.find(({ kind }) => kind === (node as never))!;
    const keys = (now: Node | null, old: Node | null) => rule.keys(now as never, old as never, sim.cluster.view());
    const [plain, ssd] = [nodeNamed('n'), nodeNamed('n', { disk: 'ssd' })];
    expect(keys(ssd, plain)).toEqual([ref]);
    expect(keys(ssd, null)).toEqual([ref]);
    expect(keys(null, ssd)).toEqual([ref]);
    expect(keys(plain, null)).toEqual([]);
    expect(keys({ ...ssd, status: { phase: 'x' } } as never, ssd)).toEqual([]);
    expect(keys(nodeNamed('n', { disk: 'ssd', more: 'x' }), ssd)).toEqual([]);
  });

  it('takes back pods for nodes that are gone, unless the cluster ends them itself', () => {
    nodes('a', 'b');
    put(agent('i:1'));
    sim.settle();
    sim.bind(podsOn('b')[0]!, 'b');
    sim.cluster.remove(node, '', 'a');
    sim.cluster.remove(node, '', 'b');
    sim.settle();
    expect(sim.pods().map(({ spec }) => spec.nodeName)).toEqual(['b']);
    expect(present().status).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 0 });
  });

  it('waits for a pod that ends before it makes the next one on that node', () => {
    nodes('a');
    put(agent('i:1'));
    rollOut();
    const [first] = podsOn('a');
    sim.cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name: first!.metadata.name! });
    sim.settle();
    expect(sim.pods()).toHaveLength(1);
    sim.cluster.remove(pod, 'd', first!.metadata.name!);
    sim.settle();
    expect(placed()).toEqual(['a']);
  });

  it('keeps the oldest of several pods on a node, bound ones first', () => {
    nodes('a');
    put(agent('i:1'));
    rollOut();
    const [first] = podsOn('a');
    sim.advance(1_000);
    const { uid: _, resourceVersion: __, ...metadata } = structuredClone(first!.metadata);
    for (const name of ['agent-second', 'agent-third']) {
      sim.cluster.put(pod, {
        ...structuredClone(first!),
        metadata: { ...metadata, name, creationTimestamp: new Date(sim.cluster.nowMs).toISOString() },
      } as never);
    }
    sim.settle();
    expect(sim.activePods().map((one) => one.metadata.name)).toEqual([first!.metadata.name]);
  });

  it('makes no pods in a namespace that ends', () => {
    sim.cluster.put(namespace, {
      ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' } },
      spec: { finalizers: ['kubernetes'] },
    });
    sim.cluster.apply({ verb: 'delete', kind: namespace, namespace: '', name: 'd' });
    nodes('a');
    put(agent('i:1'));
    sim.settle();
    expect(placed()).toEqual([]);
  });

  it('does nothing once it is being deleted', () => {
    nodes('a');
    put(agent('i:1'));
    sim.cluster.apply({ verb: 'delete', kind: daemonSet, ...ref, propagationPolicy: 'Foreground' });
    expect(plan().steps).toEqual([]);
  });

  it('tells of creates that were refused, and frees nodes of their pods all the same', () => {
    nodes('a');
    put(agent('i:1'));
    sim.settle();
    nodes('b');
    sim.cluster.put(node, nodeNamed('a', {}, [taint('x', 'NoExecute')]));
    const { apply } = sim.cluster;
    sim.cluster.apply = (command) => {
      if (command.kind === pod && command.verb === 'create') throw new StatusError('Forbidden', 'exceeded quota');
      return apply.call(sim.cluster, command);
    };
    expect(plan().events).toContainEqual(
      expect.objectContaining({ type: 'Warning', reason: 'FailedCreate', message: 'Error creating' }),
    );
    look();
    expect(sim.pods()).toHaveLength(0);
    expect(present().status?.desiredNumberScheduled).toBe(1);
  });
});

describe('a DaemonSet whose pods fail', () => {
  it('replaces a pod that failed at once, and those after it later and later', () => {
    nodes('a');
    put(agent('i:1'));
    rollOut();
    const delays: number[] = [];
    for (let i = 0; i < 12; i++) {
      run();
      const [failed] = sim.activePods();
      end(failed!, 'Failed');
      sim.settle();
      let waitedMs = 0;
      while (podsOn('a').some(({ metadata: m }) => m.uid === failed!.metadata.uid && !m.deletionTimestamp)) {
        const nextMs = plan().lookAgainMs ?? Number.NaN;
        expect(nextMs).toBeGreaterThan(0);
        waitedMs += nextMs;
        sim.advance(nextMs);
        sim.settle();
      }
      delays.push(waitedMs / 1000);
    }
    expect(delays).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
    expect(sim.events).toContainEqual(
      expect.stringMatching(/^FailedDaemonPod Found failed daemon pod d\/agent-\w{5} on node a, will try to kill it$/),
    );
    run();
    sim.advance(3_600_000);
    end(sim.activePods()[0]!, 'Failed');
    sim.settle();
    expect(sim.activePods()[0]!.metadata.annotations).toEqual({ 'periplus.dev/daemon-failures': '1' });
  });

  it('replaces a pod that succeeded at once', () => {
    nodes('a');
    put(agent('i:1'));
    rollOut();
    const { uid, name } = podsOn('a')[0]!.metadata;
    end(podsOn('a')[0]!, 'Succeeded');
    sim.settle();
    expect(sim.activePods()[0]!.metadata.uid).not.toBe(uid);
    expect(sim.events).toContain(
      `SucceededDaemonPod Found succeeded daemon pod d/${name} on node a, will try to delete it`,
    );
  });
});

describe('a rolling update of a DaemonSet', () => {
  it('replaces as many pods at once as may be unavailable, and counts what it does', () => {
    nodes('a', 'b', 'c', 'd');
    put(agent('i:1'));
    rollOut();
    put(agent('i:2', rolling('50%', 0)));
    sim.settle();
    expect(sim.activePods()).toHaveLength(2);
    run();
    sim.settle();
    expect(present().status).toMatchObject({ updatedNumberScheduled: 2, numberAvailable: 2, numberUnavailable: 2 });
    rollOut();
    expect(images()).toEqual(['a:2', 'b:2', 'c:2', 'd:2']);
    expect(present().status).toEqual({
      currentNumberScheduled: 4,
      desiredNumberScheduled: 4,
      numberMisscheduled: 0,
      numberReady: 4,
      numberAvailable: 4,
      updatedNumberScheduled: 4,
      observedGeneration: 2,
    });
  });

  it('replaces pods that are not available beyond that', () => {
    nodes('a', 'b', 'c');
    put(agent('i:1'));
    rollOut();
    for (const name of ['a', 'b']) sim.setReady(podsOn(name)[0]!, false);
    put(agent('i:2'));
    sim.settle();
    expect(images()).toEqual(['c:1']);
  });

  it('waits until a new pod is available, which takes minReadySeconds', () => {
    nodes('a', 'b');
    put(agent('i:1', { minReadySeconds: 10 }));
    rollOut();
    sim.advance(10_000);
    put(agent('i:2', { minReadySeconds: 10 }));
    rollOut();
    expect(images().filter((image) => image.endsWith('2'))).toHaveLength(1);
    expect(plan().lookAgainMs).toBe(10_000);
    sim.advance(10_000);
    rollOut();
    expect(images()).toEqual(['a:2', 'b:2']);
  });

  it('with surge makes the new pod first, and ends the old one when the new one is available', () => {
    nodes('a', 'b', 'c');
    put(agent('i:1', rolling(0, 1)));
    rollOut();
    put(agent('i:2', rolling(0, 1)));
    sim.settle();
    expect(sim.activePods()).toHaveLength(4);
    const [fresh] = sim.activePods().filter((one) => !isReady(one));
    run();
    sim.settle();
    const left = sim.activePods().filter((one) => nodeOf(one) === nodeOf(fresh!));
    expect(left.map(({ metadata }) => metadata.uid)).toEqual([fresh!.metadata.uid]);
    rollOut();
    expect(images()).toEqual(['a:2', 'b:2', 'c:2']);
  });

  it('with surge counts the pods that serve, though the new ones are of the same second', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    nodes(...names);
    put(agent('i:1', rolling(0, '100%')));
    rollOut();
    put(agent('i:2', rolling(0, '100%')));
    sim.settle();
    for (const one of sim.activePods()) if (!one.spec.nodeName) sim.bind(one, nodeOf(one));
    sim.settle();
    expect(sim.activePods()).toHaveLength(12);
    expect(new Set(sim.pods().map(({ metadata }) => metadata.creationTimestamp)).size).toBe(1);
    expect(present().status).toMatchObject({ numberReady: 6, numberAvailable: 6 });
  });

  it('with surge replaces an old pod that is not ready at once', () => {
    nodes('a', 'b');
    put(agent('i:1', rolling(0, 1)));
    rollOut();
    sim.setReady(podsOn('a')[0]!, false);
    sim.setReady(podsOn('b')[0]!, false);
    put(agent('i:2', rolling(0, 1)));
    sim.settle();
    expect(images()).toEqual(['a:2', 'b:2']);
  });

  it('touches nothing with OnDelete, and makes what was deleted of the new template', () => {
    const onDelete: Spec = { updateStrategy: { type: 'OnDelete' } };
    nodes('a', 'b');
    put(agent('i:1', onDelete));
    rollOut();
    put(agent('i:2', onDelete));
    rollOut();
    expect(images()).toEqual(['a:1', 'b:1']);
    sim.cluster.remove(pod, 'd', podsOn('a')[0]!.metadata.name!);
    rollOut();
    expect(images()).toEqual(['a:2', 'b:1']);
  });

  it('goes back to a template that it had, under the revision that it had', () => {
    nodes('a');
    put(agent('i:1'));
    rollOut();
    put(agent('i:2'));
    rollOut();
    const [first, second] = revisions();
    put(agent('i:1'));
    rollOut();
    expect(revisions().map(({ metadata, revision }) => [metadata.name, revision])).toEqual([
      [second!.metadata.name, 2],
      [first!.metadata.name, 3],
    ]);
    expect(podsOn('a')[0]!.metadata.labels![REVISION_LABEL]).toBe(first!.metadata.labels![REVISION_LABEL]);
  });

  it('forgets the oldest templates beyond its limit', () => {
    nodes('a');
    for (const image of ['i:1', 'i:2', 'i:3', 'i:4']) {
      put(agent(image, { revisionHistoryLimit: 1 }));
      rollOut();
    }
    expect(revisions().map(({ revision }) => revision)).toEqual([3, 4]);
  });
});
