import { type ConfigMap, configMap } from '@periplus/api';
import { type DeepReadonly, expired, serviceUnavailable } from '@periplus/apimachinery';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { nameOf } from './indexed-objects.ts';
import { Informer, type InformerOptions } from './informer.ts';
import type { ResourceEvent } from './resource-client.ts';

type Event = ResourceEvent<ConfigMap>;
type Client = InformerOptions<ConfigMap>['client'];

const SOON = { timeout: 20_000 };

/** A log of config maps: lists it, and tells what came behind a version until a test ends the watch. */
class Log {
  version = 1;
  /** Watches from before this version are refused. */
  oldest = 0;
  lists = 0;
  readonly now = new Map<string, ConfigMap>();
  readonly client: Client = {
    list: async (_kind, _namespace, { limit = 0, continue: next = '' } = {}) => {
      this.lists++;
      if (this.failing-- > 0) throw serviceUnavailable('away');
      const all = [...this.now.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
      const page = all.filter((object) => nameOf(object) > next).slice(0, Math.min(limit, this.pageMax));
      const isLast = page.length === 0 || page.at(-1) === all.at(-1);
      return {
        items: page as never[],
        resourceVersion: `${this.version}`,
        continue: isLast ? '' : nameOf(page.at(-1)!),
      };
    },
    watch: (_kind, _namespace, { resourceVersion = '', signal } = {}) =>
      this.tell(Number(resourceVersion), signal!) as never,
  };
  failing = 0;
  pageMax = 500;
  private readonly events: { version: number; event: Event }[] = [];
  private wake = Promise.withResolvers<void>();
  private ending: 'end' | 'error' | null = null;

  write(name: string, data: Record<string, string> | null): void {
    const old = this.now.get(name);
    if (!old && data === null) return;
    const metadata = { name, uid: old?.metadata.uid ?? `uid-${this.version}`, resourceVersion: `${++this.version}` };
    const object = { ...old, apiVersion: 'v1', kind: 'ConfigMap', metadata, ...(data && { data }) } as ConfigMap;
    if (data === null) this.now.delete(name);
    else this.now.set(name, object);
    const type = data === null ? 'DELETED' : old ? 'MODIFIED' : 'ADDED';
    this.events.push({ version: this.version, event: { type, object } });
    this.wakeUp();
  }

  /** Ends the watch that stands, when it has told everything. */
  cut(how: 'end' | 'error'): void {
    this.ending = how;
    this.wakeUp();
  }

  private wakeUp(): void {
    this.wake.resolve();
    this.wake = Promise.withResolvers();
  }

  private async *tell(from: number, signal: AbortSignal): AsyncGenerator<Event> {
    if (from < this.oldest) throw expired(`too old resource version: ${from} (${this.oldest})`);
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    for (let at = from; !signal.aborted; ) {
      const next = this.events.find(({ version }) => version > at);
      if (next) {
        at = next.version;
        yield next.event;
        continue;
      }
      const { ending } = this;
      this.ending = null;
      if (ending === 'end') return;
      if (ending === 'error') throw serviceUnavailable('connection lost');
      await Promise.race([this.wake.promise, aborted]);
    }
  }
}

/** What handlers know when they keep account of what they are told. */
class Account {
  readonly objects = new Map<string, DeepReadonly<ConfigMap>>();
  readonly handlers = {
    added: (object: DeepReadonly<ConfigMap>) => {
      if (this.objects.has(nameOf(object))) throw new Error(`${nameOf(object)} was added twice`);
      this.objects.set(nameOf(object), object);
    },
    updated: (object: DeepReadonly<ConfigMap>, old: DeepReadonly<ConfigMap>) => {
      expect(this.objects.get(nameOf(object))).toBe(old);
      this.objects.set(nameOf(object), object);
    },
    deleted: (object: DeepReadonly<ConfigMap>) => {
      if (!this.objects.delete(nameOf(object))) throw new Error(`${nameOf(object)} was not there`);
    },
  };
}

function open(more: Partial<InformerOptions<ConfigMap>> = {}) {
  const log = new Log();
  const account = new Account();
  const errors: unknown[] = [];
  const ending = new AbortController();
  const informer = new Informer<ConfigMap>({
    ...{ client: log.client, kind: configMap, onError: (error) => errors.push(error) },
    ...more,
  });
  informer.listen(account.handlers);
  return { log, account, errors, informer, ending };
}

const shown = (objects: Iterable<DeepReadonly<ConfigMap>>): string[] =>
  Array.from(objects, ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();

describe('Informer', () => {
  it('knows what there is when it has started, and tells what follows', async () => {
    const { log, account, informer, ending } = open({
      indexers: { color: ({ data }) => (data?.color ? [data.color] : []) },
    });
    log.pageMax = 2;
    for (const name of ['a', 'b', 'c']) log.write(name, { color: 'red' });
    await informer.start(ending.signal);
    expect(shown(informer.list())).toEqual(shown(log.now.values()));
    log.write('b', { color: 'blue' });
    log.write('c', null);
    await vi.waitFor(() => expect(shown(account.objects.values())).toEqual(shown(log.now.values())), SOON);
    expect(informer.get('', 'b')?.data).toEqual({ color: 'blue' });
    expect(informer.byIndex('color', 'red').map(nameOf)).toEqual(['a']);
    expect(informer.byIndex('color', 'blue').map(nameOf)).toEqual(['b']);
    expect(() => informer.byIndex('size', 'big')).toThrow(RangeError);
    expect(log.lists).toBe(2);
    const late = new Account();
    const stop = informer.listen(late.handlers);
    stop();
    log.write('d', {});
    await vi.waitFor(() => expect(informer.get('', 'd')).toBeDefined(), SOON);
    expect([...late.objects.keys()].sort()).toEqual(['a', 'b']);
    ending.abort();
  });

  it('tries again until the api-server answers, and says why it could not', async () => {
    const { log, errors, informer, ending } = open();
    log.failing = 2;
    log.write('a', {});
    await informer.start(ending.signal);
    expect(errors.map((error) => (error as Error).message)).toEqual(['away', 'away']);
    ending.abort();
  });

  it('gives up when it is told to', async () => {
    const { log, informer, ending } = open();
    log.failing = Number.POSITIVE_INFINITY;
    const started = informer.start(ending.signal);
    ending.abort(new Error('enough'));
    await expect(started).rejects.toThrow('enough');
  });

  it('tells handlers of everything again when they want that, and survives those that fail', async () => {
    const { log, errors, informer, ending } = open({ resyncMs: 5 });
    log.write('a', {});
    informer.listen({
      updated: (object, old) => {
        throw new Error(`${nameOf(object)} ${object === old}`);
      },
    });
    await informer.start(ending.signal);
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1), SOON);
    expect((errors[0] as Error).message).toBe('a true');
    ending.abort();
  });

  it('tells of every change in order, and of none twice, whatever becomes of its watches', async () => {
    const write = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.dictionary(fc.constant('k'), fc.string())));
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ write }) },
      fc.record({ cut: fc.constantFrom('end' as const, 'error' as const) }),
      fc.record({ compact: fc.constant(true) }),
      fc.record({ turn: fc.constant(true) }),
    );
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const { log, account, errors, informer, ending } = open();
          log.write('a', {});
          await informer.start(ending.signal);
          for (const each of steps) {
            if ('write' in each) log.write(each.write[0], each.write[1]);
            else if ('cut' in each) log.cut(each.cut);
            else if ('compact' in each) log.oldest = log.version;
            else await new Promise(setImmediate);
          }
          for (let i = 0; i < 20; i++) await new Promise(setImmediate);
          await vi.waitFor(() => expect(shown(informer.list())).toEqual(shown(log.now.values())), SOON);
          expect(shown(account.objects.values())).toEqual(shown(log.now.values()));
          expect(errors.filter((error) => (error as Error).message !== 'connection lost')).toEqual([]);
          ending.abort();
        }),
        { numRuns: 60 },
      );
    } finally {
      vi.useRealTimers();
    }
  });
});
