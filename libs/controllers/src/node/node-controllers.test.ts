import { type Kind, type Node, node, type Pod, pod } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import type { Change, Entry } from '@periplus/cache';
import type { Controller, PlannedEvent } from '@periplus/reconcile';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { cancelledEvictionController } from './cancelled-eviction-controller.ts';
import { endedPodController } from './ended-pod-controller.ts';
import { nodeController } from './node-controller.ts';
import { nodeRegistrationController } from './node-registration-controller.ts';
import { outOfServiceController } from './out-of-service-controller.ts';
import { podGcController, unscheduledPodController } from './pod-gc-controller.ts';
import { taintEvictionController } from './taint-eviction-controller.ts';

type Conditions = NonNullable<Node['status']>['conditions'];
type Taint = NonNullable<Node['spec']['taints']>[number];
type Toleration = NonNullable<Pod['spec']['tolerations']>[number];

const ready = (status: string) => ({
  type: 'Ready',
  status,
  reason: 'KubeletReady',
  lastTransitionTime: '2025-12-31T00:00:00Z',
});
const worker = (conditions: Conditions, spec: Node['spec'] = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  spec,
  status: { conditions },
});
let sim: Simulation;
const lifecycle = nodeController({ startupGraceMs: 60_000 });
beforeEach(() => {
  sim = new Simulation(lifecycle, taintEvictionController);
});
const present = () => sim.cluster.view().get(node, '', 'n1')!;
const taints = () => (present().spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
const putPod = (name: string, tolerations: Toleration[] = []): Pod => {
  const target = sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'd', name, generation: 2 },
    spec: { nodeName: 'n1', containers: [], tolerations },
  });
  sim.setReady(target);
  return target;
};
const isLeaving = (name: string) => sim.cluster.view().get(pod, 'd', name)?.metadata.deletionTimestamp !== undefined;

describe('the node controller', () => {
  it('marks a node whose liveness ended as unknown, taints it, and takes its pods out of service', () => {
    sim.cluster.put(node, worker([ready('True'), { type: 'MemoryPressure', status: 'False' }]));
    putPod('p');
    sim.cluster.setAlive('n1', true);
    sim.settle();
    expect(taints()).toEqual([]);
    sim.cluster.setAlive('n1', false);
    sim.settle();
    expect(present().status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    expect(present().status?.conditions?.find(({ type }) => type === 'PIDPressure')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
    });
    expect(taints()).toEqual(['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute']);
    expect(sim.cluster.view().get(pod, 'd', 'p')?.status?.conditions).toMatchObject([
      { type: 'Ready', status: 'False' },
    ]);
    expect(sim.events).toEqual(['NodeNotReady Node n1 status is now: NodeNotReady', 'NodeNotReady Node is not ready']);
  });

  it('takes the taints away when the node is heard of again, and leaves those of others', () => {
    const dedicated: Taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' };
    sim.cluster.put(node, worker([ready('True')], { taints: [dedicated] }));
    sim.settle();
    expect(taints()).toHaveLength(3);
    sim.cluster.setAlive('n1', true);
    sim.cluster.put(node, { ...present(), status: { conditions: [ready('True')] } } as Node);
    sim.settle();
    expect(present().spec.taints).toEqual([dedicated]);
  });

  it.each([
    ['a node that is not ready', [ready('False')], {}, ['not-ready:NoSchedule', 'not-ready:NoExecute']],
    [
      'memory pressure',
      [ready('True'), { type: 'MemoryPressure', status: 'True' }],
      {},
      ['memory-pressure:NoSchedule'],
    ],
    ['disk pressure', [ready('True'), { type: 'DiskPressure', status: 'True' }], {}, ['disk-pressure:NoSchedule']],
    ['process pressure', [ready('True'), { type: 'PIDPressure', status: 'True' }], {}, ['pid-pressure:NoSchedule']],
    [
      'a missing network',
      [ready('True'), { type: 'NetworkUnavailable', status: 'True' }],
      {},
      ['network-unavailable:NoSchedule'],
    ],
    ['a cordoned node', [ready('True')], { unschedulable: true }, ['unschedulable:NoSchedule']],
    ['a healthy node', [ready('True')], {}, []],
  ])('taints for %s', (_what, conditions, spec, expected) => {
    sim.cluster.put(node, worker(conditions, spec));
    sim.cluster.setAlive('n1', true);
    sim.settle();
    expect(taints()).toEqual(expected.map((taint) => `node.kubernetes.io/${taint}`));
  });

  it('gives a new node time to be heard of, and keeps the taint it registered with until it is', () => {
    const notReady: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    sim.cluster.put(node, { ...worker(undefined, { taints: [notReady] }), status: {} });
    const plan = lifecycle.reconcile({ namespace: '', name: 'n1' }, sim.cluster.view());
    expect(plan).toMatchObject({ steps: [], lookAgainMs: 60_000 });
    sim.advance(60_000);
    sim.settle();
    expect(present().status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
    });
  });
});

