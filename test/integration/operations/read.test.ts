import { setTimeout as pause } from 'node:timers/promises';
import { type KubeObject, parseVersion, type StatusError } from '@periplus/apimachinery';
import type { ListOptions, WatchEncoding, WatchEvent, WatchOptions, WatchSink } from '@periplus/operations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  for (const name of ['one', 'two']) await core.create('v1/namespaces', '', { metadata: { name } });
  await core.create('v1/serviceaccounts', 'one', serviceAccountOf('default'));
});
afterAll(() => core[Symbol.asyncDispose]());

const CONFIG_MAPS = 'v1/configmaps';
const make = (name: string, labels: Record<string, string> = {}, namespace = 'one') =>
  core.create(CONFIG_MAPS, namespace, { metadata: { name, labels } });
const relabel = (name: string, labels: Record<string, string | null>, namespace = 'one') =>
  core.operations.patch(core.as(admin), at(CONFIG_MAPS, namespace, name), {
    mediaType: 'application/merge-patch+json',
    body: body({ metadata: { labels } }),
  });
const remove = (name: string, namespace = 'one') =>
  core.operations.delete(core.as(admin), at(CONFIG_MAPS, namespace, name), {});
const list = (options: ListOptions, namespace = '', resource = CONFIG_MAPS) =>
  core.operations.list(core.as(admin), at(resource, namespace), options);
const names = (items: readonly { object: { metadata: { readonly name?: string; readonly namespace?: string } } }[]) =>
  items.map(({ object }) => `${object.metadata.namespace}/${object.metadata.name}`);

