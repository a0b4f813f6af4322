import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Ask, TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const PODS = '/api/v1/namespaces/default/pods';
const MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});
const pod = (name: string, spec: object = { containers: [{ name: 'c', image: 'i' }] }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec,
});
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

/** Every refusal is a whole Status. */
function expectStatus(answer: Answer, code: number, reason: string, message: string | RegExp): void {
  expect(answer.json).toMatchObject({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason,
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
  expect(answer.code).toBe(code);
}

const post = (path: string, body: Ask['body'], headers: Record<string, string> = {}) =>
  server.ask('POST', path, { body, headers });

describe('a body that cannot be read', () => {
  it('is told where it stops being JSON', async () => {
    const cut = await post(MAPS, '{"apiVersion":"v1","kind":"ConfigMap",');
    expectStatus(
      cut,
      400,
      'BadRequest',
      `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({"apiVersion":"v1","kind":"Con ...)`,
    );
    const text = await post(MAPS, 'hello');
    expectStatus(text, 400, 'BadRequest', /invalid character 'h' looking for beginning of value \(68656c6c6f\)$/);
    const nothing = await post(MAPS, '');
    expectStatus(nothing, 400, 'BadRequest', /unexpected end of JSON input \(<empty>\)$/);
  });

  it('may be YAML', async () => {
    const yaml =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: {mode: "0644", since: 2026-01-01}\n';
    const made = await post(MAPS, yaml, { 'content-type': 'application/yaml' });
    expect(made.json.data).toEqual({ mode: '0644', since: '2026-01-01' });
    const bad = await post(MAPS, 'a: b: c', { 'content-type': 'application/yaml' });
    expectStatus(bad, 400, 'BadRequest', /^error converting YAML to JSON: yaml: /);
  });

  it('is refused above 3 MiB, whether its length is stated or not, and the next request is served', async () => {
    const large = configMap('large', { data: { a: 'x'.repeat(3 * 1024 * 1024) } });
    const message = 'Request entity too large: limit is 3145728';
    expectStatus(await post(MAPS, large), 413, 'RequestEntityTooLarge', message);
    const streamed = { body: JSON.stringify(large), headers: { 'transfer-encoding': 'chunked' } };
    expectStatus(await server.ask('POST', MAPS, streamed), 413, 'RequestEntityTooLarge', message);
    expect((await server.ask('GET', MAPS)).code).toBe(200);
  });

  it('is refused when its media type is unknown', async () => {
    const accepted = 'the body of the request was in an unknown format - accepted media types include: ';
    expectStatus(
      await post(MAPS, 'x', { 'content-type': 'text/plain' }),
      415,
      'UnsupportedMediaType',
      `${accepted}application/json, application/yaml, application/vnd.kubernetes.protobuf`,
    );
    const apply = { body: '{}', headers: { 'content-type': 'application/apply-patch' } };
    expectStatus(
      await server.ask('PATCH', `${MAPS}/a?fieldManager=x`, apply),
      415,
      'UnsupportedMediaType',
      `${accepted}application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml`,
    );
  });

  it('cannot be answered in a form that is not served', async () => {
    expectStatus(
      await server.ask('GET', MAPS, { headers: { accept: 'text/html' } }),
      406,
      'NotAcceptable',
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  });
});

describe('an object that is not right', () => {
  it('has a field of the wrong type', async () => {
    const wrong = await post(DEPLOYMENTS, { ...deployment('d'), spec: { ...deployment('d').spec, replicas: 'three' } });
    expectStatus(wrong, 400, 'BadRequest', /^Deployment in version "v1" cannot be handled as a Deployment: .*replicas/);
  });

  it('has a field that nobody knows: an error under Strict, a warning by default, nothing under Ignore', async () => {
    const body = (name: string) => configMap(name, { dta: { a: 'b' } });
    const strict = await post(`${MAPS}?fieldValidation=Strict`, body('strict'));
    expectStatus(
      strict,
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
    );
    const warned = await post(MAPS, body('warned'));
    expect([warned.code, warned.headers.warning]).toEqual([201, '299 - "unknown field \\"dta\\""']);
    expect(warned.json.dta).toBeUndefined();
    const ignored = await post(`${MAPS}?fieldValidation=Ignore`, body('ignored'));
    expect([ignored.code, ignored.headers.warning]).toEqual([201, undefined]);
  });

  it('has a field twice', async () => {
    const twice = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}';
    const strict = await post(`${MAPS}?fieldValidation=Strict`, twice);
    expectStatus(strict, 400, 'BadRequest', /strict decoding error: duplicate field "data\.a"$/);
  });

  it('is of another kind than its address', async () => {
    const answer = await post(PODS, configMap('a'));
    expectStatus(answer, 400, 'BadRequest', /ConfigMap in version "v1" cannot be handled as a Pod/);
  });

  it('breaks the rules of its kind, and is told every field', async () => {
    const answer = await post(PODS, pod('Bad_Name', { containers: [{ name: 'c' }, { name: 'c', image: 'i' }] }));
    expect(answer.code).toBe(422);
    expect(answer.json.details).toMatchObject({ name: 'Bad_Name', kind: 'Pod' });
    const fields = answer.json.details.causes.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(
      expect.arrayContaining(['metadata.name', 'spec.containers[0].image', 'spec.containers[1].name']),
    );
  });

  it('names options of the request that are not known', async () => {
    expectStatus(
      await post(`${MAPS}?fieldValidation=Sometimes`, configMap('a')),
      422,
      'Invalid',
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Sometimes": supported values: "", "Ignore", "Strict", "Warn"',
    );
    expectStatus(
      await server.ask('PUT', `${MAPS}/a?dryRun=Some`, { body: configMap('a') }),
      422,
      'Invalid',
      'UpdateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    );
  });
});

describe('a request that does not fit what is there', () => {
  it('creates in a namespace that is missing', async () => {
    const answer = await post('/api/v1/namespaces/nowhere/configmaps', configMap('a'));
    expectStatus(answer, 404, 'NotFound', 'namespaces "nowhere" not found');
    expect(answer.json.details).toEqual({ name: 'nowhere', kind: 'namespaces' });
  });

  it('names another namespace in the object than in the address', async () => {
    const answer = await post(MAPS, configMap('a', { metadata: { name: 'a', namespace: 'other' } }));
    expectStatus(
      answer,
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  });

  it('updates with a version that is outdated', async () => {
    const made = await post(MAPS, configMap('stale'));
    const next = { ...made.json, data: { a: '1' } };
    expect((await server.ask('PUT', `${MAPS}/stale`, { body: next })).code).toBe(200);
    const answer = await server.ask('PUT', `${MAPS}/stale`, { body: { ...made.json, data: { a: '2' } } });
    expectStatus(
      answer,
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
    );
    expect((await server.ask('GET', `${MAPS}/stale`)).json.data).toEqual({ a: '1' });
  });

  it('creates a name a second time', async () => {
    await post(MAPS, configMap('twice'));
    const answer = await post(MAPS, configMap('twice'));
    expectStatus(answer, 409, 'AlreadyExists', 'configmaps "twice" already exists');
    expect(answer.json.details).toEqual({ name: 'twice', kind: 'configmaps' });
  });

  it('asks for what is not there', async () => {
    expectStatus(await server.ask('GET', `${DEPLOYMENTS}/no`), 404, 'NotFound', 'deployments.apps "no" not found');
    expectStatus(await server.ask('DELETE', `${MAPS}/no`), 404, 'NotFound', 'configmaps "no" not found');
  });

  it('uses an address that is not served', async () => {
    for (const path of ['/apis/no.such/v1/things', '/apis/apps/v9/deployments', '/api/v2/pods', '/nothing']) {
      const answer = await server.ask('GET', path);
      expect([path, answer.code, answer.body]).toEqual([path, 404, '404 page not found\n']);
    }
    for (const path of ['/api/v1/namespaces/default/widgets', '/api/v1/pods/a', `${PODS}/a/widget`]) {
      const answer = await server.ask('GET', path);
      expectStatus(answer, 404, 'NotFound', 'the server could not find the requested resource');
      expect(answer.json.details).toEqual({});
    }
  });

  it.each(['constructor', '__proto__', 'toString'])('uses a word that every object knows: %s', async (word) => {
    const unknown = /could not find the requested resource/;
    for (const method of ['GET', 'POST', 'PUT', 'PATCH']) {
      expectStatus(await server.ask(method, `${PODS}/a/${word}`, { body: {} }), 404, 'NotFound', unknown);
    }
    const selected = await server.ask('GET', `${PODS}?fieldSelector=${word}=a`);
    expectStatus(selected, 400, 'BadRequest', /field label not supported/);
    const headers = { 'content-type': word };
    const written = await server.ask('POST', MAPS, { body: configMap('word'), headers });
    expectStatus(written, 415, 'UnsupportedMediaType', /accepted media types include: application\/json,/);
    const read = await server.ask('GET', MAPS, { headers: { accept: word } });
    expectStatus(read, 406, 'NotAcceptable', /only the following media types are accepted/);
  });

  it('uses a method that its address does not take', async () => {
    for (const [method, path] of [
      ['PUT', MAPS],
      ['POST', `${MAPS}/a`],
      ['POST', '/api/v1/pods'],
      ['DELETE', `${PODS}/a/log`],
    ] as const) {
      const answer = await server.ask(method, path, { body: {} });
      expectStatus(answer, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
    }
  });
});

describe('a list or watch with parameters that make no sense', () => {
  it.each([
    ['labelSelector=a+in+b', 400, 'BadRequest', /unable to parse requirement/],
    ['labelSelector=!!', 400, 'BadRequest', /unable to parse requirement/],
    ['fieldSelector=spec.no%3Dx', 400, 'BadRequest', /field label not supported: spec\.no/],
    ['fieldSelector=xx', 400, 'BadRequest', /invalid selector/],
    ['limit=ten', 400, 'BadRequest', /strconv\.ParseInt: parsing "ten": invalid syntax/],
    ['resourceVersion=abc', 400, 'BadRequest', /resource version/i],
    ['limit=1&continue=garbage', 400, 'BadRequest', /continue key is not valid/],
    ['resourceVersionMatch=Exact', 422, 'Invalid', /resourceVersionMatch: Forbidden/],
    ['sendInitialEvents=true', 422, 'Invalid', /sendInitialEvents: Forbidden/],
  ])('refuses %s', async (query, code, reason, message) => {
    expectStatus(await server.ask('GET', `${PODS}?${query}`), code, reason, message);
  });

  it('ends a watch from a version that is too old with 410, in the stream', async () => {
    const answer = await server.ask('GET', `${PODS}?watch=1&resourceVersion=1`);
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.body.trim())).toMatchObject({
      type: 'ERROR',
      object: {
        kind: 'Status',
        code: 410,
        reason: 'Expired',
        message: expect.stringMatching(/^too old resource version: 1/),
      },
    });
  });
});

describe('somebody who may not', () => {
  it('has no credentials: anonymous', async () => {
    expectStatus(
      await server.ask('GET', PODS, { as: '' }),
      403,
      'Forbidden',
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    expectStatus(
      await server.ask('GET', '/metrics', { as: '' }),
      403,
      'Forbidden',
      'forbidden: User "system:anonymous" cannot get path "/metrics"',
    );
    expect((await server.ask('GET', '/version', { as: '' })).json.minor).toBe('36');
    expect((await server.ask('GET', '/readyz', { as: '' })).body).toBe('ok');
  });

  it('is refused before his body is looked at', async () => {
    const answer = await server.ask('POST', MAPS, { as: '', body: 'no json' });
    expectStatus(answer, 403, 'Forbidden', /cannot create resource "configmaps"/);
  });

  it('has a certificate of another authority', async () => {
    expectStatus(await server.ask('GET', PODS, { as: 'etcd/root' }), 401, 'Unauthorized', 'Unauthorized');
  });

  it('has a token that is none', async () => {
    const answer = await server.ask('GET', PODS, { as: '', headers: { authorization: 'Bearer nonsense' } });
    expectStatus(answer, 401, 'Unauthorized', 'Unauthorized');
  });

  it('acts as somebody who may not', async () => {
    const answer = await server.ask('GET', PODS, { headers: { 'impersonate-user': 'jane' } });
    expectStatus(answer, 403, 'Forbidden', /^pods is forbidden: User "jane" cannot list resource "pods"/);
  });
});
