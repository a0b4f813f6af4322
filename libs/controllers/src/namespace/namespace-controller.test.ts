import { builtinKinds, configMap, type Namespace, namespace, type Pod, pod } from '@periplus/api';
import type { Change } from '@periplus/cache';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { namespaceController } from './namespace-controller.ts';

const controller = namespaceController(builtinKinds());
const ns = (name: string): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
});
let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(controller);
  sim.cluster.put(namespace, ns('gone'));
  sim.cluster.put(namespace, ns('kept'));
});
const putPod = (name: string): Pod =>
  sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'gone', name },
    spec: { nodeName: 'n', containers: [] },
  });
const putConfigMap = (of: string, name: string, finalizers?: string[]) =>
  sim.cluster.put(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: of, name, finalizers } });
const remove = () => sim.cluster.apply({ verb: 'delete', kind: namespace, namespace: '', name: 'gone' });
const present = () => sim.cluster.truth().get(namespace, '', 'gone');
const condition = (type: string) => present()?.status?.conditions?.find((candidate) => candidate.type === type);

describe('the namespace controller', () => {
  it('deletes pods with their grace, then everything else, then lets the namespace go', () => {
    putPod('p');
    putConfigMap('gone', 'c');
    putConfigMap('kept', 'c');
    remove();
    sim.settle();
    expect(sim.cluster.truth().get(pod, 'gone', 'p')?.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(sim.cluster.truth().get(configMap, 'gone', 'c')).toBeDefined();
    expect(present()?.status?.phase).toBe('Terminating');
    expect(condition('NamespaceContentRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: 'Some resources are remaining: configmaps. has 1 resource instances, pods. has 1 resource instances',
    });
    sim.cluster.remove(pod, 'gone', 'p');
    sim.settle();
    expect(present()).toBeUndefined();
    expect(sim.cluster.truth().get(configMap, 'gone', 'c')).toBeUndefined();
    expect(sim.cluster.truth().get(configMap, 'kept', 'c')).toBeDefined();
  });

  it('waits for finalizers and says which', () => {
    putConfigMap('gone', 'c', ['example.com/hold']);
    remove();
    sim.settle();
    expect(condition('NamespaceFinalizersRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeFinalizersRemain',
      message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    });
    sim.cluster.remove(configMap, 'gone', 'c');
    sim.settle();
    expect(present()).toBeUndefined();
  });

  it('keeps a namespace that somebody else has not finalized', () => {
    sim.cluster.put(namespace, { ...ns('gone'), spec: { finalizers: ['kubernetes', 'example.com/mine'] } });
    remove();
    sim.settle();
    expect(present()?.spec.finalizers).toEqual(['example.com/mine']);
    expect(condition('NamespaceContentRemaining')).toMatchObject({ status: 'False', reason: 'ContentRemoved' });
  });

  it('is woken by what goes from, or comes to, a namespace on its way out, and by nothing else', () => {
    putPod('p');
    remove();
    const view = sim.cluster.view();
    const rule = controller.watches.find(({ kind }) => kind === pod)!;
    const entry = view.entry({ group: '', resource: 'pods', namespace: 'gone', name: 'p' })!;
    const target = view.get(pod, 'gone', 'p')!;
    const concerns = (change: Partial<Change>): boolean | undefined =>
      rule.concerns?.({ type: 'added', entry, previous: null, ...change }, view);
    expect(rule.keys(null, target, view)).toEqual([{ namespace: '', name: 'gone' }]);
    expect(rule.keys(target, null, view)).toEqual([{ namespace: '', name: 'gone' }]);
    expect([concerns({}), concerns({ type: 'deleted' }), concerns({ type: 'modified', previous: entry })]).toEqual([
      ...[true, true, false],
    ]);
    expect(concerns({ entry: { ...entry, key: { ...entry.key, namespace: 'kept' } } })).toBe(false);
  });

  it('touches nothing of a namespace that stays', () => {
    putConfigMap('kept', 'c');
    const before = sim.cluster.truth().revision;
    sim.settle();
    expect(sim.cluster.truth().revision).toBe(before);
  });
});
