import { readFileSync } from 'node:fs';
import { builtinKinds, type Kind } from '@periplus/api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ObjectMaker } from '../../../libs/api/src/testing/any-object.ts';
import { configuration, ServerProcess } from './server-process.ts';
import { type Answer, TestServer } from './test-server.ts';

/** Of each sort of request; PERIPLUS_FUZZ_RUNS asks for more. A failure prints its seed and the smallest request. */
const RUNS = Number(process.env.PERIPLUS_FUZZ_RUNS ?? 300);
const MS_MAX = 60_000 + RUNS * 200;
/** What the process may grow by between the first round of nonsense and the last of four: its caches fill in the first. */
const GROWTH_BYTES_MAX = 96 << 20;
const GROWTH_ROUNDS = 4;
/** Of each kind. */
const EXISTING_MAX = 3;

interface Nonsense {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

const kinds = builtinKinds()
  .all()
  .filter(({ verbs }) => verbs.includes('create'));
const collectionOf = ({ group, version, plural, namespaced }: Kind): string =>
  `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}/${namespaced ? 'namespaces/default/' : ''}${plural}`;

const anyKind = fc.constantFrom(...kinds);
const name = fc.constantFrom('a', 'b', 'default', 'A_b', '..', 'x'.repeat(300), '%2e%2e', 'a%2Fb', 'é', 'a b', '');
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', 'null', '__proto__', 'constructor', 'f:spec', '\u0000', '-1', '1e400', '9'.repeat(40)),
);
const json = fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 4 }), text, fc.constantFrom(null, [], {}, 1e21, -0.5));

/** JSON text that is nearly, or not at all, what it was. */
const spoilt = (good: string): fc.Arbitrary<string | Buffer> =>
  fc
    .tuple(fc.nat(), fc.nat(40), text, fc.constantFrom('keep', 'cut', 'splice', 'drop', 'nest', 'twice', 'bytes'))
    .map(([place, length, junk, how]) => {
      const at = place % (good.length + 1);
      switch (how) {
        case 'keep':
          return good;
        case 'cut':
          return good.slice(0, at);
        case 'splice':
          return good.slice(0, at) + junk + good.slice(at);
        case 'drop':
          return good.slice(0, at) + good.slice(at + length);
        case 'nest':
          return '{"a":'.repeat(place % 20_000) + good;
        case 'twice':
          return good.replace('{', `${good.slice(0, -1)},`);
        default:
          return Buffer.from(Buffer.from(good).map((byte, i) => (i === at ? byte ^ (1 + length) : byte)));
      }
    });

/** Any object of a kind, with one of its values, wherever that is, made something else. */
const objectOf = (kind: Kind): fc.Arbitrary<string> =>
  fc.tuple(fc.integer(), fc.nat(), json, fc.boolean(), name).map(([seed, place, junk, isSpoilt, named]) => {
    const object = new ObjectMaker(seed).object(kind);
    object.metadata.name ||= named;
    if (kind.namespaced) object.metadata.namespace = 'default';
    delete object.metadata.resourceVersion;
    if (isSpoilt) replaceValue(object as unknown as Record<string, unknown>, place, junk);
    return JSON.stringify(object);
  });

function replaceValue(root: Record<string, unknown>, place: number, junk: unknown): void {
  const places: [object: Record<string, unknown>, member: string][] = [];
  const visit = (object: Record<string, unknown>): void => {
    for (const [member, value] of Object.entries(object)) {
      places.push([object, member]);
      if (typeof value === 'object' && value !== null) visit(value as Record<string, unknown>);
    }
  };
  visit(root);
  const [object, member] = places[place % places.length]!;
  object[member] = junk;
}

const query = fc
  .dictionary(
    fc.constantFrom(
      ...['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch'],
      ...[
        'fieldValidation',
        'fieldManager',
        'dryRun',
        'force',
        'pretty',
        'timeout',
        'includeObject',
        'gracePeriodSeconds',
      ],
      ...['propagationPolicy', 'sendInitialEvents', 'allowWatchBookmarks', 'x'],
    ),
    fc.oneof(
      text,
      fc.constantFrom(
        'true',
        'All',
        'Strict',
        'Exact',
        'NotOlderThan',
        '0',
        '1',
        'metadata.name=a',
        'a in (b,c)',
        'a!=b,!c',
      ),
    ),
    { maxKeys: 4 },
  )
  .map((members) => new URLSearchParams(members).toString());

