import { type Job, job } from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { jobOf } from '../job/job-simulation.ts';
import { Simulation } from '../simulation.ts';
import { ttlAfterFinishedController } from './ttl-after-finished-controller.ts';

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(ttlAfterFinishedController);
});
const put = (spec: Partial<Job['spec']>, condition?: string): void => {
  const status = {
    conditions: condition
      ? [{ type: condition, status: 'True' as const, lastTransitionTime: '2026-01-01T00:00:00Z' }]
      : [],
  };
  sim.cluster.put(job, { ...jobOf(spec), status });
};
const plan = () => ttlAfterFinishedController.reconcile({ namespace: 'd', name: 'sum' }, sim.cluster.view());

describe('the controller of finished Jobs', () => {
  it.each(['Complete', 'Failed'])('deletes a Job that is %s when its time has come, with its pods', (condition) => {
    put({ ttlSecondsAfterFinished: 60 }, condition);
    expect(plan()).toEqual({ steps: [], lookAgainMs: 60_000 });
    sim.advance(60_000);
    expect(plan().steps).toEqual([[expect.objectContaining({ verb: 'delete', propagationPolicy: 'Foreground' })]]);
    sim.settle();
    expect(sim.cluster.view().get(job, 'd', 'sum')?.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect(plan().steps).toEqual([]);
  });

  it('deletes at once what has no time', () => {
    put({ ttlSecondsAfterFinished: 0 }, 'Complete');
    expect(plan().steps).toHaveLength(1);
  });

  it('leaves what has not finished, and what says nothing of time', () => {
    put({ ttlSecondsAfterFinished: 0 });
    expect(plan().steps).toEqual([]);
    put({}, 'Complete');
    expect(plan().steps).toEqual([]);
  });

  it('does not delete a Job that was just given more time', () => {
    put({ ttlSecondsAfterFinished: 0 }, 'Complete');
    const late = plan();
    put({ ttlSecondsAfterFinished: 3_600 }, 'Complete');
    sim.execute(late);
    expect(sim.cluster.view().get(job, 'd', 'sum')?.metadata.deletionTimestamp).toBeUndefined();
  });
});