describe('list', () => {
  const ALL = ['one/a', 'one/b', 'one/c', 'two/a', 'two/d'];
  beforeAll(async () => {
    for (const path of ['two/d', 'one/c', 'one/a', 'two/a', 'one/b']) {
      const [namespace, name] = path.split('/') as [string, string];
      await make(name, { name, [namespace]: 'yes' }, namespace);
    }
  });

  it('is in order, at once with what was acknowledged', async () => {
    const all = await list({ labelSelector: 'name' });
    expect(names(all.items)).toEqual(ALL);
    expect(parseVersion(all.resourceVersion)!.index).toBe(4_095);
    expect(all.bytes).toBe(all.items.reduce((sum, { bytes }) => sum + bytes.length, 0));
    expect(names((await list({}, 'two')).items)).toEqual(['two/a', 'two/d']);
  });

  it.each<[ListOptions, string[]]>([
    [{ labelSelector: 'one=yes' }, ['one/a', 'one/b', 'one/c']],
    [{ labelSelector: 'name in (a,d),two' }, ['two/a', 'two/d']],
    [{ fieldSelector: 'metadata.name=a' }, ['one/a', 'two/a']],
    [{ fieldSelector: 'metadata.name=a,metadata.namespace=two' }, ['two/a']],
    [{ fieldSelector: 'metadata.name!=a', labelSelector: 'one' }, ['one/b', 'one/c']],
    [{ fieldSelector: 'metadata.name=a,metadata.namespace=none' }, []],
  ])('selects by %j', async (options, expected) => {
    expect(names((await list(options)).items)).toEqual(expected);
  });

  it('finds the pods of a node', async () => {
    for (const [name, nodeName] of [
      ['p1', 'n1'],
      ['p2', 'n2'],
      ['p3', 'n1'],
    ]) {
      await core.create('v1/pods', 'one', podOf(name!, { nodeName }));
    }
    expect(names((await list({ fieldSelector: 'spec.nodeName=n1' }, '', 'v1/pods')).items)).toEqual([
      'one/p1',
      'one/p3',
    ]);
    expect(names((await list({ fieldSelector: 'spec.nodeName=n1' }, 'two', 'v1/pods')).items)).toEqual([]);
    const phase = { fieldSelector: 'status.phase=Pending,spec.nodeName=n2' };
    expect(names((await list(phase, 'one', 'v1/pods')).items)).toEqual(['one/p2']);
  });

  it.each<[ListOptions, string]>([
    [{ labelSelector: 'a in (' }, 'unable to parse requirement'],
    [{ labelSelector: '-a=b' }, 'Invalid value'],
    [
      { fieldSelector: 'spec.x=1' },
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [{ fieldSelector: 'metadata.name' }, "invalid selector: 'metadata.name'"],
    [{ continue: '!!' }, 'invalid continue token: continue key is not valid'],
    [{ continue: Buffer.from('{"v":"x"}').toString('base64url') }, 'server does not recognize this encoded version'],
    [{ resourceVersion: 'abc' }, 'invalid resource version: resourceVersion: Invalid value: "abc"'],
    [{ continue: 'abc', resourceVersion: '5' }, 'specifying resource version is not allowed when using continue'],
  ])('refuses %j with 400', async (options, message) => {
    const error = await refusal(list(options));
    expect(error.code).toBe(400);
    expect(error.message).toContain(message);
  });

  it.each<[ListOptions, string]>([
    [{ resourceVersionMatch: 'Exact' }, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    [{ resourceVersionMatch: 'Exact', resourceVersion: '0' }, 'is forbidden for resourceVersion "0"'],
    [{ resourceVersionMatch: 'Close', resourceVersion: '1' }, 'Unsupported value: "Close"'],
  ])('refuses %j with 422', async (options, message) => {
    const error = await refusal(list(options));
    expect(error.code).toBe(422);
    expect(error.message).toContain(message);
  });

  it('comes in pieces that all show the cluster as it was at the first', async () => {
    const first = await list({ limit: 2, labelSelector: 'name' });
    expect(names(first.items)).toEqual(['one/a', 'one/b']);
    expect(first.remainingItemCount).toBeUndefined();
    await remove('c');
    await make('b2', { name: 'b2' });
    const second = await list({ limit: 2, labelSelector: 'name', continue: first.continue });
    expect(names(second.items)).toEqual(['one/c', 'two/a']);
    expect(second.resourceVersion).toBe(first.resourceVersion);
    const third = await list({ limit: 2, labelSelector: 'name', continue: second.continue });
    expect([names(third.items), third.continue]).toEqual([['two/d'], '']);
    const exact = { resourceVersion: first.resourceVersion, resourceVersionMatch: 'Exact' };
    expect(names((await list({ ...exact, labelSelector: 'name' })).items)).toEqual(ALL);
    expect(names((await list({ labelSelector: 'name' })).items)).toEqual([
      'one/a',
      'one/b',
      'one/b2',
      'two/a',
      'two/d',
    ]);
    await remove('b2');
    await make('c', { name: 'c', one: 'yes' });
  });

  it('counts what remains when nothing is selected', async () => {
    const first = await list({ limit: 2 }, 'two');
    expect([first.remainingItemCount, first.continue]).toEqual([undefined, '']);
    expect((await list({ limit: 1 }, 'two')).remainingItemCount).toBe(1);
  });

  it('waits for a version that is not there yet, but not for ever', async () => {
    const far = String(Number((await list({})).resourceVersion) + 1_000_000);
    const error = await refusal(list({ resourceVersion: far }));
    expect(error.toStatus()).toMatchObject({ code: 504, reason: 'Timeout' });
    expect(error.message).toMatch(/^Timeout: Too large resource version: /);
    expect((await list({ resourceVersion: '0' })).items.length).toBeGreaterThan(0);
  });
});

/** A client that takes what it is given, until told to stop taking. */
class Collector implements WatchSink {
  readonly events: { type: string; object: KubeObject }[] = [];
  ended: StatusError | null | undefined;
  waiting = 0;

  write({ frames, bytes }: { frames: readonly Buffer[]; bytes: Buffer }): void {
    expect(bytes).toEqual(Buffer.concat(frames as Buffer[]));
    for (const frame of frames) this.events.push(JSON.parse(frame.toString()));
  }
  backlogBytes(): number {
    return this.waiting;
  }
  end(error: StatusError | null): void {
    this.ended = error;
  }
  get seen(): string[] {
    return this.events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());
  }
  async until(done: () => boolean): Promise<void> {
    for (let i = 0; !done(); i++) {
      if (i > 1000) throw new Error(`never came; seen: ${this.seen.join(', ')}`);
      await pause(5);
    }
  }
}

const json: WatchEncoding = {
  name: 'json',
  encode: ({ type, bytes }: WatchEvent) => Buffer.from(`{"type":"${type}","object":${bytes.toString()}}\n`),
};

describe('watch', () => {
  const open = async (options: WatchOptions, namespace = 'one', encoding = json) => {
    const sink = new Collector();
    const watch = await core.operations.watch(core.as(admin), at(CONFIG_MAPS, namespace), options, encoding, sink);
    return Object.assign(sink, { watch });
  };
  const now = async () => (await list({})).resourceVersion;

  it('sends what is there and then what happens', async () => {
    await make('w1', { w: '1' });
    const sink = await open({ labelSelector: 'w=1' });
    await sink.until(() => sink.events.length === 1);
    await make('w2', { w: '1' });
    await make('w3', { w: '2' });
    await relabel('w1', { more: 'x' });
    await remove('w2');
    await sink.until(() => sink.events.length === 4);
    expect(sink.seen).toEqual(['ADDED w1', 'ADDED w2', 'MODIFIED w1', 'DELETED w2']);
    const versions = sink.events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    sink.watch.stop();
  });

  it('shows objects that come into a selection and leave it', async () => {
    await make('t1', { t: 'in' });
    const sink = await open({ labelSelector: 't=in', resourceVersion: await now() });
    await relabel('t1', { t: 'out' });
    await relabel('t1', { t: 'still-out' });
    await relabel('t1', { t: 'in' });
    await remove('t1');
    await sink.until(() => sink.events.length === 3);
    expect(sink.seen).toEqual(['DELETED t1', 'ADDED t1', 'DELETED t1']);
    const [left, came] = sink.events.map(({ object }) => object.metadata);
    // The last state that was selected, at the version at which it left.
    expect(left!.labels).toEqual({ t: 'in' });
    expect(Number(left!.resourceVersion)).toBeLessThan(Number(came!.resourceVersion));
    sink.watch.stop();
  });

  it('goes on from a version without gap or repetition', async () => {
    const { resourceVersion } = await make('v1', { v: '1' });
    await make('v2', { v: '1' });
    await remove('v1');
    const sink = await open({ labelSelector: 'v=1', resourceVersion });
    await make('v3', { v: '1' });
    await sink.until(() => sink.events.length === 3);
    expect(sink.seen).toEqual(['ADDED v2', 'DELETED v1', 'ADDED v3']);
    sink.watch.stop();
  });

  it('marks the end of the initial events', async () => {
    await make('i1', { i: '1' });
    const sink = await open({
      labelSelector: 'i=1',
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
    });
    await sink.until(() => sink.events.length === 2);
    expect(sink.seen).toEqual(['ADDED i1', 'BOOKMARK']);
    expect(sink.events[1]!.object).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    sink.watch.stop();
  });

  it('sends no initial events when none are wanted', async () => {
    const options = { labelSelector: 'i=1', sendInitialEvents: false, resourceVersionMatch: 'NotOlderThan' };
    const sink = await open(options);
    await make('i2', { i: '1' });
    await sink.until(() => sink.events.length === 1);
    expect(sink.seen).toEqual(['ADDED i2']);
    sink.watch.stop();
  });

  it('refuses options that contradict each other', async () => {
    expect((await refusal(open({ sendInitialEvents: true }))).code).toBe(422);
    expect((await refusal(open({ resourceVersionMatch: 'NotOlderThan' }))).code).toBe(422);
    expect((await refusal(open({ resourceVersion: 'x' }))).code).toBe(400);
    expect((await refusal(open({ fieldSelector: 'nothing=1' }))).code).toBe(400);
  });

  it('ends after its time, with a bookmark', async () => {
    const sink = await open({
      timeoutSeconds: 1,
      allowWatchBookmarks: true,
      labelSelector: 'none',
      resourceVersion: '0',
    });
    await sink.until(() => sink.ended !== undefined);
    expect(sink.ended).toBeNull();
    expect(sink.seen).toEqual(['BOOKMARK']);
  });

  it('keeps nothing for a client that is behind, which misses nothing', async () => {
    const slow = await open({ labelSelector: 's=1', resourceVersion: await now() });
    const quick = await open({ labelSelector: 's=1', resourceVersion: await now() });
    slow.waiting = 1 << 20;
    for (let i = 0; i < 20; i++) await make(`s${i}`, { s: '1' });
    await quick.until(() => quick.events.length === 20);
    expect(slow.events).toHaveLength(0);
    slow.waiting = 0;
    slow.watch.drained();
    await slow.until(() => slow.events.length === 20);
    await make('s-last', { s: '1' });
    await slow.until(() => slow.events.length === 21);
    expect(slow.seen).toEqual([...quick.seen.slice(0, 20), 'ADDED s-last']);
    slow.watch.stop();
    quick.watch.stop();
  });

  it('encodes once for all who watch the same', async () => {
    let encoded = 0;
    const counting: WatchEncoding = {
      name: 'counting',
      encode: (event) => {
        encoded++;
        return json.encode(event);
      },
      encodeFirst: (event) => Buffer.from(`{"type":"FIRST","object":${event.bytes.toString()}}\n`),
    };
    const resourceVersion = await now();
    const sinks = await Promise.all(
      Array.from({ length: 50 }, () => open({ labelSelector: 'e=1', resourceVersion }, 'one', counting)),
    );
    await pause(20);
    for (let i = 0; i < 5; i++) await make(`e${i}`, { e: '1' });
    await Promise.all(sinks.map((sink) => sink.until(() => sink.events.length === 5)));
    for (const sink of sinks) {
      expect(sink.seen).toEqual(['FIRST e0', 'ADDED e1', 'ADDED e2', 'ADDED e3', 'ADDED e4']);
      sink.watch.stop();
    }
    expect(encoded).toBe(5);
  });

  it('delivers the other form of Events too', async () => {
    const sink = new Collector();
    const target = at('events.k8s.io/v1/events', 'one');
    const watch = await core.operations.watch(core.as(admin), target, {}, json, sink);
    await core.create('v1/events', 'one', {
      metadata: { name: 'ev' },
      involvedObject: { namespace: 'one', name: 'x', kind: 'Pod' },
      message: 'hi',
    });
    await sink.until(() => sink.events.length === 1);
    expect(sink.events[0]!.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'hi' });
    watch.stop();
  });
});