describe('taint-based eviction', () => {
  const noExecute: Taint = { key: 'k', value: 'v', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' };

  it.each<[string, Toleration[], number | undefined]>([
    ['no toleration', [], 0],
    ['a toleration of another taint', [{ key: 'other', operator: 'Exists' }], 0],
    ['a toleration of another effect', [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }], 0],
    ['a toleration of another value', [{ key: 'k', value: 'x' }], 0],
    ['a toleration for a time', [{ key: 'k', value: 'v', tolerationSeconds: 60 }], 60],
    [
      'two, of which the shorter counts',
      [
        { key: 'k', operator: 'Exists', tolerationSeconds: 90 },
        { key: 'k', value: 'v', tolerationSeconds: 30 },
      ],
      30,
    ],
    ['a negative time', [{ key: 'k', value: 'v', tolerationSeconds: -5 }], 0],
    ['a toleration for good', [{ key: 'k', value: 'v' }], undefined],
    ['a toleration of everything', [{ operator: 'Exists' }], undefined],
  ])('with %s', (_what, tolerations, seconds) => {
    sim.cluster.setAlive('n1', true);
    sim.cluster.put(node, worker([ready('True')], { taints: [noExecute] }));
    putPod('p', tolerations);
    sim.settle();
    if (seconds !== undefined && seconds > 0) {
      const plan = taintEvictionController.reconcile({ namespace: '', name: 'n1' }, sim.cluster.view());
      expect(plan.lookAgainMs).toBe(seconds * 1000);
      sim.advance(seconds * 1000 - 1);
      sim.settle();
      expect(isLeaving('p')).toBe(false);
      sim.advance(1);
      sim.settle();
    }
    expect(isLeaving('p')).toBe(seconds !== undefined);
  });

  it('takes pods from a dead node after five minutes, and says so', () => {
    sim.cluster.put(node, worker([ready('True')]));
    putPod('p');
    sim.settle();
    sim.advance(299_000);
    sim.settle();
    expect(isLeaving('p')).toBe(false);
    sim.advance(1_000);
    sim.settle();
    expect(isLeaving('p')).toBe(true);
    expect(sim.events.at(-1)).toBe('TaintManagerEviction Marking for deletion Pod d/p');
    expect(sim.cluster.view().get(pod, 'd', 'p')?.status?.conditions).toContainEqual({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: '2026-01-01T00:05:00Z',
      observedGeneration: 2,
    });
  });
});

/** What a controller says when its rules are told of a change of `kind`. */
const told = (controller: Controller, kind: Kind, now: KubeObject | null, old: KubeObject | null): PlannedEvent[] => {
  const view = sim.cluster.view();
  const refs = controller.watches.flatMap((rule) => (rule.kind === kind ? rule.keys(now, old, view) : []));
  return refs.flatMap((ref) => controller.reconcile(ref, view).events ?? []);
};

