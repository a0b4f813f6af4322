import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, TestServer } from './test-server.ts';

/**
 * The tables of https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions, row by row. Of two
 * objects `a` and `b`, `b` came after the version that is asked for: an exact answer is without it.
 */
let server: TestServer;
/** Placeholders in queries: a version of the past, the newest, one to come, a continue token. */
const known: Record<string, string> = {};

const MAPS = '/api/v1/namespaces/default/configmaps';
const make = (name: string) =>
  server.ask('POST', MAPS, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } });

beforeAll(async () => {
  server = await TestServer.start();
  known.THEN = (await make('a')).json.metadata.resourceVersion;
  known.NOW = (await make('b')).json.metadata.resourceVersion;
  known.LATER = String(Number(known.NOW) + 1_000_000);
  known.TOKEN = (await server.ask('GET', `${MAPS}?limit=1`)).json.metadata.continue;
});
afterAll(() => server[Symbol.asyncDispose]());

const filled = (query: string): string => query.replace(/THEN|NOW|LATER|TOKEN/g, (name) => known[name]!);
const list = (query: string): Promise<Answer> => server.ask('GET', `${MAPS}?${filled(query)}`);
const names = ({ json }: Answer): string[] =>
  json.items.map((item: { metadata: { name: string } }) => item.metadata.name);

const INVALID = 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: ';
const UNLESS_VERSION = `${INVALID}Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`;
const WITH_TOKEN = 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided';