describe('what is forgotten', () => {
  it('ends lists in pieces and watches with 410', async () => {
    await using small = await startCore({ window: { changes: 3, bytes: 1 << 20 } });
    const target = at(CONFIG_MAPS, 'default');
    const listSmall = (options: ListOptions) => small.operations.list(small.as(admin), target, options);
    for (const name of ['a', 'b', 'c']) await small.create(CONFIG_MAPS, 'default', { metadata: { name } });
    const first = await listSmall({ limit: 1 });
    for (const name of ['d', 'e', 'f', 'g']) await small.create(CONFIG_MAPS, 'default', { metadata: { name } });
    await listSmall({});

    const error = await refusal(listSmall({ continue: first.continue }));
    expect(error).toMatchObject({ code: 410, reason: 'Expired' });
    expect(error.message).toMatch(/^The provided continue parameter is too old to display a consistent list result/);
    const { continue: anyhow } = error.toStatus().metadata as unknown as { continue: string };
    const rest = ['b', 'c', 'd', 'e', 'f', 'g'].map((name) => `default/${name}`);
    expect(names((await listSmall({ continue: anyhow })).items)).toEqual(rest);
    const exact = { resourceVersion: first.resourceVersion, resourceVersionMatch: 'Exact' };
    expect(await refusal(listSmall(exact))).toMatchObject({ code: 410, reason: 'Expired' });

    const sink = new Collector();
    const { resourceVersion } = first;
    await small.operations.watch(small.as(admin), target, { resourceVersion }, json, sink);
    await sink.until(() => sink.ended !== undefined);
    expect(sink.ended).toMatchObject({ code: 410, reason: 'Expired' });
    expect(sink.ended!.message).toMatch(new RegExp(`^too old resource version: ${resourceVersion} \\(\\d+\\)$`));
  });
});