describe('a node that comes or goes', () => {
  const tellOf = (now: Node | null, old: Node | null) => told(nodeRegistrationController, node as Kind, now, old);

  it('is told of, by its uid', () => {
    const registered = sim.cluster.put(node, worker([ready('True')]));
    const about = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: registered.metadata.uid } };
    expect(tellOf(registered, null)).toEqual([
      { about, type: 'Normal', reason: 'RegisteredNode', message: 'Node n1 event: Registered Node n1 in Controller' },
    ]);
    expect(tellOf(registered, registered)).toEqual([]);
    sim.cluster.remove(node, '', 'n1');
    const removing = [
      { about, type: 'Normal', reason: 'RemovingNode', message: 'Node n1 event: Removing Node n1 from Controller' },
    ];
    expect(tellOf(null, registered)).toEqual(removing);
    sim.cluster.put(node, worker([ready('True')]));
    expect(tellOf(null, registered)).toEqual(removing);
  });

  it('is told of by the node controller, which looks at no other change', () => {
    expect(nodeRegistrationController.reportsAs).toBe('node-controller');
    sim.cluster.put(node, worker([]));
    const entry = sim.cluster.view().entry({ group: '', resource: 'nodes', namespace: '', name: 'n1' })!;
    const [rule] = nodeRegistrationController.watches;
    const concerns = (type: Change['type']) => rule!.concerns!({ type, entry, previous: null }, sim.cluster.view());
    expect([concerns('added'), concerns('modified'), concerns('deleted')]).toEqual([true, false, true]);
  });
});

describe('an eviction that was called off', () => {
  const forAMinute: Toleration[] = [{ key: 'k', operator: 'Exists', tolerationSeconds: 60 }];
  const taint: Taint = { key: 'k', value: 'v', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' };
  const putNode = (list: Taint[]): Node => sim.cluster.put(node, worker([ready('True')], { taints: list }));
  const cancelled = ['TaintManagerEviction Cancelling deletion of Pod d/p'];
  const ofNode = (now: Node | null, old: Node | null) =>
    told(cancelledEvictionController, node as Kind, now, old).map(({ reason, message }) => `${reason} ${message}`);
  const ofPod = (now: Pod | null, old: Pod | null) =>
    told(cancelledEvictionController, pod as Kind, now, old).map(({ reason, message }) => `${reason} ${message}`);

  it.each<[string, Taint[], string[]]>([
    ['is gone', [], cancelled],
    ['only keeps new pods away', [{ ...taint, effect: 'NoSchedule' }], cancelled],
    ['still stands', [taint], []],
    ['is joined by another that the pod does not tolerate', [taint, { key: 'x', effect: 'NoExecute' }], []],
  ])('is told of when the taint %s', (_what, after, events) => {
    const before = putNode([taint]);
    putPod('p', forAMinute);
    putPod('stays', [{ operator: 'Exists' }]);
    expect(ofNode(putNode(after), before)).toEqual(events);
  });

  it('is not told of when the pod has left by then, or the node', () => {
    const before = putNode([taint]);
    putPod('p', forAMinute);
    sim.advance(60_000);
    expect(ofNode(putNode([]), before)).toEqual([]);
    expect(ofNode(null, before)).toEqual([]);
  });

  it('is told of when the pod tolerates the taint for good, or is gone before', () => {
    putNode([taint]);
    putPod('p', forAMinute);
    const [old] = sim.pods() as Pod[];
    const tolerant = (tolerationSeconds?: number): Pod => ({
      ...old!,
      spec: { ...old!.spec, tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds }] },
    });
    expect(ofPod(sim.cluster.put(pod, tolerant(90)), old!)).toEqual([]);
    expect(ofPod(sim.cluster.put(pod, tolerant()), old!)).toEqual(cancelled);
    sim.cluster.remove(pod, 'd', 'p');
    expect(ofPod(null, old!)).toEqual(cancelled);
    sim.advance(60_000);
    expect(ofPod(null, old!)).toEqual([]);
  });

  it('is not told of when the pod has to leave again by then', () => {
    const before = putNode([taint]);
    putPod('p', forAMinute);
    const [rule] = cancelledEvictionController.watches;
    const refs = rule!.keys(putNode([]), before, sim.cluster.view());
    expect(refs).toHaveLength(1);
    putNode([taint]);
    expect(cancelledEvictionController.reconcile(refs[0]!, sim.cluster.view())).toEqual({ steps: [] });
  });

  it('is asked about only where nodes evict', () => {
    const entryOf = (resource: string, namespace: string, name: string) =>
      sim.cluster.view().entry({ group: '', resource, namespace, name })!;
    const concerns = (at: number, type: Change['type'], entry: Entry) =>
      cancelledEvictionController.watches[at]!.concerns!({ type, entry, previous: entry }, sim.cluster.view());
    putNode([{ ...taint, effect: 'NoSchedule' }]);
    putPod('p', forAMinute);
    expect(concerns(0, 'modified', entryOf('nodes', '', 'n1'))).toBe(false);
    expect(concerns(1, 'modified', entryOf('pods', 'd', 'p'))).toBe(false);
    putNode([taint]);
    expect(concerns(0, 'modified', entryOf('nodes', '', 'n1'))).toBe(true);
    expect(concerns(1, 'modified', entryOf('pods', 'd', 'p'))).toBe(true);
    expect(concerns(1, 'added', entryOf('pods', 'd', 'p'))).toBe(false);
  });
});

