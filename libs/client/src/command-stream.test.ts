import type { Kind } from '@periplus/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandStream } from './command-stream.ts';
import type { CommandTransport, ResultMessage, StreamHandlers } from './command-transport.ts';
import type { CommandMessage } from './encode-command.ts';
import { isOutcomeUnknown, OutcomeUnknownError } from './outcome-unknown.ts';
import type { Command } from './types.ts';

const configMap = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps' } as Kind;
const create = (name: string, bytes = 0): Command => ({
  verb: 'create',
  kind: configMap,
  namespace: 'default',
  name,
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations: { filler: 'x'.repeat(bytes) } } },
});

/** A network of which the test is the other end. */
class Wire implements CommandTransport {
  batches: CommandMessage[][] = [];
  opened = 0;
  ended = false;
  handlers!: StreamHandlers;
  accepts = true;

  open(handlers: StreamHandlers) {
    this.opened++;
    this.handlers = handlers;
    return {
      write: (commands: CommandMessage[]) => {
        this.batches.push(commands);
        return this.accepts;
      },
      end: () => {
        this.ended = true;
      },
    };
  }
  close(): void {}

  answer(...results: ResultMessage[]): void {
    this.handlers.onResults(results);
  }
  ids(): number[][] {
    return this.batches.map((batch) => batch.map(({ id }) => id!));
  }
}

const turn = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);
let wire: Wire;
let stream: CommandStream;

beforeEach(() => {
  vi.useFakeTimers();
  wire = new Wire();
  stream = new CommandStream(wire);
});
afterEach(() => vi.useRealTimers());

describe('a command stream', () => {
  it('puts what is asked for in one turn of the event loop into one message, 128 at most', async () => {
    wire.handlers.onOpen();
    for (let i = 0; i < 130; i++) void stream.send(create(`c${i}`), null);
    await turn();
    expect(wire.batches.map((batch) => batch.length)).toEqual([128, 2]);
  });

  it('keeps a message below 1 MiB, except for a single command that is larger', async () => {
    wire.handlers.onOpen();
    for (const bytes of [600_000, 600_000, 2_000_000, 10]) void stream.send(create('c', bytes), null);
    await turn();
    expect(wire.ids()).toEqual([[1], [2], [3], [4]]);
  });

  it('answers each command with the revision of its own result, in whatever order they come', async () => {
    wire.handlers.onOpen();
    const first = stream.send(create('a'), { key: 'core/pods/d/p', resourceVersion: '7', reconciler: 'r' });
    const second = stream.send(create('b'), null);
    await turn();
    expect(wire.batches[0]![0]!.cause).toEqual({ key: 'core/pods/d/p', resourceVersion: '7', reconciler: 'r' });
    wire.answer({ id: 2, resourceVersion: '8193' }, { id: 1, resourceVersion: '' });
    expect(await second).toEqual({ resourceVersion: '8193', revision: 2 });
    expect(await first).toEqual({ resourceVersion: '', revision: 0 });
  });

  it('rejects with the Status that the api-server sent', async () => {
    wire.handlers.onOpen();
    const sent = stream.send(create('a'), null);
    await turn();
    const status = { kind: 'Status', reason: 'AlreadyExists', message: 'configmaps "a" already exists' };
    wire.answer({ id: 1, status: Buffer.from(JSON.stringify(status)) });
    await expect(sent).rejects.toMatchObject({ reason: 'AlreadyExists', message: status.message });
  });

  it('writes no more while the stream is full, and everything that gathered once it has drained', async () => {
    wire.handlers.onOpen();
    wire.accepts = false;
    void stream.send(create('a'), null);
    await turn();
    void stream.send(create('b'), null);
    await turn();
    void stream.send(create('c'), null);
    await turn();
    expect(wire.ids()).toEqual([[1]]);
    wire.handlers.onDrain();
    expect(wire.ids()).toEqual([[1], [2, 3]]);
  });

  it('reports an unknown outcome for what was written when the stream is lost, and sends the rest later', async () => {
    wire.handlers.onOpen();
    wire.accepts = false;
    const written = stream.send(create('a'), null);
    await turn();
    const queued = stream.send(create('b'), null);
    await turn();
    const failure = written.catch((error: unknown) => error);
    wire.handlers.onLost(new Error('read ECONNRESET'));
    expect(await failure).toBeInstanceOf(OutcomeUnknownError);
    await vi.advanceTimersByTimeAsync(100);
    expect(wire.opened).toBe(2);
    wire.handlers.onOpen();
    expect(wire.ids()).toEqual([[1], [2]]);
    wire.answer({ id: 2, resourceVersion: '4096' });
    expect(await queued).toMatchObject({ revision: 1 });
  });

  it('gives up after 30 seconds: refused when it never left, unknown when it did', async () => {
    const queued = stream.send(create('a'), null).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(32_000);
    const refused = await queued;
    expect(refused).toMatchObject({ reason: 'ServiceUnavailable' });
    expect(isOutcomeUnknown(refused)).toBe(false);

    wire.handlers.onOpen();
    const written = stream.send(create('b'), null).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(await written).toMatchObject({ name: 'OutcomeUnknownError', reason: 'Timeout' });
  });

  it('makes callers wait when 1,024 commands are under way', async () => {
    wire.handlers.onOpen();
    for (let i = 0; i < 1_030; i++) void stream.send(create(`c${i}`), null);
    await turn();
    expect(wire.batches.flat()).toHaveLength(1_024);
    wire.answer({ id: 1 }, { id: 2 });
    await turn();
    expect(wire.batches.flat()).toHaveLength(1_026);
  });

  it('forgets an aborted command and says whether it had been sent', async () => {
    const controller = new AbortController();
    const queued = stream.send(create('a'), null, controller.signal).catch((error: unknown) => error);
    await turn();
    controller.abort();
    expect(isOutcomeUnknown(await queued)).toBe(false);
    wire.handlers.onOpen();
    expect(wire.batches).toEqual([]);
  });

  it('waits for the answers that are due when it is closed', async () => {
    wire.handlers.onOpen();
    const sent = stream.send(create('a'), null);
    await turn();
    const closed = stream.close();
    await expect(stream.send(create('b'), null)).rejects.toMatchObject({ reason: 'ServiceUnavailable' });
    expect(wire.ended).toBe(false);
    wire.answer({ id: 1, resourceVersion: '4096' });
    await closed;
    await sent;
    expect(wire.ended).toBe(true);
  });
});
