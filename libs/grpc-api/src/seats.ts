import type { EventEmitter } from 'node:events';
import { type Fairness, type Seat, type User, Waiting } from '@periplus/operations';
import type { Ref } from './request.ts';

/** What waits for a seat: a call, or a message of commands on a stream. */
export interface Asked {
  readonly user: User;
  readonly ref: Ref | null | undefined;
  readonly verb: string;
  /** Of a list; 0 or absent for everything. */
  readonly limit?: number;
}

/**
 * A seat by priority and fairness, which must be released; at once where there is one. Throws or rejects with
 * TooManyRequests. A caller who goes away leaves the queue.
 */
export function takeSeat(fairness: Fairness, call: EventEmitter, { user, ref, verb, limit = 0 }: Asked) {
  const { group = '', resource = '', subresource = '', namespace = '' } = ref ?? {};
  const attributes = {
    ...{ isResource: true, verb, path: '', group: group ?? '', resource: resource ?? '' },
    ...{ subresource: subresource ?? '', namespace: namespace ?? '' },
  };
  const width = verb === 'list' ? fairness.widthOfList(attributes, limit) : 1;
  const place = fairness.enter(fairness.flowOf(user, attributes), user, attributes, width);
  return place instanceof Waiting ? turnOf(place, call) : place;
}

async function turnOf(waiting: Waiting, call: EventEmitter): Promise<Seat> {
  const withdraw = (): void => waiting.withdraw();
  call.once('cancelled', withdraw);
  try {
    return await waiting.seat;
  } finally {
    call.off('cancelled', withdraw);
  }
}

/** Does `work` in a seat. */
export async function seated<T>(
  fairness: Fairness,
  call: EventEmitter,
  asked: Asked,
  work: () => Promise<T>,
): Promise<T> {
  const place = takeSeat(fairness, call, asked);
  const seat = place instanceof Promise ? await place : place;
  try {
    return await work();
  } finally {
    seat.release();
  }
}
