import { StatusError } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import { EventRecorder, type RecordedEvent } from './event-recorder.ts';
import type { Command } from './types.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'd', name: 'web', uid: 'u1' } };
const event = (message: string, reason = 'Pulled'): RecordedEvent => ({ about: pod, type: 'Normal', reason, message });

let nowMs: number;
let sent: Command[];
let answer: (command: Command) => void;
let lost: Error[];
let recorder: EventRecorder;
let underWay: number;
let answered: Promise<void>;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  sent = [];
  lost = [];
  underWay = 0;
  answered = Promise.resolve();
  answer = () => undefined;
  recorder = new EventRecorder({
    component: 'kubelet',
    host: 'n1',
    nowMs: () => nowMs,
    onLost: (error) => lost.push(error),
    commands: {
      get underWay() {
        return underWay;
      },
      close: async () => undefined,
      async send(command) {
        sent.push(command);
        underWay += 1;
        await answered;
        underWay -= 1;
        answer(command);
        return { resourceVersion: '1', revision: 0 };
      },
    },
  });
});

describe('the event recorder', () => {
  it('writes one at a time while others have many commands under way, and the rest after them', async () => {
    let release = (): void => undefined;
    answered = new Promise((resolve) => {
      release = resolve;
    });
    underWay = 100;
    for (const message of ['a', 'b', 'c']) recorder.record(event(message));
    await settle();
    expect(sent.length).toBe(1);
    underWay -= 100;
    release();
    await settle();
    expect(sent.length).toBe(3);
  });

  it('creates an Event about the object, and raises its count when the same happens again', async () => {
    recorder.record(event('image is there'));
    await settle();
    nowMs += 5_000;
    recorder.record(event('image is there'));
    await settle();
    expect(sent[0]).toMatchObject({
      verb: 'create',
      namespace: 'd',
      object: {
        involvedObject: { kind: 'Pod', namespace: 'd', name: 'web', uid: 'u1', apiVersion: 'v1' },
        reason: 'Pulled',
        message: 'image is there',
        type: 'Normal',
        count: 1,
        source: { component: 'kubelet', host: 'n1' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
      },
    });
    expect(sent[1]).toMatchObject({
      verb: 'patch',
      name: sent[0]!.name,
      patch: { count: 2, lastTimestamp: '2026-01-01T00:00:05Z' },
    });
    expect(sent[0]!.name).toMatch(/^web\.[0-9a-f]+$/);
  });

  it('writes repetitions that come while a write is under way in one further write', async () => {
    for (let i = 0; i < 5; i++) recorder.record(event('again'));
    await settle();
    expect(sent.map(({ verb }) => verb)).toEqual(['create', 'patch']);
    expect(sent[1]).toMatchObject({ patch: { count: 5 } });
  });

  it('combines events that differ only in their message, from the tenth on', async () => {
    for (let i = 0; i < 14; i++) {
      recorder.record(event(`attempt ${i}`));
      await settle();
    }
    const combined = sent.filter((command) => JSON.stringify(command).includes('(combined from similar events): '));
    expect(sent.filter(({ verb }) => verb === 'create')).toHaveLength(10);
    expect(combined).toHaveLength(5);
    expect(combined.at(-1)).toMatchObject({
      verb: 'patch',
      patch: { count: 5, message: '(combined from similar events): attempt 13' },
    });
  });

  it('speaks of one object at most 25 times at once and then once in five minutes', async () => {
    for (let i = 0; i < 40; i++) recorder.record(event('x', `Reason${i}`));
    await settle();
    expect(sent).toHaveLength(25);
    nowMs += 300_000;
    for (let i = 0; i < 5; i++) recorder.record(event('x', `Later${i}`));
    await settle();
    expect(sent).toHaveLength(26);
  });

  it('creates an Event anew when the old one is gone', async () => {
    recorder.record(event('x'));
    await settle();
    answer = ({ verb }) => {
      if (verb === 'patch') throw new StatusError('NotFound', 'events "x" not found');
    };
    recorder.record(event('x'));
    await settle();
    expect(sent.map(({ verb }) => verb)).toEqual(['create', 'patch', 'create']);
    expect(sent[2]).toMatchObject({ object: { count: 2 } });
  });

  it('gives up after three tries and says so', async () => {
    answer = () => {
      throw new StatusError('Forbidden', 'no');
    };
    recorder.record(event('x'));
    await settle();
    expect(sent).toHaveLength(3);
    expect(lost).toHaveLength(1);
  });
});
