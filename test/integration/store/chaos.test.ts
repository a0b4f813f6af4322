import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { StatusError } from '@periplus/apimachinery';
import { openEtcd } from '@periplus/etcd';
import { type Committed, decodeRecord, Keys, openStore, type Store, type Write, WriteConflict } from '@periplus/store';
import { startEtcd, startProxy, type TestEtcd, type TestProxy } from '@periplus/testing';
import { expect, it } from 'vitest';
import { randomFrom } from './random.ts';
import { versionOf, WrittenLog } from './written-log.ts';

const RUN_MS = 10_000;
const WRITERS = 24;
const NAMES = 60;

const keys = new Keys('/chaos');

type Random = (below: number) => number;
type Answer = Committed | 'conflict' | 'gave up' | 'too many';

/** What a writer asked for and was told. */
interface Told {
  write: Write;
  answer: Answer;
}

/** Writes of one transaction at most. */
const TOGETHER_MAX = 6;

const keyOf = (name: number): Write['key'] => ({
  ...{ group: '', resource: 'pods', namespace: `ns-${name % 3}`, name: `pod-${name}` },
});

function writeOf(name: number, ifRevision: number, random: Random): Write {
  const deletes = ifRevision > 0 && random(4) === 0;
  const labels = { filler: 'x'.repeat(random(20) === 0 ? 40_000 : 200) };
  const inbox = `nodes/node-${name % 7}/pods/ns-${name % 3}/pod-${name}`;
  return {
    ...{ key: keyOf(name), ifRevision, confidential: [] },
    object: deletes ? null : { kind: 'Pod', apiVersion: 'v1', metadata: { name: `pod-${name}`, labels } },
    companions: deletes ? [{ path: inbox, delete: true }] : [{ path: inbox, put: 'record' }],
    provenance: {
      ...{
        actor: 'chaos',
        verb: deletes ? 'delete' : 'update',
        timeMs: Date.now(),
        requestId: randomUUID(),
        cause: null,
      },
    },
  };
}

/** One write, or as many together as there are. */
async function commit(store: Store, writes: readonly Write[]): Promise<Committed[] | Exclude<Answer, Committed>> {
  try {
    return writes.length === 1 ? [await store.commit(writes[0]!)] : await store.commitAll({ writes, standing: [] });
  } catch (error) {
    if (error instanceof WriteConflict) return 'conflict';
    if (error instanceof StatusError && error.reason === 'Timeout') return 'gave up';
    if (error instanceof StatusError && error.reason === 'TooManyRequests') return 'too many';
    throw error;
  }
}

/**
 * Commits changes of random objects, alone or in transactions, mostly with the right precondition, and keeps what it
 * was told. Throws when a transaction was told of as torn.
 */
async function write(store: Store, known: number[], told: Told[], random: Random, until: number): Promise<void> {
  while (Date.now() < until) {
    const count = random(3) === 0 ? 2 + random(TOGETHER_MAX - 1) : 1;
    const names = [...new Set(Array.from({ length: count }, () => random(NAMES)))];
    const writes = names.map((name) => {
      const expected = random(12 * count) === 0 ? Math.max(0, known[name]! - 1) : known[name]!;
      return writeOf(name, expected, random);
    });
    const answers = await commit(store, writes);
    writes.forEach((write, at) => {
      const answer = typeof answers === 'string' ? answers : answers[at]!;
      if (typeof answer !== 'string') known[names[at]!] = answer.bytes() === null ? 0 : answer.revision;
      told.push({ write, answer });
    });
    if (typeof answers !== 'string' && new Set(answers.map(({ revision }) => revision)).size > 1) {
      throw new Error(
        `a transaction is at several revisions: ${answers.map(({ resourceVersion }) => resourceVersion)}`,
      );
    }
    await pause(random(10));
  }
}

/** Now and then tells writers what really is there, as a reader of the log would. */
async function correct(etcd: ReturnType<typeof openEtcd>, known: number[], until: number): Promise<void> {
  while (Date.now() < until) {
    await pause(100);
    const { kvs } = await etcd.range(keys.registryRange()).catch(() => ({ kvs: null }));
    if (kvs === null) continue;
    known.fill(0);
    for (const kv of kvs) known[Number(decodeRecord(kv, keys, null).key.name.slice(4))] = kv.modRevision;
  }
}

