import { StatusError } from '@periplus/apimachinery';
import type { Command, CommandClient } from '@periplus/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aPod } from '../pod/pod-fixtures.ts';
import { StatusSender, statusPatch } from './status-sender.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function sender() {
  const sent: Command[] = [];
  let failWith: Error | null = null;
  const commands: CommandClient = {
    underWay: 0,
    send: (command) => {
      sent.push(command);
      return failWith ? Promise.reject(failWith) : Promise.resolve({ resourceVersion: '300', revision: 1 });
    },
    close: () => Promise.resolve(),
  };
  const statuses = new StatusSender(commands, () => undefined);
  return { sent, statuses, failWith: (error: Error | null) => (failWith = error) };
}
const patches = (sent: Command[]): unknown[] =>
  sent.map((command) => (command.verb === 'patch' ? (command.patch as { status: object }).status : command.verb));

describe('StatusSender', () => {
  it('tells of a pod that comes up fast once', async () => {
    const { sent, statuses } = sender();
    statuses.set(aPod(), { phase: 'Pending', hostIP: '1.1.1.1' });
    await vi.advanceTimersByTimeAsync(100);
    statuses.set(aPod(), { phase: 'Running', hostIP: '1.1.1.1' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(patches(sent)).toEqual([{ phase: 'Running', hostIP: '1.1.1.1' }]);
    expect(sent[0]).toMatchObject({ subresource: 'status', ifUid: 'uid-1', type: 'strategic' });
  });

  it('tells of a step on the way when nothing follows', async () => {
    const { sent, statuses } = sender();
    statuses.set(aPod(), { phase: 'Pending', hostIP: '1.1.1.1' });
    await vi.advanceTimersByTimeAsync(600);
    expect(patches(sent)).toEqual([{ hostIP: '1.1.1.1' }]);
  });

  it('says nothing twice', async () => {
    const { sent, statuses } = sender();
    for (let i = 0; i < 3; i += 1) {
      statuses.set(aPod(), { phase: 'Running' });
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(sent).toHaveLength(1);
  });

  it('mends what somebody else has changed', async () => {
    const { sent, statuses } = sender();
    statuses.set(aPod(), { phase: 'Running' });
    await vi.advanceTimersByTimeAsync(0);
    statuses.set({ ...aPod({}, { resourceVersion: '299' }), status: { phase: 'Pending' } }, { phase: 'Running' });
    await vi.advanceTimersByTimeAsync(500);
    expect(sent).toHaveLength(1);
    statuses.set({ ...aPod({}, { resourceVersion: '301' }), status: { phase: 'Pending' } }, { phase: 'Running' });
    await vi.advanceTimersByTimeAsync(500);
    expect(sent).toHaveLength(2);
  });

  it('tries again with the newest, and stops when the pod is gone', async () => {
    const { sent, statuses, failWith } = sender();
    failWith(new StatusError('ServiceUnavailable', 'no'));
    statuses.set(aPod(), { phase: 'Running' });
    await vi.advanceTimersByTimeAsync(0);
    failWith(new StatusError('NotFound', 'gone'));
    statuses.set(aPod(), { phase: 'Failed' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(patches(sent)).toEqual([{ phase: 'Running' }, { phase: 'Failed' }]);
  });

  it('waits longer after each failure, however often the status changes meanwhile', async () => {
    const { sent, statuses, failWith } = sender();
    failWith(new StatusError('ServiceUnavailable', 'no'));
    for (let turn = 0; turn < 100; turn += 1) {
      statuses.set(aPod(), { phase: 'Running', hostIP: String(turn) });
      await vi.advanceTimersByTimeAsync(100);
    }
    // At once, and after 0.4, 0.8, 1.6, 3.2 seconds; the next would be due after five more.
    expect(sent).toHaveLength(5);
    failWith(null);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(patches(sent).at(-1)).toEqual({ phase: 'Running', hostIP: '99' });
  });

  it('resolves a flush when all has been told', async () => {
    const { sent, statuses } = sender();
    statuses.set(aPod(), { phase: 'Pending', hostIP: '1.1.1.1' });
    await statuses.flush('uid-1');
    expect(sent).toHaveLength(1);
    await statuses.flush('uid-1');
    await statuses.flush('unknown');
  });
});

it('a patch has what differs, and takes away what is over', () => {
  const ready = { type: 'Ready', status: 'True' as const };
  const gate = { type: 'example.com/lb', status: 'True' as const };
  expect(
    statusPatch(
      { phase: 'Running', reason: 'Evicted', hostIP: '1', conditions: [ready, gate] },
      { phase: 'Running', hostIP: '2', conditions: [{ ...ready, status: 'False' }] },
    ),
  ).toEqual({ hostIP: '2', reason: null, conditions: [{ type: 'Ready', status: 'False' }] });
  expect(
    statusPatch({ phase: 'Running', conditions: [ready, gate] }, { phase: 'Running', conditions: [ready] }),
  ).toBeUndefined();
});

it('takes the reason from a condition that has none any more', () => {
  const unready = { type: 'Ready', status: 'False' as const, reason: 'ContainersNotReady', message: 'not yet' };
  expect(statusPatch({ conditions: [unready] }, { conditions: [{ type: 'Ready', status: 'True' }] })).toEqual({
    conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
  });
});

it('has other addresses in place of those before, as a pod whose sandbox was made anew has', () => {
  const address = (ip: string): object => ({ phase: 'Running', podIP: ip, podIPs: [{ ip }] });
  expect(statusPatch(address('10.0.0.2'), address('10.0.0.3'))).toEqual({
    podIP: '10.0.0.3',
    podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.3' }],
  });
});
