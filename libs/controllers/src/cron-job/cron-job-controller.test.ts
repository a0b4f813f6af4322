import { type CronJob, cronJob, type Job, job } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { cronJobController } from './cron-job-controller.ts';

const controller = cronJobController('UTC');
const template: Job['spec']['template'] = {
  spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'i' }] },
};
/** Of the start of 2026, in minutes since 1970. */
const START_MINUTE = 29_453_760;

class CronSimulation extends Simulation {
  constructor() {
    super(controller);
  }

  ask(spec: Partial<CronJob['spec']>): void {
    const full = {
      schedule: '*/10 * * * *',
      concurrencyPolicy: 'Allow' as const,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels: { app: 'sums' }, annotations: { a: 'b' } }, spec: { template } },
      ...spec,
    };
    const present = this.cluster.truth().get(cronJob, 'd', 'sums');
    const object = {
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { namespace: 'd', name: 'sums' } },
      ...present,
      spec: full,
    };
    if (!present) this.cluster.put(cronJob, object as CronJob);
    else this.cluster.apply({ verb: 'update', kind: cronJob, namespace: 'd', name: 'sums', object });
  }

  get status() {
    return this.cluster.truth().get(cronJob, 'd', 'sums')!.status ?? {};
  }

  jobs(): readonly string[] {
    return this.cluster
      .truth()
      .list(job)
      .map(({ metadata }) => metadata.name ?? '')
      .sort();
  }

  active(): string[] {
    return (this.status.active ?? []).map(({ name }) => name ?? '');
  }

  /** The Job controller says how a Job ended. */
  finish(name: string, type: 'Complete' | 'Failed' = 'Complete'): void {
    const now = `${new Date(this.cluster.nowMs).toISOString().slice(0, 19)}Z`;
    const status = {
      startTime: now,
      ...(type === 'Complete' && { completionTime: now }),
      conditions: [{ type, status: 'True', lastTransitionTime: now }],
    };
    const patch = { status };
    this.cluster.apply({
      ...{ verb: 'patch', kind: job, namespace: 'd', name, subresource: 'status', type: 'merge', patch },
    });
  }

  minutes(count: number): void {
    this.advance(count * 60_000);
    this.settle();
  }

  plan() {
    return controller.reconcile({ namespace: 'd', name: 'sums' }, this.cluster.view());
  }
}

const at = (minute: number): string => `sums-${START_MINUTE + minute}`;
let sim: CronSimulation;
beforeEach(() => {
  sim = new CronSimulation();
});

