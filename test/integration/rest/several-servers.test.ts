import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuration, ServerProcess } from './server-process.ts';
import { type TestClient, TestServer } from './test-server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const SERVICES = '/api/v1/namespaces/default/services';

/** Lends etcd and certificates. */
let lender: TestServer;
const stack = new AsyncDisposableStack();
let a: TestClient;
let b: TestClient;

/** A process each, on a busy machine. */
const START_MS_MAX = 180_000;

/** One more api-server of the cluster, as a process of its own. */
async function startServer(): Promise<TestClient> {
  const config = await configuration(lender);
  const run = new ServerProcess(lender, config);
  stack.defer(async () => {
    run.child.kill('SIGTERM');
    await run.exit;
  });
  const client = stack.use(lender.at(config.port));
  await client.ready();
  return client;
}

beforeAll(async () => {
  lender = stack.use(await TestServer.start());
  [a, b] = await Promise.all([startServer(), startServer()]);
}, START_MS_MAX);
afterAll(() => stack.disposeAsync());

const map = (name: string, value = '', labels: Record<string, string> = {}) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { value } },
});
const versionOf = ({ json }: { json: { metadata: { resourceVersion: string } } }): bigint =>
  BigInt(json.metadata.resourceVersion);

describe('several api-servers of one cluster', () => {
  it('each show at once what another has written, and let nothing overtake it', async () => {
    let last = 0n;
    for (let i = 0; i < 30; i++) {
      const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
      const made = await writer.ask('POST', MAPS, { body: map(`seen-${i}`) });
      expect(made.code).toBe(201);
      const read = await reader.ask('GET', `${MAPS}/seen-${i}`);
      expect([read.code, read.json]).toEqual([200, made.json]);
      const list = await reader.ask('GET', MAPS);
      expect(list.json.items).toContainEqual(expect.objectContaining({ metadata: made.json.metadata }));
      expect(versionOf(list) >= versionOf(made) && versionOf(made) > last).toBe(true);
      last = versionOf(made);
      const gone = await reader.ask('DELETE', `${MAPS}/seen-${i}`);
      expect([gone.code, (await writer.ask('GET', `${MAPS}/seen-${i}`)).code]).toEqual([200, 404]);
    }
  });

  it('hold each other to versions: one of two changes of the same state wins', async () => {
    const { json: made } = await a.ask('POST', MAPS, { body: map('contended') });
    for (let round = 0; round < 10; round++) {
      const { json: state } = await a.ask('GET', `${MAPS}/contended`);
      const answers = await Promise.all(
        [a, b].map((server, i) =>
          server.ask('PUT', `${MAPS}/contended`, { body: { ...state, data: { value: `${round}-${i}` } } }),
        ),
      );
      expect(answers.map(({ code }) => code).sort()).toEqual([200, 409]);
      const won = answers.findIndex(({ code }) => code === 200);
      const { json: now } = await [b, a][won]!.ask('GET', `${MAPS}/contended`);
      expect([now.data, now.metadata.uid]).toEqual([{ value: `${round}-${won}` }, made.metadata.uid]);
    }
  });

  it('tell the watchers of each what happened at all of them, in one order', async () => {
    const start = versionOf(await a.ask('GET', MAPS));
    const path = `${MAPS}?watch=1&resourceVersion=${start}&labelSelector=told`;
    const watches = await Promise.all([a, b].map((server) => server.open('GET', path)));
    const count = 60;
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        [a, b][i % 2]!.ask('POST', MAPS, { body: map(`told-${i}`, '', { told: 'yes' }) }),
      ),
    );
    const heard = await Promise.all(
      watches.map(async (watch) => {
        const events: string[] = [];
        for await (const line of createInterface({ input: watch })) {
          const { type, object } = JSON.parse(line);
          events.push(`${object.metadata.resourceVersion} ${type} ${object.metadata.name}`);
          if (events.length === count) break;
        }
        watch.destroy();
        return events;
      }),
    );
    expect(heard[0]).toEqual(heard[1]);
    const versions = heard[0]!.map((event) => BigInt(event.split(' ', 1)[0]!));
    expect(versions).toEqual([...new Set(versions)].sort((one, other) => (one < other ? -1 : 1)));
    expect(versions[0]! > start).toBe(true);
  });

  it('give out no address and no port twice', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        [a, b][i % 2]!.ask('POST', SERVICES, {
          body: {
            ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: `service-${i}` } },
            spec: { type: 'NodePort', ports: [{ port: 80 }] },
          },
        }),
      ),
    );
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ json }) => json.spec.clusterIP)).size).toBe(30);
    expect(new Set(answers.map(({ json }) => json.spec.ports[0].nodePort)).size).toBe(30);
  });

  it('say that a version is gone which is from before they came, and how to go on', async () => {
    for (const name of ['page-1', 'page-2', 'page-3'])
      await a.ask('POST', MAPS, { body: map(name, '', { page: 'y' }) });
    const first = await a.ask('GET', `${MAPS}?limit=1&labelSelector=page`);
    await a.ask('DELETE', `${MAPS}/page-3`);
    const old = first.json.metadata.resourceVersion;
    const late = await startServer();

    const next = `${MAPS}?limit=5&labelSelector=page&continue=${first.json.metadata.continue}`;
    const names = (items: { metadata: { name: string } }[]) => items.map(({ metadata }) => metadata.name);
    // Who was there shows the list as it was; who was not gives a token to go on with what there is now.
    expect(names((await b.ask('GET', next)).json.items)).toEqual(['page-2', 'page-3']);
    const expired = await late.ask('GET', next);
    expect([expired.code, expired.json.reason]).toEqual([410, 'Expired']);
    expect(expired.json.message).toContain('The provided continue parameter is too old');
    const rest = `${MAPS}?limit=5&labelSelector=page&continue=${expired.json.metadata.continue}`;
    expect(names((await late.ask('GET', rest)).json.items)).toEqual(['page-2']);

    const exact = `${MAPS}?resourceVersion=${old}&resourceVersionMatch=Exact`;
    expect([(await b.ask('GET', exact)).code, (await late.ask('GET', exact)).code]).toEqual([200, 410]);
    const watch = await late.open('GET', `${MAPS}?watch=1&resourceVersion=${old}`);
    const { value } = await createInterface({ input: watch })[Symbol.asyncIterator]().next();
    expect(JSON.parse(value!)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    watch.destroy();
  });
});
