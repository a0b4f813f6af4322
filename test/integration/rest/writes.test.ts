import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

const configMap = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
});
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }] },
});
const patchOf = (type: string, body: object) => ({
  body,
  headers: { 'content-type': `application/${type}-patch+json` },
});

async function made(path: string, body: object) {
  const answer = await server.ask('POST', path, { body });
  expect([answer.code, answer.json.message]).toEqual([201, undefined]);
  return answer.json;
}

describe('creating', () => {
  it('answers with the object as it is stored, and an id of the request', async () => {
    const answer = await server.ask('POST', MAPS, { body: configMap('made') });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
      'audit-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect((await server.ask('GET', `${MAPS}/made`)).json).toEqual(answer.json);
    expect((await server.ask('GET', '/version')).headers).toMatchObject({
      'cache-control': 'no-cache, private',
      'audit-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('repeats the id that the client gives its request, the first one, and tells writes apart all the same', async () => {
    const headers = { 'audit-id': ['mine', 'other'] };
    const bodies = Array.from({ length: 20 }, (_, i) => configMap(`called-${i}`));
    const created = await Promise.all(bodies.map((body) => server.ask('POST', MAPS, { body, headers })));
    expect(created.map(({ code, json }) => [code, json.metadata.name])).toEqual(
      bodies.map(({ metadata }) => [201, metadata.name]),
    );
    expect(created.map((answer) => answer.headers['audit-id'])).toEqual(bodies.map(() => 'mine'));
    const reads = [
      '/version',
      MAPS,
      `${MAPS}/none`,
      `${MAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dx`,
      '/nowhere',
      '/api/v1/nowhere',
    ];
    for (const path of reads) expect((await server.ask('GET', path, { headers })).headers['audit-id']).toBe('mine');
    const refused = await server.ask('GET', MAPS, { headers: { ...headers, authorization: 'Bearer x' }, as: '' });
    expect([refused.code, refused.headers['audit-id'], refused.headers['www-authenticate']]).toEqual([
      401,
      'mine',
      undefined,
    ]);
    const unnamed = await server.ask('GET', MAPS, { headers: { 'audit-id': '' } });
    expect(unnamed.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('makes up a name where only its beginning is given', async () => {
    const { metadata } = await made(MAPS, { ...configMap(''), metadata: { generateName: 'some-' } });
    expect(metadata.name).toMatch(/^some-[a-z0-9]{5}$/);
  });

  it('warns of what is valid but not meant, as it is created and whenever it is changed', async () => {
    const spec = (a: string) => ({
      selector: { matchLabels: { app: 'warned' } },
      template: {
        metadata: { labels: { app: 'warned' } },
        spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A' }, { name: 'A', value: a }] }] },
      },
    });
    const warning =
      '299 - "spec.template.spec.containers[0].env[1]: hides previous definition of \\"A\\", which may be dropped when using apply"';
    const body = { metadata: { name: 'warned' }, spec: spec('1') };
    const path = `${DEPLOYMENTS}/warned`;
    const created = await server.ask('POST', DEPLOYMENTS, { body });
    expect([created.code, created.headers.warning]).toEqual([201, warning]);
    const same = await server.ask('PUT', path, { body });
    expect([same.code, same.headers.warning]).toEqual([200, undefined]);
    const updated = await server.ask('PUT', path, { body: { ...body, spec: spec('2') } });
    expect([updated.code, updated.headers.warning]).toEqual([200, warning]);
    const patched = await server.ask('PATCH', path, patchOf('merge', { spec: { replicas: 0 } }));
    expect([patched.code, patched.headers.warning]).toEqual([200, warning]);
    const labelled = await server.ask('PATCH', path, patchOf('merge', { metadata: { labels: { a: 'b' } } }));
    expect([labelled.code, labelled.headers.warning]).toEqual([200, undefined]);
  });

  it('keeps one of owners that are the same, and says so', async () => {
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'u-1' };
    const other = { ...owner, name: 'b' };
    const body = (...ownerReferences: object[]) => ({
      ...configMap('owned'),
      metadata: { name: 'owned', ownerReferences },
    });
    const warning =
      '299 - ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: [u-1]"';
    const created = await server.ask('POST', MAPS, { body: body(owner, owner, other) });
    expect([created.headers.warning, created.json.metadata.ownerReferences]).toEqual([warning, [owner, other]]);
    const updated = await server.ask('PUT', `${MAPS}/owned`, { body: body(other, owner, other) });
    expect([updated.headers.warning, updated.json.metadata.ownerReferences]).toEqual([warning, [other, owner]]);
    const fine = await server.ask('PUT', `${MAPS}/owned`, { body: body(owner, other) });
    expect([fine.headers.warning, fine.json.metadata.ownerReferences]).toEqual([undefined, [owner, other]]);
  });

  it('changes nothing in a dry run', async () => {
    const answer = await server.ask('POST', `${MAPS}?dryRun=All`, { body: configMap('dry') });
    expect([answer.code, answer.json.metadata.name]).toEqual([201, 'dry']);
    expect((await server.ask('GET', `${MAPS}/dry`)).code).toBe(404);
  });
});

describe('subresources', () => {
  it('keep status and the rest apart', async () => {
    await made(PODS, pod('parts'));
    const status = await server.ask('PATCH', `${PODS}/parts/status`, {
      ...patchOf('merge', { metadata: { labels: { a: 'b' } }, spec: { priority: 5 }, status: { phase: 'Running' } }),
    });
    expect([status.code, status.json.status.phase, status.json.spec.priority]).toEqual([200, 'Running', 0]);
    const main = await server.ask('PATCH', `${PODS}/parts`, patchOf('merge', { status: { phase: 'Failed' } }));
    expect(main.json.status.phase).toBe('Running');
    expect((await server.ask('GET', `${PODS}/parts/status`)).json.kind).toBe('Pod');
  });

  it('scale: read, replaced and patched as a Scale', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: pod('x').spec };
    const spec = { replicas: 2, selector: { matchLabels: { a: 'b' } }, template };
    await made(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec });
    const read = await server.ask('GET', `${DEPLOYMENTS}/d/scale`);
    expect(read.json).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'd' },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'a=b' },
    });
    const replaced = await server.ask('PUT', `${DEPLOYMENTS}/d/scale`, {
      body: { ...read.json, spec: { replicas: 3 } },
    });
    expect(replaced.json.spec).toEqual({ replicas: 3 });
    await server.ask('PATCH', `${DEPLOYMENTS}/d/scale`, patchOf('merge', { spec: { replicas: 4 } }));
    expect((await server.ask('GET', `${DEPLOYMENTS}/d`)).json.spec.replicas).toBe(4);
  });

  it('bind a pod to a node, once', async () => {
    await made(PODS, pod('bound'));
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'bound' },
      target: { kind: 'Node', name: 'n1' },
    };
    const first = await server.ask('POST', `${PODS}/bound/binding`, { body });
    expect([first.code, first.json]).toMatchObject([201, { kind: 'Status', status: 'Success', code: 201 }]);
    expect((await server.ask('GET', `${PODS}/bound`)).json.spec.nodeName).toBe('n1');
    const again = await server.ask('POST', `${PODS}/bound/binding`, { body });
    expect([again.code, again.json.reason]).toEqual([409, 'Conflict']);
  });

  it('finalize a namespace that is going', async () => {
    await made('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } });
    expect((await server.ask('DELETE', '/api/v1/namespaces/going')).json.status.phase).toBe('Terminating');
    const { json } = await server.ask('GET', '/api/v1/namespaces/going');
    const body = { ...json, spec: { finalizers: [] } };
    expect((await server.ask('PUT', '/api/v1/namespaces/going/finalize', { body })).code).toBe(200);
    expect((await server.ask('GET', '/api/v1/namespaces/going')).code).toBe(404);
  });
});