const MEDIA_TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,*/*;q=0.1',
  '*/*',
  'text/plain',
];
const headerText = fc.string({ unit: fc.constantFrom(...'aZ09 ;=,/*"\\:.-_{}()é') });
const mediaType = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...MEDIA_TYPES) }, headerText);
const plainHeaders = {
  accept: mediaType,
  'user-agent': headerText,
  'accept-encoding': headerText,
  'if-none-match': headerText,
  range: headerText,
};
/** Of these most are refused before anything else is looked at. */
const loginHeaders = {
  authorization: fc.oneof(
    headerText,
    fc.string({ unit: fc.constantFrom(...'eyJhbGciOiJub25lIn0.-_A') }).map((token) => `Bearer ${token}`),
  ),
  'impersonate-user': headerText,
  'impersonate-group': headerText,
  'impersonate-extra-a%2': headerText,
};
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.record(plainHeaders, { requiredKeys: [] }) },
  fc.record({ ...plainHeaders, ...loginHeaders }, { requiredKeys: [] }),
);

const withQuery = (path: string, of: string): string => (of === '' ? path : `${path}?${of}`);

const sorts: Record<string, fc.Arbitrary<Nonsense>> = {
  creates: anyKind.chain((kind) =>
    fc.tuple(objectOf(kind).chain(spoilt), query, mediaType).map(([body, of, type]) => ({
      ...{ method: 'POST', path: withQuery(collectionOf(kind), of), body },
      headers: { 'content-type': body.length % 5 === 0 ? type : 'application/json' },
    })),
  ),
  updates: fc
    .tuple(fc.nat(), fc.nat(), json, fc.constantFrom('', '', '/status', '/scale', '/approval', '/finalize'), query)
    .map(([which, place, junk, part, of]) => {
      const { path, object } = existing[which % existing.length]!;
      const changed = structuredClone(object);
      replaceValue(changed, place, junk);
      const headers = { 'content-type': 'application/json' };
      return { method: 'PUT', path: withQuery(path + part, of), body: JSON.stringify(changed), headers };
    }),
  patches: fc
    .tuple(
      fc.constantFrom('configmaps/cm', 'pods/pod', 'services/svc', 'serviceaccounts/default', 'pods/pod/status'),
      fc.constantFrom(...MEDIA_TYPES.slice(3, 7)),
      fc.oneof(
        json,
        fc.array(
          fc.record(
            {
              op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
              path: fc.oneof(
                text,
                fc.constantFrom('/spec', '/data/a', '/metadata/labels', '/spec/containers/0', '/-', '/a~2'),
              ),
              from: fc.constantFrom('/spec', '/metadata', '', '/nope'),
              value: json,
            },
            { requiredKeys: [] },
          ),
        ),
        fc.record(
          {
            apiVersion: fc.constant('v1'),
            kind: fc.constantFrom('Pod', 'ConfigMap', 'Service'),
            metadata: fc.record({ labels: json, finalizers: json, name: text }, { requiredKeys: [] }),
            spec: fc.record(
              {
                containers: fc.array(fc.record({ name: text, $patch: text, image: json }, { requiredKeys: [] })),
                '$setElementOrder/containers': json,
                '$deleteFromPrimitiveList/finalizers': json,
                $retainKeys: json,
                ports: json,
                selector: json,
              },
              { requiredKeys: [] },
            ),
            data: json,
            status: json,
            $patch: fc.constantFrom('replace', 'delete', 'merge', 'x'),
          },
          { requiredKeys: [] },
        ),
      ),
      query,
    )
    .chain(([of, type, patch, parameters]) =>
      spoilt(JSON.stringify(patch)).map((body) => ({
        ...{ method: 'PATCH', path: withQuery(`/api/v1/namespaces/default/${of}`, parameters), body },
        headers: { 'content-type': type },
      })),
    ),
  reads: fc
    .tuple(anyKind, query, headers, fc.option(name), fc.constantFrom('GET', 'GET', 'HEAD', 'DELETE', 'OPTIONS'))
    .map(([kind, of, sent, named, method]) => ({
      // Without dryRun a collection would be emptied, which other runs need.
      method: method === 'DELETE' && named === null ? 'GET' : method,
      path: withQuery(
        `${collectionOf(kind)}${named === null ? '' : `/${named.replaceAll(' ', '%20').replaceAll('é', '%C3%A9')}`}`,
        of,
      ),
      headers: sent as Record<string, string>,
    })),
  paths: fc
    .tuple(
      fc.array(
        fc.constantFrom(
          'api',
          'apis',
          'v1',
          'apps',
          'namespaces',
          'default',
          'pods',
          'log',
          'status',
          'openapi',
          'v2',
          'v3',
          'metrics',
          '',
          '..',
          '%',
          '%00',
          'watch',
          'proxy',
          'binding',
          'token',
          '~',
        ),
        { maxLength: 9 },
      ),
      query,
      headers,
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
      fc.uint8Array({ maxLength: 200 }),
    )
    .map(([segments, of, sent, method, bytes]) => ({
      method,
      path: withQuery(`/${segments.join('/')}`, of),
      headers: sent as Record<string, string>,
      ...(method !== 'GET' && { body: Buffer.from(bytes) }),
    })),
  protobuf: anyKind.chain((kind) =>
    fc.uint8Array({ maxLength: 400 }).map((bytes) => ({
      ...{ method: 'POST', path: collectionOf(kind) },
      body: Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)]),
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    })),
  ),
};