describe('pod garbage collection', () => {
  it('removes pods of a node that is gone, and no others', () => {
    sim.cluster.put(node, worker([ready('True')]));
    putPod('p');
    const look = () => sim.reconcile(podGcController, { namespace: '', name: 'n1' });
    expect(look()).toBe(false);
    sim.cluster.remove(node, '', 'n1');
    look();
    expect(sim.pods()).toEqual([]);
  });

  it('says of those that something holds why they ended', () => {
    const held = putPod('p');
    sim.cluster.put(pod, { ...held, metadata: { ...held.metadata, finalizers: ['example.com/held'] } });
    sim.reconcile(podGcController, { namespace: '', name: 'n1' });
    expect(sim.pods()[0]).toMatchObject({
      metadata: { deletionTimestamp: expect.any(String) },
      status: {
        phase: 'Failed',
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'DeletionByPodGC',
            message: 'PodGC: node no longer exists',
            observedGeneration: 2,
          },
        ],
      },
    });
  });

  it('fails pods that are deleted before they came to a node', () => {
    const { spec, metadata } = putPod('p');
    const { nodeName: _, ...unbound } = spec;
    const held = { ...metadata, name: 'q', uid: 'q', finalizers: ['example.com/held'] };
    sim.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata: held, spec: unbound } as Pod);
    const look = () => sim.reconcile(unscheduledPodController, { namespace: metadata.namespace!, name: 'q' });
    expect(look()).toBe(false);
    sim.cluster.apply({ verb: 'delete', kind: pod, namespace: metadata.namespace!, name: 'q' });
    const [rule] = unscheduledPodController.watches;
    const ref = { namespace: metadata.namespace, name: 'q' };
    expect(rule!.keys(sim.cluster.view().get(pod, metadata.namespace!, 'q')!, null, sim.cluster.view())).toEqual([ref]);
    look();
    expect(sim.cluster.view().get(pod, metadata.namespace!, 'q')!.status?.phase).toBe('Failed');
    expect(look()).toBe(false);
  });

  it('is woken by a node that goes and by a pod bound to none that is there', () => {
    sim.cluster.put(node, worker([]));
    const target = putPod('p');
    const [ofNode, ofPod] = podGcController.watches;
    const view = sim.cluster.view();
    expect(ofNode!.keys(null, worker([]), view)).toEqual([{ namespace: '', name: 'n1' }]);
    expect(ofPod!.keys(target, null, view)).toEqual([]);
    sim.cluster.remove(node, '', 'n1');
    expect(ofPod!.keys(target, null, sim.cluster.view())).toEqual([{ namespace: '', name: 'n1' }]);
  });

  it('removes pods that have ended when there are too many: the evicted first, then the oldest', () => {
    const put = (name: string, hour: number, status: Pod['status']): Pod => {
      const { metadata, ...rest } = putPod(name);
      const creationTimestamp = `2026-01-01T0${hour}:00:00Z`;
      return sim.cluster.put(pod, { ...rest, metadata: { ...metadata, creationTimestamp }, status } as Pod);
    };
    put('young', 3, { phase: 'Succeeded' });
    put('old', 1, { phase: 'Failed' });
    put('evicted', 4, { phase: 'Failed', reason: 'Evicted' });
    put('running', 0, { phase: 'Running' });
    const left = () =>
      sim
        .pods()
        .map(({ metadata }) => metadata.name)
        .sort();
    const look = (keptMax: number) => sim.reconcile(endedPodController(keptMax), { namespace: '', name: '' });
    expect(look(3)).toBe(false);
    look(2);
    expect(left()).toEqual(['old', 'running', 'young']);
    look(1);
    expect(left()).toEqual(['running', 'young']);
    look(0);
    expect(left()).toEqual(['running']);
  });

  it('counts pods that have ended when one more has, and at no other change', () => {
    const [rule] = endedPodController(0).watches;
    const running = putPod('p');
    const ended = { ...running, status: { phase: 'Failed' } } as Pod;
    const view = sim.cluster.view();
    expect(rule!.keys(running, null, view)).toEqual([]);
    expect(rule!.keys(ended, running, view)).toEqual([{ namespace: '', name: '' }]);
    expect(rule!.keys(ended, ended, view)).toEqual([]);
    expect(rule!.keys(null, ended, view)).toEqual([]);
  });
});