async function disturb(
  etcd: TestEtcd,
  proxies: readonly TestProxy[],
  random: Random,
  until: number,
): Promise<string[]> {
  const done: string[] = [];
  while (Date.now() < until) {
    await pause(100 + random(700));
    const proxy = proxies[random(proxies.length)]!;
    const member = etcd.members[random(etcd.members.length)]!;
    const fault = random(10);
    if (fault === 0) {
      await member.kill();
      await pause(random(500));
      await member.start();
      await etcd.ready();
      done.push('kill');
    } else if (fault === 1) {
      await member.pause();
      await pause(random(1_500));
      await member.resume();
      done.push('pause');
    } else if (fault === 2 && !done.includes('black hole')) {
      proxy.blackHole();
      done.push('black hole');
    } else if (fault < 6) {
      proxy.cut();
      done.push('cut');
    } else {
      // In the middle of answers: the transaction happened and the store does not know.
      proxy.cutAfter(random(20_000));
      done.push('cut after');
    }
  }
  return done;
}

const CLUSTERS = [{ members: 1 }, { members: 3 }] as const;

it.for(CLUSTERS)(
  'loses and doubles nothing while one of $members members dies and connections break',
  {
    timeout: 120_000,
  },
  async ({ members }, { annotate }) => {
    const seed = Number(process.env.PERIPLUS_TEST_SEED ?? Date.now() % 1e9);
    await annotate(`PERIPLUS_TEST_SEED=${seed}`);
    const random = randomFrom(seed);
    await using etcd = await startEtcd({ members });
    const direct = openEtcd(await etcd.options());
    const proxies = await Promise.all([etcd.endpoints[0]!, etcd.endpoints.at(-1)!].map(startProxy));
    // Each store starts at its own end; with several members it can move on to one behind no proxy.
    const clients = proxies.map(({ url }) => openEtcd({ endpoints: [url, ...etcd.endpoints.slice(1, 2)] }));
    const stores = clients.map((client) => openStore({ etcd: client, prefix: keys.prefix, cipher: null }));
    const log = new WrittenLog(direct, keys, (await direct.range({ key: keys.revision })).revision + 1);

    const known = new Array<number>(NAMES).fill(0);
    const told: Told[] = [];
    const until = Date.now() + RUN_MS;
    const [faults] = await Promise.all([
      disturb(etcd, proxies, randomFrom(seed + 1), until),
      correct(direct, known, until),
      ...Array.from({ length: WRITERS }, (_, at) =>
        write(stores[at % stores.length]!, known, told, randomFrom(seed + 2 + at), until),
      ),
    ]);

    const last = await stores[0]!.commit(writeOf(NAMES, 0, random));
    await expect.poll(() => log.reached).toBeGreaterThanOrEqual(last.revision);
    const logged = log.byRequest();
    let place = -1;
    for (const each of log.writes) {
      const next = each.revision * 4_096 + each.index;
      expect(next, `seed ${seed}: versions strictly increase`).toBeGreaterThan(place);
      place = next;
    }
    for (const { write, answer } of told) {
      const found = logged.get(write.provenance.requestId);
      const hint = `seed ${seed}: ${JSON.stringify(write.key)} was told ${typeof answer === 'string' ? answer : answer.resourceVersion}`;
      expect(found && versionOf(found), hint).toBe(typeof answer === 'string' ? undefined : answer.resourceVersion);
    }
    const acknowledged = told.filter(({ answer }) => typeof answer !== 'string').length;
    expect(log.writes.length).toBe(acknowledged + 1);
    expect(acknowledged).toBeGreaterThan(100);
    await checkCompanions(direct);
    const sum = (of: 'transactions' | 'unknownOutcomes' | 'retries'): number =>
      stores.reduce((total, store) => total + store.stats[of], 0);
    const answers = Object.groupBy(told, ({ answer }) => (typeof answer === 'string' ? answer : 'acknowledged'));
    await annotate(
      `${faults.join(', ')}; ${sum('transactions')} transactions, ${sum('unknownOutcomes')} of unknown outcome, ` +
        `${sum('retries')} sent again; ${Object.entries(answers)
          .map(([answer, list]) => `${list!.length} ${answer}`)
          .join(', ')}`,
    );

    await Promise.all([...stores, ...clients, ...proxies, direct].map((each) => each.close()));
  },
);

/** Each inbox holds exactly the pods that stand, each at its version. */
async function checkCompanions(etcd: ReturnType<typeof openEtcd>): Promise<void> {
  const pods = (await etcd.range(keys.registryRange())).kvs;
  const copies = (await etcd.range(keys.inboxRange())).kvs;
  const shown = (name: string, revision: number): string => `${name}@${revision}`;
  expect(copies.map((kv) => shown(keys.parseInbox(kv.key)!.key.name, kv.modRevision)).sort()).toEqual(
    pods.map((kv) => shown(keys.parseRegistry(kv.key)!.name, kv.modRevision)).sort(),
  );
}
