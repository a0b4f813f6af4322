import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { builtinKinds, type Kind } from '@periplus/api';
import { resourcesService } from '@periplus/proto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ObjectMaker } from '../../../libs/api/src/testing/any-object.ts';
import { configuration, ServerProcess } from './server-process.ts';
import { type Answer, ISSUER, TestServer } from './test-server.ts';

/** Of each sort of request, the same each time; PERIPLUS_FUZZ_RUNS asks for so many others. A failure prints the smallest. */
const RUNS = Number(process.env.PERIPLUS_FUZZ_RUNS ?? 300);
const seedOf = (round: number) => (process.env.PERIPLUS_FUZZ_RUNS === undefined ? { seed: 1 + round } : {});
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
const json = fc.oneof(
  { maxDepth: 4 },
  fc.jsonValue({ maxDepth: 4 }),
  text,
  fc.constantFrom(null, [], {}, 1e21, -0.5, { toString: [] }),
);

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

const RARE = { requiredKeys: [] };
const JSON_BODY = { 'content-type': 'application/json' };
const SELECTOR_WORDS = [
  ...['a', 'b.c/d', 'metadata.name', 'spec.nodeName', 'status.phase', '=', '==', '!=', '!', ',', '(', ')', ' '],
  ...[' in ', ' notin ', '>', '<', '\\,', '"', '-', '..', 'x'.repeat(70), 'é', '%', '\0'],
];
const YAML_WORDS = [
  ...['\n', '  ', '\t', ': ', '- ', '[', '{', '}', '&a ', '*a ', '<<: ', '!!binary ', '!x ', '? ', '| ', '> ', '---\n'],
  ...['"', "'", '#', '%YAML 1.1\n', '0777', '1e999', '.nan', '~', 'yes', '\u0000', '\u2028', '__proto__: '],
];

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
  selectors: fc
    .tuple(
      anyKind,
      fc.array(fc.constantFrom(...SELECTOR_WORDS), { maxLength: 12 }),
      fc.array(fc.constantFrom(...SELECTOR_WORDS), { maxLength: 8 }),
      fc.boolean(),
    )
    .map(([kind, labels, fields, watches]) => {
      const of = new URLSearchParams({ labelSelector: labels.join(''), fieldSelector: fields.join('') });
      if (watches)
        for (const [member, value] of [
          ['watch', '1'],
          ['timeoutSeconds', '1'],
        ] as const)
          of.set(member, value);
      // A watch that stands is answered when its time is over: only those are asked for that are refused.
      return { method: 'GET', path: `${collectionOf(kind)}?${watches ? `${of}&resourceVersion=x` : of}` };
    }),
  tokens: fc
    .tuple(
      fc.record({ alg: fc.constantFrom('none', 'ES256', 'RS256', 'HS256', 'x'), kid: text, typ: json }, RARE),
      fc.record(
        {
          iss: fc.oneof(fc.constant(ISSUER), text),
          aud: fc.oneof(fc.constant([ISSUER]), json),
          sub: fc.oneof(fc.constant('system:serviceaccount:default:default'), text),
          ...{ exp: fc.oneof(fc.integer(), json), nbf: json, iat: json },
          'kubernetes.io': fc.oneof(json, fc.record({ namespace: text, serviceaccount: json, pod: json }, RARE)),
        },
        RARE,
      ),
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom('GET', 'POST'),
    )
    .map(([head, claims, signature, method]) => {
      const parts = [JSON.stringify(head), JSON.stringify(claims), Buffer.from(signature)];
      const token = parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
      // Shown, and asked about.
      if (method === 'GET') return { method, path: '/api/v1/pods', headers: { authorization: `Bearer ${token}` } };
      const body = JSON.stringify({ spec: { token } });
      return { method, path: '/apis/authentication.k8s.io/v1/tokenreviews', body, headers: JSON_BODY };
    }),
  yaml: anyKind.chain((kind) =>
    fc
      .tuple(
        objectOf(kind),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...YAML_WORDS)), { maxLength: 4 }),
        fc.boolean(),
      )
      .map(([json, junk, isApply]) => {
        let body = stringify(JSON.parse(json));
        for (const [place, word] of junk) {
          const at = place % (body.length + 1);
          body = body.slice(0, at) + word + body.slice(at);
        }
        if (!isApply)
          return { method: 'POST', path: collectionOf(kind), body, headers: { 'content-type': 'application/yaml' } };
        const path = `${collectionOf(kind)}/yaml?fieldManager=fuzz`;
        return { method: 'PATCH', path, body, headers: { 'content-type': 'application/apply-patch+yaml' } };
      }),
  ),
  'protobuf bodies': fc
    .tuple(fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(), fc.boolean())
    .map(([which, flips, end, isCut]) => {
      const { path, protobuf } = existing[which % existing.length]!;
      const body = Buffer.from(isCut ? protobuf.subarray(0, end % protobuf.length) : protobuf);
      // Behind the magic number and the type, in what is decoded by schema.
      for (const [place, value] of flips) body[4 + (place % Math.max(1, body.length - 4))] = value;
      return { method: 'PUT', path, body, headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } };
    }),
  protobuf: anyKind.chain((kind) =>
    fc.uint8Array({ maxLength: 400 }).map((bytes) => ({
      ...{ method: 'POST', path: collectionOf(kind) },
      body: Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)]),
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    })),
  ),
};

/** What stands in the cluster, for updates to spoil. */
const existing: { path: string; object: Record<string, unknown>; protobuf: Buffer }[] = [];

