import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const MAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
type Event = { type: string; object: any };

/** The events of a watch, one by one. */
class Events implements AsyncDisposable {
  readonly response: IncomingMessage;
  private readonly lines: AsyncIterator<string>;

  constructor(response: IncomingMessage) {
    this.response = response;
    this.lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  static async open(query: string, headers: Record<string, string> = {}): Promise<Events> {
    return new Events(await server.open('GET', `${MAPS}?watch=true&${query}`, { headers }));
  }

  /** Undefined at the end. */
  async next(): Promise<Event | undefined> {
    const { value, done } = await this.lines.next();
    return done ? undefined : (JSON.parse(value) as Event);
  }

  async take(count: number): Promise<[type: string, name: string][]> {
    const taken: [string, string][] = [];
    while (taken.length < count) {
      const event = await this.next();
      if (!event) break;
      taken.push([event.type, event.object.metadata.name]);
    }
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.response.destroy();
  }
}

const version = async (): Promise<string> => (await server.ask('GET', MAPS)).json.metadata.resourceVersion;

describe('a watch', () => {
  it('tells what happens from the version on that it was given', async () => {
    const from = await version();
    await server.ask('POST', MAPS, { body: configMap('one') });
    await using events = await Events.open(`resourceVersion=${from}`);
    expect(events.response.headers['content-type']).toBe('application/json');
    await server.ask('PUT', `${MAPS}/one`, { body: configMap('one', { a: 'b' }) });
    await server.ask('DELETE', `${MAPS}/one`);
    const seen = [await events.next(), await events.next(), await events.next()];
    expect(seen.map((event) => event?.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(seen[2]!.object.data).toEqual({ a: 'b' });
    const versions = seen.map((event) => Number(event!.object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });

  it('sees objects come and go as they start and cease to match its selector', async () => {
    const from = await version();
    await using events = await Events.open(`resourceVersion=${from}&labelSelector=color%3Dred`);
    await server.ask('POST', MAPS, { body: configMap('paint', {}, { color: 'blue' }) });
    const repaint = (color: string) =>
      server.ask('PATCH', `${MAPS}/paint`, {
        body: { metadata: { labels: { color } } },
        headers: { 'content-type': 'application/merge-patch+json' },
      });
    await repaint('red');
    await repaint('green');
    expect(await events.take(2)).toEqual([
      ['ADDED', 'paint'],
      ['DELETED', 'paint'],
    ]);
  });

  it('begins with the state when it is asked to, and says where the state ends', async () => {
    await server.ask('POST', MAPS, { body: configMap('state', {}, { set: 'state' }) });
    const query =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=set%3Dstate';
    await using events = await Events.open(query);
    expect(await events.take(1)).toEqual([['ADDED', 'state']]);
    expect(await events.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
  });

  it('ends when its time is over', async () => {
    await using events = await Events.open(`resourceVersion=${await version()}&timeoutSeconds=1`);
    expect(await events.next()).toBeUndefined();
  });

  it('shows tables whose first has the columns', async () => {
    const from = await version();
    await server.ask('POST', MAPS, { body: configMap('table-1') });
    await server.ask('POST', MAPS, { body: configMap('table-2') });
    await using events = await Events.open(`resourceVersion=${from}`, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    });
    const [first, second] = [await events.next(), await events.next()];
    expect(first?.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['table-1', 0, expect.any(String)] }] });
    expect(first?.object.columnDefinitions).toHaveLength(3);
    expect(second?.object).toMatchObject({
      columnDefinitions: null,
      rows: [{ cells: ['table-2', 0, expect.any(String)] }],
    });
  });

  it('of a client that does not read is cut off or waits, without growing, while others go on', async () => {
    const from = await version();
    await using idle = await Events.open(`resourceVersion=${from}`);
    idle.response.pause();
    await using reader = await Events.open(`resourceVersion=${from}`);
    const before = process.memoryUsage().rss;
    const filler = { filler: 'x'.repeat(500_000) };
    for (let i = 0; i < 120; i++) {
      const body = configMap('large', { ...filler, i: String(i) });
      const answer =
        i === 0 ? await server.ask('POST', MAPS, { body }) : await server.ask('PUT', `${MAPS}/large`, { body });
      expect(answer.code).toBeLessThan(300);
      expect((await reader.next())?.object.data.i).toBe(String(i));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
  });
});