describe('a CronJob', () => {
  it('starts a Job of its template at each time, under a name of that time', () => {
    sim.ask({});
    sim.settle();
    expect(sim.jobs()).toEqual([]);
    expect(sim.plan()).toMatchObject({ steps: [], lookAgainMs: 600_100 });
    sim.minutes(10);
    expect(sim.jobs()).toEqual([at(10)]);
    const [started] = sim.cluster.truth().list(job);
    expect(started).toMatchObject({
      metadata: {
        labels: { app: 'sums' },
        annotations: { a: 'b', 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:10:00Z' },
        ownerReferences: [{ kind: 'CronJob', name: 'sums', controller: true, blockOwnerDeletion: true }],
      },
      spec: { template },
    });
    expect(sim.status).toMatchObject({
      active: [{ kind: 'Job', apiVersion: 'batch/v1', namespace: 'd', name: at(10), uid: started!.metadata.uid }],
      lastScheduleTime: '2026-01-01T00:10:00Z',
    });
    expect(sim.events).toEqual([`SuccessfulCreate Created job ${at(10)}`]);
    sim.minutes(5);
    expect(sim.jobs()).toHaveLength(1);
    sim.minutes(5);
    expect(sim.jobs()).toEqual([at(10), at(20)]);
    expect(sim.active()).toEqual([at(10), at(20)]);
  });

  it('tells when Jobs finished or went missing, and when one last succeeded', () => {
    sim.ask({});
    sim.minutes(10);
    sim.finish(at(10));
    sim.settle();
    expect(sim.status).toEqual({
      lastScheduleTime: '2026-01-01T00:10:00Z',
      lastSuccessfulTime: '2026-01-01T00:10:00Z',
    });
    sim.minutes(10);
    sim.cluster.remove(job, 'd', at(20));
    sim.settle();
    expect(sim.events.slice(1)).toEqual([
      `SawCompletedJob Saw completed job: ${at(10)}, condition: Complete`,
      `SuccessfulCreate Created job ${at(20)}`,
      `MissingJob Active job went missing: ${at(20)}`,
    ]);
    expect(sim.jobs()).toEqual([at(10)]);
  });

  it('reads its schedule by the clock of its time zone, and says so to its Jobs', () => {
    sim.ask({ schedule: '30 9 * * *', timeZone: 'Asia/Tokyo' });
    sim.minutes(30);
    expect(sim.cluster.truth().list(job)[0]!.metadata.annotations).toMatchObject({
      'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T09:30:00+09:00',
    });
  });

  it('skips a time while a Job runs, if it may have one only, and makes up for it', () => {
    sim.ask({ concurrencyPolicy: 'Forbid' });
    sim.minutes(10);
    sim.minutes(10);
    expect(sim.jobs()).toEqual([at(10)]);
    expect(sim.events).toContain(
      'JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid',
    );
    sim.advance(120_000);
    sim.finish(at(10));
    sim.settle();
    expect(sim.jobs()).toEqual([at(10), at(20)]);
    expect(sim.active()).toEqual([at(20)]);
  });

  it('ends the Job that runs, if the next is to replace it', () => {
    sim.ask({ concurrencyPolicy: 'Replace' });
    sim.minutes(10);
    sim.minutes(10);
    expect(sim.jobs()).toEqual([at(20)]);
    expect(sim.active()).toEqual([at(20)]);
    expect(sim.events.slice(1)).toEqual([
      `SuccessfulDelete Deleted job ${at(10)}`,
      `SuccessfulCreate Created job ${at(20)}`,
    ]);
  });

  it('starts the last of the times that it missed, unless that is too long ago', () => {
    sim.ask({});
    sim.minutes(35);
    expect(sim.jobs()).toEqual([at(30)]);
    sim = new CronSimulation();
    sim.ask({ startingDeadlineSeconds: 240 });
    sim.minutes(35);
    expect(sim.jobs()).toEqual([]);
    expect(sim.plan().lookAgainMs).toBe(300_100);
    sim.minutes(8);
    expect(sim.jobs()).toEqual([at(40)]);
  });

  it('says so when it missed more than it should have', () => {
    sim.ask({ schedule: '* * * * *' });
    sim.minutes(99);
    expect(sim.events.filter((event) => event.startsWith('TooMany'))).toEqual([]);
    sim = new CronSimulation();
    sim.ask({ schedule: '* * * * *' });
    sim.minutes(101);
    expect(sim.jobs()).toEqual([at(101)]);
    expect(sim.events).toContain(
      'TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    );
  });

  it('starts nothing while it is suspended, and the last missed time afterwards', () => {
    sim.ask({ suspend: true });
    sim.minutes(25);
    expect(sim.jobs()).toEqual([]);
    expect(sim.plan().lookAgainMs).toBeUndefined();
    sim.ask({ suspend: false });
    sim.settle();
    expect(sim.jobs()).toEqual([at(20)]);
  });

  it('keeps as many finished Jobs as it shall, the newest', () => {
    sim.ask({ schedule: '* * * * *', successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0 });
    for (let minute = 1; minute <= 5; minute++) {
      sim.minutes(1);
      sim.finish(at(minute), minute === 4 ? 'Failed' : 'Complete');
    }
    sim.settle();
    expect(sim.jobs()).toEqual([at(3), at(5)]);
    expect(sim.events).toContain(`SuccessfulDelete Deleted job ${at(4)}`);
  });

  it('tells of Jobs that are not its own doing', () => {
    sim.ask({});
    sim.minutes(10);
    const [own] = sim.cluster.truth().list(job);
    const { ownerReferences } = own!.metadata;
    sim.cluster.put(job, {
      ...(own as Job),
      metadata: { namespace: 'd', name: 'manual', uid: 'manual', ownerReferences: [...ownerReferences!] as never },
    });
    sim.settle();
    expect(sim.events).toContain('UnexpectedJob Saw a job that the controller did not create or forgot: manual');
    expect(sim.active()).toEqual([at(10)]);
  });

  it('writes down what it had started before it died, and starts it no second time', () => {
    sim.ask({});
    sim.advance(600_000);
    const [create] = sim.plan().steps;
    sim.cluster.apply(create![0]!);
    sim.settle();
    expect(sim.jobs()).toEqual([at(10)]);
    expect(sim.active()).toEqual([at(10)]);
    expect(sim.status.lastScheduleTime).toBe('2026-01-01T00:10:00Z');
    expect(sim.events).toEqual([]);
  });

  it('leaves a Job of somebody else alone, and waits for its next time', () => {
    sim.ask({});
    sim.cluster.put(job, {
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'd', name: at(10) } },
      spec: { template },
    });
    sim.minutes(10);
    expect(sim.status).toEqual({});
    expect(sim.plan()).toMatchObject({ steps: [], lookAgainMs: 600_100 });
  });

  it('with a schedule that nobody understands does nothing but say so', () => {
    sim.ask({ schedule: '* * *' });
    sim.minutes(10);
    expect(sim.events).toContain(
      'UnparseableSchedule unparseable schedule: "* * *" : expected exactly 5 fields, found 3: [* * *]',
    );
    sim.ask({ timeZone: 'Europe/Atlantis' });
    sim.minutes(10);
    expect(sim.events.at(-1)).toBe(
      'UnknownTimeZone invalid timeZone: "Europe/Atlantis": unknown time zone Europe/Atlantis',
    );
    expect(sim.jobs()).toEqual([]);
  });

  it('starts one Job for each time at most, whatever dies and however late caches are', () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const), commands: fc.constantFrom(1, 2, 9) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const) }) },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('see' as const), revisions: fc.integer({ min: 1, max: 4 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 150 }) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), at: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), at: fc.nat(3) }) },
    );
    const policy = fc.constantFrom('Allow' as const, 'Forbid' as const, 'Replace' as const);
    fc.assert(
      fc.property(policy, fc.nat(2), fc.array(action, { maxLength: 60 }), (concurrencyPolicy, history, actions) => {
        sim = new CronSimulation();
        sim.ask({
          ...{ schedule: '* * * * *', concurrencyPolicy },
          ...{ successfulJobsHistoryLimit: history, failedJobsHistoryLimit: history },
        });
        sim.cluster.lagging = true;
        const started = new Set<string>();
        let inFlight: ReturnType<CronSimulation['plan']>['steps'][number] = [];
        const send = (command: (typeof inFlight)[number]): boolean => {
          try {
            sim.cluster.apply(command);
          } catch (error) {
            if (!(error instanceof StatusError)) throw error;
            return false;
          }
          if (command.verb !== 'create') return true;
          expect(started).not.toContain(command.name);
          started.add(command.name);
          return true;
        };
        for (const each of actions) {
          const jobs = sim.cluster.truth().list(job);
          const unfinished = jobs.filter(({ status }) => !status?.conditions?.length);
          if (each.do === 'wait') sim.advance(each.seconds * 1000);
          else if (each.do === 'see') sim.cluster.deliver(each.revisions);
          else if (each.do === 'finish' && unfinished[each.at]) sim.finish(unfinished[each.at]!.metadata.name!);
          else if (each.do === 'delete') {
            // A user takes what the status tells of.
            const name = sim.active()[each.at];
            if (name) sim.cluster.remove(job, 'd', name);
          } else if (each.do === 'late') {
            for (const command of inFlight) send(command);
            inFlight = [];
          } else if (each.do === 'look') {
            let left = each.commands;
            for (const step of sim.plan().steps) {
              if (left <= 0) inFlight = step.filter(({ verb }) => verb !== 'create');
              if (left <= 0 || step.map((command) => left-- > 0 && send(command)).includes(false)) break;
            }
            sim.cluster.deliver();
          }
          const { active = [] } = sim.status;
          if (concurrencyPolicy !== 'Allow') expect(unfinishedNow()).toBeLessThanOrEqual(1);
          expect(new Set(active.map(({ uid }) => uid)).size).toBe(active.length);
        }
      }),
      { numRuns: 200 },
    );
    function unfinishedNow(): number {
      return sim.cluster
        .truth()
        .list(job)
        .filter(({ status }) => !status?.conditions?.length).length;
    }
  });
});
