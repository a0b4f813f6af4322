import { type Pod, pod } from '@periplus/api';
import { formatTime } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { staleDisruptionController } from './stale-disruption-controller.ts';

const REF = { namespace: 'd', name: 'p' };
const STALE_AFTER_MS = 120_000;

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(staleDisruptionController);
});

const put = (reason: string, status: Pod['status'] = {}): Pod =>
  sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...REF, generation: 3 },
    spec: { nodeName: 'n1', containers: [] },
    status: {
      phase: 'Running',
      ...status,
      conditions: [
        { type: 'Ready', status: 'True' },
        {
          ...{ type: 'DisruptionTarget', status: 'True', reason, message: 'why' },
          lastTransitionTime: formatTime(sim.cluster.nowMs),
        },
        ...(status.conditions ?? []),
      ],
    },
  });
const conditions = () => sim.cluster.truth().get(pod, 'd', 'p')!.status!.conditions!;
const look = () => sim.reconcile(staleDisruptionController, REF);

describe('a pod that was to be disrupted', () => {
  it('is said not to be, when it was not deleted for two minutes', () => {
    put('EvictionByEvictionAPI');
    const plan = staleDisruptionController.reconcile(REF, sim.cluster.view());
    expect(plan).toMatchObject({ steps: [], lookAgainMs: STALE_AFTER_MS });
    sim.advance(STALE_AFTER_MS - 1);
    expect(look()).toBe(false);
    sim.advance(1);
    expect(look()).toBe(true);
    expect(conditions()).toEqual([
      { type: 'Ready', status: 'True' },
      {
        ...{ type: 'DisruptionTarget', status: 'False', observedGeneration: 3 },
        lastTransitionTime: formatTime(sim.cluster.nowMs),
      },
    ]);
    expect(look()).toBe(false);
  });

  it.each<[string, () => unknown]>([
    ['it is on its way', () => sim.cluster.apply({ verb: 'delete', kind: pod, ...REF })],
    ['it has ended', () => put('PreemptionByScheduler', { phase: 'Failed' })],
    ['its kubelet said so', () => put('TerminationByKubelet')],
  ])('stays so when %s', (_what, becomes) => {
    put('PreemptionByScheduler');
    becomes();
    sim.advance(10 * STALE_AFTER_MS);
    expect(look()).toBe(false);
    const [rule] = staleDisruptionController.watches;
    const view = sim.cluster.view();
    expect(rule!.keys(view.get(pod, 'd', 'p')!, null, view)).toEqual([]);
  });

  it('is not said not to be, when somebody says it anew meanwhile', () => {
    put('PreemptionByScheduler');
    sim.advance(STALE_AFTER_MS);
    const stale = staleDisruptionController.reconcile(REF, sim.cluster.view());
    put('EvictionByEvictionAPI');
    sim.execute(stale);
    expect(conditions()[1]).toMatchObject({ status: 'True', reason: 'EvictionByEvictionAPI' });
  });

  it('wakes the controller, and no other pod does', () => {
    const [rule] = staleDisruptionController.watches;
    const target = put('PreemptionByScheduler');
    const view = sim.cluster.view();
    expect(rule!.keys(target, null, view)).toEqual([REF]);
    const entry = view.entry({ group: '', resource: 'pods', ...REF })!;
    expect(rule!.concerns!({ type: 'added', entry, previous: null }, view)).toBe(true);
    sim.cluster.put(pod, { ...target, status: { phase: 'Running' } });
    const without = sim.cluster.view().entry({ group: '', resource: 'pods', ...REF })!;
    expect(rule!.concerns!({ type: 'added', entry: without, previous: null }, view)).toBe(false);
  });
});