describe('a list', () => {
  it.each([
    ['', ['a', 'b']],
    ['resourceVersion=0', ['a', 'b']],
    ['resourceVersion=THEN', ['a', 'b']],
    ['resourceVersion=NOW', ['a', 'b']],
    ['limit=10', ['a', 'b']],
    ['limit=10&resourceVersion=0', ['a', 'b']],
    // Not written down where one would look: a limit makes a version exact.
    ['limit=10&resourceVersion=THEN', ['a']],
    ['limit=10&continue=TOKEN', ['b']],
    ['limit=10&continue=TOKEN&resourceVersion=0', ['b']],
    ['resourceVersionMatch=Exact&resourceVersion=THEN', ['a']],
    ['resourceVersionMatch=Exact&resourceVersion=NOW', ['a', 'b']],
    ['limit=10&resourceVersionMatch=Exact&resourceVersion=THEN', ['a']],
    ['resourceVersionMatch=NotOlderThan&resourceVersion=0', ['a', 'b']],
    ['resourceVersionMatch=NotOlderThan&resourceVersion=THEN', ['a', 'b']],
    ['limit=10&resourceVersionMatch=NotOlderThan&resourceVersion=THEN', ['a', 'b']],
  ])('with "%s" has %j', async (query, expected) => {
    const answer = await list(query);
    expect(names(answer)).toEqual(expect.arrayContaining(expected));
    expect(names(answer).includes('b')).toBe(expected.includes('b'));
    if (query.includes('Exact')) expect(answer.json.metadata.resourceVersion).toBe(filled(query).split('=').at(-1));
  });

  it.each([
    [
      'limit=1&continue=TOKEN&resourceVersion=THEN',
      400,
      'specifying resource version is not allowed when using continue',
    ],
    ['resourceVersionMatch=Exact', 422, UNLESS_VERSION],
    ['resourceVersionMatch=NotOlderThan', 422, UNLESS_VERSION],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      422,
      `${INVALID}Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      'resourceVersionMatch=Newest&resourceVersion=NOW',
      422,
      `${INVALID}Unsupported value: "Newest": supported values: "", "Exact", "NotOlderThan"`,
    ],
    [
      'continue=TOKEN&resourceVersionMatch=NotOlderThan',
      422,
      `ListOptions.meta.k8s.io "" is invalid: [${UNLESS_VERSION.slice(INVALID.length - 22)}, ${WITH_TOKEN}]`,
    ],
    ['resourceVersion=x', 400, /^invalid resource version: .*strconv.ParseUint: parsing "x": invalid syntax$/],
    ['limit=x', 400, /strconv.ParseInt: parsing "x": invalid syntax$/],
    ['timeoutSeconds=x', 400, /strconv.ParseInt: parsing "x": invalid syntax$/],
    ['continue=x', 400, /^invalid continue token: continue key is not valid/],
    ['sendInitialEvents=true', 422, /sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list$/],
    [
      'fieldSelector=data.a%3Db',
      400,
      '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    ['labelSelector=a%20b', 400, /^unable to parse requirement: /],
  ] as const)('with "%s" is refused with %i', async (query, code, message) => {
    const { json, code: answered } = await list(query);
    expect([answered, json.code, json.kind]).toEqual([code, code, 'Status']);
    expect(json.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('of a version to come waits for it, and says when to come back', async () => {
    const { code, json, headers } = await list('resourceVersion=LATER');
    expect([code, json.reason, headers['retry-after']]).toEqual([504, 'Timeout', '1']);
    expect(json.message).toBe(
      `Timeout: Too large resource version: ${known.LATER}, current: ${/\d+$/.exec(json.message)}`,
    );
    expect(json.details.causes).toEqual([{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]);
  });
});

describe('a get', () => {
  it.each(['', 'resourceVersion=0', 'resourceVersion=THEN', 'resourceVersion=NOW'])(
    'with "%s" is answered',
    async (q) => {
      expect((await server.ask('GET', `${MAPS}/b?${filled(q)}`)).json.metadata.name).toBe('b');
    },
  );
});

/** The types of the first events of a watch and the names of their objects; the watch is over after one second. */
async function watched(path: string): Promise<string[]> {
  const response = await server.open('GET', `${path}${path.includes('?') ? '&' : '?'}timeoutSeconds=1`);
  expect(response.statusCode).toBe(200);
  const seen: string[] = [];
  for await (const line of createInterface({ input: response })) {
    const { type, object } = JSON.parse(line);
    if (object.metadata.name === 'kube-root-ca.crt') continue;
    const ends = object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
    seen.push(
      type === 'ERROR' ? `${type} ${object.code}` : `${type} ${object.metadata.name ?? (ends ? 'end' : '')}`.trim(),
    );
  }
  return seen;
}

describe('a watch', () => {
  const WATCH_LIST = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  it.each([
    ['', ['ADDED a', 'ADDED b']],
    ['resourceVersion=0', ['ADDED a', 'ADDED b']],
    ['resourceVersion=THEN', ['ADDED b']],
    ['resourceVersion=NOW', []],
    ['resourceVersion=LATER', []],
    [WATCH_LIST, ['ADDED a', 'ADDED b', 'BOOKMARK end', 'BOOKMARK']],
    [`${WATCH_LIST}&resourceVersion=0`, ['ADDED a', 'ADDED b', 'BOOKMARK end', 'BOOKMARK']],
    [`${WATCH_LIST}&resourceVersion=THEN`, ['ADDED a', 'ADDED b', 'BOOKMARK end', 'BOOKMARK']],
    ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', ['ADDED a', 'ADDED b']],
    ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan', []],
    ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=THEN', ['ADDED b']],
    ['fieldSelector=metadata.name%3Db', ['ADDED b']],
  ])('with "%s" begins with %j', async (query, expected) => {
    expect(await watched(`${MAPS}?watch=1&${filled(query)}`)).toEqual(expected);
  });

  it.each([
    ['resourceVersionMatch=Exact&resourceVersion=NOW', /is forbidden for watch unless sendInitialEvents is provided/],
    ['resourceVersionMatch=NotOlderThan&resourceVersion=NOW', /is forbidden for watch unless sendInitialEvents/],
    ['sendInitialEvents=true', /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/],
    [
      'sendInitialEvents=true&resourceVersionMatch=Exact',
      /Unsupported value: "Exact": supported values: "NotOlderThan"/,
    ],
    ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x', /forbidden when continue is provided/],
  ])('with "%s" is refused', async (query, message) => {
    const { code, json } = await server.ask('GET', `${MAPS}?watch=1&${filled(query)}`);
    expect([code, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toMatch(message);
  });

  it('has the addresses that it had before', async () => {
    const old = '/api/v1/watch/namespaces/default/configmaps';
    expect(await watched(old)).toEqual(['ADDED a', 'ADDED b']);
    expect(await watched(`${old}/b`)).toEqual(['ADDED b']);
    expect(await watched('/api/v1/watch/configmaps?fieldSelector=metadata.namespace%3Ddefault')).toEqual([
      'ADDED a',
      'ADDED b',
    ]);
    expect(await watched(`/api/v1/watch/namespaces/default?resourceVersion=${known.NOW}`)).toEqual([]);
    const other = await server.ask('GET', `${old}/b?fieldSelector=metadata.name%3Da`);
    expect([other.code, other.json.message]).toEqual([400, "fieldSelector metadata.name doesn't match requested name"]);
    expect((await server.ask('POST', old, { body: {} })).code).toBe(405);
  });
});

describe('a selector of fields', () => {
  it.each([
    ['/api/v1/pods', 'spec.nodeName=,status.phase!=Running,spec.host=', 200, undefined],
    ['/api/v1/pods', 'spec.containers=x', 400, 'field label not supported: spec.containers'],
    ['/api/v1/events', 'involvedObject.name=x,reason=y', 200, undefined],
    ['/api/v1/nodes', 'spec.unschedulable=false', 200, undefined],
    ['/api/v1/nodes', 'metadata.namespace=x', 400, 'field label not supported: metadata.namespace'],
    ['/api/v1/namespaces', 'status.phase=Active', 200, undefined],
    ['/api/v1/secrets', 'type=Opaque', 200, undefined],
    ['/api/v1/pods', 'spec.nodeName', 400, "invalid selector: 'spec.nodeName'; can't understand 'spec.nodeName'"],
  ])('%s %s', async (path, selector, code, message) => {
    const answer = await server.ask('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`);
    expect([answer.code, answer.json.message]).toEqual([code, message]);
  });
});

describe('a method that a resource does not have', () => {
  it.each([
    ['HEAD', MAPS],
    ['HEAD', `${MAPS}/a`],
    ['OPTIONS', MAPS],
    ['POST', `${MAPS}/a`],
    ['PUT', MAPS],
  ])('%s %s is refused with 405', async (method, path) => {
    const { code, body } = await server.ask(method, path);
    expect(code).toBe(405);
    if (method !== 'HEAD') expect(JSON.parse(body).reason).toBe('MethodNotAllowed');
  });

  it('does not keep probes from asking for the headers alone', async () => {
    const { code, body } = await server.ask('HEAD', '/livez');
    expect([code, body]).toEqual([200, '']);
  });
});