describe('deleting', () => {
  it('answers with a Status that names what is gone', async () => {
    const { metadata } = await made(MAPS, configMap('gone'));
    const { code, json } = await server.ask('DELETE', `${MAPS}/gone`);
    expect(code).toBe(200);
    expect(json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'gone', kind: 'configmaps', uid: metadata.uid },
    });
  });

  it('answers with the object as it was, of kinds that somebody may want to have back', async () => {
    const classes = '/apis/storage.k8s.io/v1/storageclasses';
    const { metadata } = await made(classes, { metadata: { name: 'gone' }, provisioner: 'example.com/disks' });
    const { code, json } = await server.ask('DELETE', `${classes}/gone`);
    expect([code, json.kind, json.provisioner, json.metadata.uid]).toEqual([
      ...[200, 'StorageClass', 'example.com/disks', metadata.uid],
    ]);
    const document = (await server.ask('GET', '/openapi/v3/apis/storage.k8s.io/v1')).json;
    const answerOf = (plural: string) =>
      document.paths[`/apis/storage.k8s.io/v1/${plural}/{name}`].delete.responses['200'].content['application/json']
        .schema;
    expect(answerOf('storageclasses').$ref).toMatch(/\.StorageClass$/);
    expect(answerOf('csinodes').$ref).toMatch(/\.CSINode$/);
    const namespaced = '/apis/storage.k8s.io/v1/namespaces/{namespace}/csistoragecapacities/{name}';
    expect(JSON.stringify(document.paths[namespaced].delete.responses)).toContain('.Status"');
  });

  it('keeps the preconditions in its body', async () => {
    const { metadata } = await made(MAPS, configMap('guarded'));
    const wrong = await server.ask('DELETE', `${MAPS}/guarded`, { body: { preconditions: { uid: 'another' } } });
    expect([wrong.code, wrong.json.reason]).toEqual([409, 'Conflict']);
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: metadata.uid } };
    expect((await server.ask('DELETE', `${MAPS}/guarded`, { body })).code).toBe(200);
  });

  it('takes its options from the query where there is no body', async () => {
    await made(MAPS, configMap('kept'));
    expect((await server.ask('DELETE', `${MAPS}/kept?dryRun=All`)).code).toBe(200);
    expect((await server.ask('GET', `${MAPS}/kept`)).code).toBe(200);
  });

  it('refuses options that are not right', async () => {
    await made(MAPS, configMap('stays'));
    const type = await server.ask('DELETE', `${MAPS}/stays`, { body: { gracePeriodSeconds: 'soon' } });
    expect([type.code, type.json.message]).toEqual([
      400,
      'json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
    ]);
    for (const body of ['[]', '1', '"x"']) {
      expect((await server.ask('DELETE', `${MAPS}/stays`, { body })).code).toBe(400);
    }
    const kind = await server.ask('DELETE', `${MAPS}/stays`, { body: pod('stays') });
    expect([kind.code, kind.json.message]).toEqual([400, 'decoded object cannot be converted to DeleteOptions']);
    const policy = await server.ask('DELETE', `${MAPS}/stays?propagationPolicy=Sometimes`);
    expect([policy.code, policy.json.message]).toEqual([
      422,
      expect.stringContaining('propagationPolicy: Unsupported value: "Sometimes"'),
    ]);
    expect((await server.ask('GET', `${MAPS}/stays`)).code).toBe(200);
  });

  it('waits for finalizers, and gives pods their time', async () => {
    await made(MAPS, { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    const held = await server.ask('DELETE', `${MAPS}/held`);
    expect(held.json.metadata.deletionTimestamp).toBeDefined();
    await server.ask('PATCH', `${MAPS}/held`, patchOf('merge', { metadata: { finalizers: null } }));
    expect((await server.ask('GET', `${MAPS}/held`)).code).toBe(404);

    await made(PODS, { ...pod('slow'), spec: { ...pod('slow').spec, nodeName: 'n1' } });
    const slow = await server.ask('DELETE', `${PODS}/slow`);
    expect(slow.json.metadata.deletionGracePeriodSeconds).toBe(30);
    await server.ask('DELETE', `${PODS}/slow`, { body: { gracePeriodSeconds: 0 } });
    expect((await server.ask('GET', `${PODS}/slow`)).code).toBe(404);
  });

  it('removes a whole selection, and answers with what it was', async () => {
    for (const name of ['all-1', 'all-2']) await made(MAPS, configMap(name, { set: 'all' }));
    await made(MAPS, configMap('all-3', { set: 'other' }));
    const { code, json } = await server.ask('DELETE', `${MAPS}?labelSelector=set%3Dall`);
    expect([code, json.kind, json.items.length]).toEqual([200, 'ConfigMapList', 2]);
    const left = await server.ask('GET', `${MAPS}?labelSelector=set`);
    expect(left.json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['all-3']);
  });
});