async function lookAround(): Promise<void> {
  for (const kind of kinds.filter(({ verbs }) => verbs.includes('list'))) {
    const { json } = await ask({ method: 'GET', path: collectionOf(kind) });
    for (const item of json.items.slice(0, EXISTING_MAX)) {
      // Without a version, so that the first change does not make all others conflict.
      delete item.metadata.resourceVersion;
      const object = { apiVersion: json.apiVersion, kind: kind.kind, ...item };
      const path = `${collectionOf(kind)}/${encodeURIComponent(item.metadata.name)}`;
      const chunks: Buffer[] = [];
      const found = await open({ method: 'GET', path, headers: { accept: 'application/vnd.kubernetes.protobuf' } });
      for await (const chunk of found) chunks.push(chunk as Buffer);
      existing.push({ path, object, protobuf: Buffer.concat(chunks) });
    }
  }
}

/** Asked through a process of its own, so that a crash, and its memory, can be seen. */
let server: TestServer;
let run: ServerProcess;
let ask: (request: Nonsense) => Promise<Answer>;
let open: (request: Nonsense) => Promise<IncomingMessage>;
let disposeClient: () => Promise<void>;
beforeAll(async () => {
  server = await TestServer.start();
  const config = await configuration(server);
  run = new ServerProcess(server, config);
  const client = server.at(config.port);
  disposeClient = () => client[Symbol.asyncDispose]();
  ask = ({ method, path, ...more }) => client.ask(method, path, more);
  open = ({ method, path, ...more }) => client.open(method, path, more);
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

const check = (request: fc.Arbitrary<Nonsense>, numRuns: number, round = 0) =>
  fc.assert(fc.asyncProperty(request, expectSense), {
    ...seedOf(round),
    numRuns,
    interruptAfterTimeLimit: MS_MAX - 10_000,
  });

it.each(Object.keys(sorts))(`answers ${RUNS} nonsensical %s with sense`, { timeout: MS_MAX }, async (sort) => {
  await check(sorts[sort]!, RUNS);
  expect((await ask({ method: 'GET', path: '/readyz' })).code).toBe(200);
  expect(run.child.exitCode).toBeNull();
});

/** A command of which little need make sense. */
const command = anyKind.chain((kind) =>
  fc.record(
    {
      ref: fc.oneof(
        fc.constant({
          group: kind.group,
          version: kind.version,
          resource: kind.plural,
          namespace: 'default',
          name: 'a',
        }),
        fc.record({ group: text, version: text, resource: text, namespace: text, name, subresource: text }, RARE),
      ),
      create: objectOf(kind).chain(spoilt).map(Buffer.from),
      update: objectOf(kind).chain(spoilt).map(Buffer.from),
      patch: fc.record(
        { mediaType, body: json.map((value) => Buffer.from(JSON.stringify(value))), force: fc.boolean() },
        RARE,
      ),
      delete: fc.record({ propagationPolicy: text, gracePeriodSeconds: fc.integer() }, RARE),
      ...{ ifResourceVersion: text, ifUid: text, dryRun: fc.boolean(), fieldManager: text },
    },
    RARE,
  ),
);
const selection = fc.record(
  {
    ref: fc.constant({ version: 'v1', resource: 'configmaps', namespace: 'default' }),
    ...{ labelSelector: text, fieldSelector: text, continue: text, resourceVersion: text, resourceVersionMatch: text },
    limit: fc.integer(),
    delete: fc.record({ propagationPolicy: text }, RARE),
    dryRun: fc.constant(true),
  },
  { requiredKeys: ['ref', 'dryRun'] },
);
const calls = fc.oneof(
  fc.tuple(fc.constantFrom('get', 'create', 'update', 'patch', 'delete'), command),
  fc.tuple(fc.constantFrom('list', 'deleteCollection'), selection),
  fc.tuple(
    fc.constant('applyAll'),
    fc.record({
      objects: fc.array(anyKind.chain(objectOf).chain(spoilt).map(Buffer.from), { maxLength: 4 }),
      namespace: text,
    }),
  ),
);

it(`answers ${RUNS} nonsensical gRPC calls with sense`, { timeout: MS_MAX }, async () => {
  const tls = credentials.createSsl(server.pem('ca.crt'), server.pem('admin.key'), server.pem('admin.crt'));
  const client = new Client(`localhost:${run.grpcPort}`, tls);
  const call = async ([name, message]: readonly [string, object]) => {
    const { path, requestSerialize, responseDeserialize } = resourcesService[name as 'get'];
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.makeUnaryRequest(path, requestSerialize as never, responseDeserialize as never, message, resolve),
    );
    if (error) expect([status.INTERNAL, status.UNKNOWN, status.UNAVAILABLE], error.details).not.toContain(error.code);
  };
  await fc.assert(fc.asyncProperty(calls, call), {
    ...seedOf(0),
    numRuns: RUNS,
    interruptAfterTimeLimit: MS_MAX - 10_000,
  });
  client.close();
  expect((await ask({ method: 'GET', path: '/readyz' })).code).toBe(200);
});

it('does not grow by nonsense', { timeout: MS_MAX }, async () => {
  const all = fc.oneof(...Object.values(sorts));
  await check(all, RUNS);
  const before = residentBytes();
  for (let round = 0; round < GROWTH_ROUNDS; round += 1) await check(all, RUNS, 1 + round);
  expect(residentBytes() - before).toBeLessThan(GROWTH_BYTES_MAX);
});