describe('a node that is out of service', () => {
  const key = 'node.kubernetes.io/out-of-service';
  const outOfService: Taint = { key, value: 'nodeshutdown', effect: 'NoExecute' };
  const look = () => sim.reconcile(outOfServiceController, { namespace: '', name: 'n1' });
  const leave = (name: string) => sim.cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name });

  it('loses the pods that are to leave it, and no others', () => {
    sim.cluster.put(node, worker([ready('Unknown')], { taints: [outOfService] }));
    putPod('stays');
    putPod('leaves');
    expect(look()).toBe(false);
    leave('leaves');
    const [rule] = outOfServiceController.watches;
    const view = sim.cluster.view();
    expect(rule!.keys(view.get(pod, 'd', 'leaves')!, null, view)).toEqual([{ namespace: '', name: 'n1' }]);
    expect(rule!.keys(view.get(pod, 'd', 'stays')!, null, view)).toEqual([]);
    look();
    expect(sim.pods().map(({ metadata }) => metadata.name)).toEqual(['stays']);
  });

  it('leaves to those who hold a pod when it goes, and asks no second time', () => {
    sim.cluster.put(node, worker([ready('Unknown')], { taints: [outOfService] }));
    const held = putPod('held');
    sim.cluster.put(pod, { ...held, metadata: { ...held.metadata, finalizers: ['example.com/held'] } });
    leave('held');
    expect(look()).toBe(true);
    expect(sim.pods()[0]).toMatchObject({ metadata: { deletionGracePeriodSeconds: 0 }, status: { phase: 'Failed' } });
    expect(outOfServiceController.reconcile({ namespace: '', name: 'n1' }, sim.cluster.view()).steps).toEqual([]);
  });

  it.each<[string, Conditions, Taint[]]>([
    ['says that it is ready', [ready('True')], [outOfService]],
    ['has no such taint', [ready('Unknown')], []],
  ])('keeps them while it %s', (_what, conditions, taints) => {
    sim.cluster.put(node, worker(conditions, { taints }));
    putPod('leaves');
    leave('leaves');
    expect(look()).toBe(false);
    expect(isLeaving('leaves')).toBe(true);
  });
});
