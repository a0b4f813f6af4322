import { type CronJob, type CronSchedule, parseSchedule } from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import { latestTime, nextTime } from './schedule-times.ts';

export type CronJobView = DeepReadonly<CronJob>;

/** So many times that went by are told of. */
const MISSED_MAX = 100;
/** Clocks of different machines differ a little. */
const CLOCK_SKEW_MS = 100;

/** When a CronJob is due. */
export interface Timetable {
  zone: string;
  schedule: CronSchedule;
  /** The last time that has come and for which nothing was started yet. */
  dueMs: number | undefined;
  /** Many times went by. */
  missedMany: boolean;
  /** Until the next time. */
  nextInMs: number | undefined;
}

/** From when on times count: nothing is started twice, nor before the CronJob was there. */
function countsFromMs({ metadata, status }: CronJobView): number {
  return parseTime(status?.lastScheduleTime ?? '') ?? parseTime(metadata.creationTimestamp ?? '') ?? 0;
}

/** The times of a CronJob as seen now; what is wrong with its schedule when it has none. */
export function timetableOf(cron: CronJobView, zone: string, nowMs: number): Timetable | string {
  const { schedule: text, startingDeadlineSeconds } = cron.spec;
  const schedule = parseSchedule(text);
  if (typeof schedule === 'string') return schedule;
  const deadlineMs = startingDeadlineSeconds === undefined ? 0 : nowMs - startingDeadlineSeconds * 1000;
  const fromMs = Math.max(countsFromMs(cron), deadlineMs);
  const firstMs = nextTime(schedule, zone, fromMs);
  const dueMs = latestTime(schedule, zone, fromMs, nowMs);
  const nextMs = nextTime(schedule, zone, nowMs);
  return {
    ...{ zone, schedule, dueMs },
    missedMany: firstMs !== undefined && missedMany(schedule, zone, firstMs, nowMs),
    nextInMs: nextMs === undefined ? undefined : nextMs - nowMs + CLOCK_SKEW_MS,
  };
}

/** Estimated by the distance of the first two times, as Kubernetes does: how many there are nobody needs to know. */
function missedMany(schedule: CronSchedule, zone: string, firstMs: number, nowMs: number): boolean {
  const secondMs = nextTime(schedule, zone, firstMs);
  return secondMs !== undefined && (nowMs - firstMs) / (secondMs - firstMs) >= MISSED_MAX;
}
