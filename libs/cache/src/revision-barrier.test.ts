import { describe, expect, it } from 'vitest';
import { NewestRevision, Waiters } from './revision-barrier.ts';

describe('Waiters', () => {
  it('lets go those whose revision is reached', async () => {
    const waiters = new Waiters();
    const done: number[] = [];
    for (const revision of [5, 3, 4]) void waiters.wait(revision).then(() => done.push(revision));
    waiters.reached(4);
    await new Promise(setImmediate);
    expect(done.sort()).toEqual([3, 4]);
    expect(waiters.size).toBe(1);
  });

  it('gives up when told to', async () => {
    const waiters = new Waiters();
    const giveUp = new AbortController();
    const waiting = waiters.wait(5, giveUp.signal);
    const other = waiters.wait(5);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(waiters.size).toBe(1);
    await expect(waiters.wait(5, giveUp.signal)).rejects.toThrow('enough');
    waiters.end(new Error('over'));
    await expect(other).rejects.toThrow('over');
    await expect(waiters.wait(5)).rejects.toThrow('over');
  });
});

describe('NewestRevision', () => {
  /** An etcd whose answers the test gives. */
  function setUp(): { newest: NewestRevision; answers: ((revision: number) => void)[]; fail: (() => void)[] } {
    const answers: ((revision: number) => void)[] = [];
    const fail: (() => void)[] = [];
    const range = () =>
      new Promise<never>((resolve, reject) => {
        const answer = (revision: number): unknown => ({ revision, kvs: [{ modRevision: revision - 1 }] });
        answers.push((revision) => resolve(answer(revision) as never));
        fail.push(() => reject(new Error('away')));
      });
    return { newest: new NewestRevision({ range }, '/p/revision'), answers, fail };
  }

  it('shares one read among all who ask while another is under way', async () => {
    const { newest, answers } = setUp();
    const first = newest.read();
    const [second, third] = [newest.read(), newest.read()];
    expect(answers.length).toBe(1);
    answers[0]!(5);
    expect(await first).toEqual({ revision: 5, logRevision: 4 });
    expect(answers.length).toBe(2);
    answers[1]!(9);
    // Not the first answer: that may be of a moment before they asked.
    expect(await Promise.all([second, third])).toMatchObject([{ revision: 9 }, { revision: 9 }]);
    void newest.read();
    expect(answers.length).toBe(3);
  });

  it('goes on after a failure', async () => {
    const { newest, answers, fail } = setUp();
    const first = newest.read();
    const second = newest.read();
    fail[0]!();
    await expect(first).rejects.toThrow('away');
    answers[1]!(7);
    expect(await second).toMatchObject({ revision: 7 });
  });
});