/** What stands in the cluster, for updates to spoil. */
const existing: { path: string; object: Record<string, unknown> }[] = [];

async function lookAround(): Promise<void> {
  for (const kind of kinds.filter(({ verbs }) => verbs.includes('list'))) {
    const { json } = await ask({ method: 'GET', path: collectionOf(kind) });
    for (const item of json.items.slice(0, EXISTING_MAX)) {
      // Without a version, so that the first change does not make all others conflict.
      delete item.metadata.resourceVersion;
      const object = { apiVersion: json.apiVersion, kind: kind.kind, ...item };
      existing.push({ path: `${collectionOf(kind)}/${encodeURIComponent(item.metadata.name)}`, object });
    }
  }
}

/** Asked through a process of its own, so that a crash, and its memory, can be seen. */
let server: TestServer;
let run: ServerProcess;
let ask: (request: Nonsense) => Promise<Answer>;
let disposeClient: () => Promise<void>;
beforeAll(async () => {
  server = await TestServer.start();
  const config = await configuration(server);
  run = new ServerProcess(server, config);
  const client = server.at(config.port);
  disposeClient = () => client[Symbol.asyncDispose]();
  ask = ({ method, path, ...more }) => client.ask(method, path, more);
  await client.ready();
  const container = { name: 'c', image: 'i' };
  for (const [kind, plural, spec] of [
    ['ConfigMap', 'configmaps', { metadata: { name: 'cm' }, data: { a: 'b' } }],
    ['Pod', 'pods', { metadata: { name: 'pod' }, spec: { containers: [container] } }],
    ['Service', 'services', { metadata: { name: 'svc' }, spec: { ports: [{ port: 80 }] } }],
  ] as const) {
    const body = JSON.stringify({ apiVersion: 'v1', kind, ...spec });
    const made = await ask({ method: 'POST', path: `/api/v1/namespaces/default/${plural}`, body });
    expect(made.code).toBe(201);
  }
  await lookAround();
});
afterAll(async () => {
  await disposeClient();
  run.child.kill('SIGTERM');
  await run.exit;
  await server[Symbol.asyncDispose]();
});

const residentBytes = (): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${run.child.pid}/status`, 'utf8'))![1]) * 1024;

/** Every answer is one that a client can understand, and says whose fault it was. */
async function expectSense(request: Nonsense): Promise<void> {
  const answer = await ask(request).catch((error: Error & { code?: string }) => {
    // Node's own client refuses to send some of this.
    if (error.code?.startsWith('ERR_')) return undefined;
    throw error;
  });
  if (answer === undefined) return;
  expect(answer.code, `${answer.body.slice(0, 2_000)}`).toBeLessThan(500);
  if (answer.json?.kind !== 'Status') return;
  expect(answer.json.code ?? answer.code).toBe(answer.code);
}

const check = (request: fc.Arbitrary<Nonsense>, numRuns: number) =>
  fc.assert(fc.asyncProperty(request, expectSense), { numRuns, interruptAfterTimeLimit: MS_MAX - 10_000 });

it.each(Object.keys(sorts))(`answers ${RUNS} nonsensical %s with sense`, { timeout: MS_MAX }, async (sort) => {
  await check(sorts[sort]!, RUNS);
  expect((await ask({ method: 'GET', path: '/readyz' })).code).toBe(200);
  expect(run.child.exitCode).toBeNull();
});

it('does not grow by nonsense', { timeout: MS_MAX }, async () => {
  const all = fc.oneof(...Object.values(sorts));
  await check(all, RUNS);
  const before = residentBytes();
  for (let round = 0; round < GROWTH_ROUNDS; round += 1) await check(all, RUNS);
  expect(residentBytes() - before).toBeLessThan(GROWTH_BYTES_MAX);
});
