import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, TestServer } from './test-server.ts';

const DEPLOYMENT = readFileSync(join(import.meta.dirname, 'testdata/deployment.yaml'), 'utf8');
const WEB = '/apis/apps/v1/namespaces/default/deployments/web';
const MAPS = '/api/v1/namespaces/default/configmaps';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

/** By name: they stand in the order of their seconds. */
const managers = async (path: string): Promise<string[]> =>
  (await server.ask('GET', path)).json.metadata.managedFields
    .map(({ manager, operation, subresource }: Record<string, string>) =>
      [manager, operation, subresource].filter(Boolean).join(' '),
    )
    .sort();

describe('kubectl apply --server-side', () => {
  const apply = 'apply --server-side -f -';

  it('creates, repeats and changes', async () => {
    expect(await ok(`${apply} --dry-run=server`, DEPLOYMENT)).toBe(
      'deployment.apps/web serverside-applied (server dry run)\n',
    );
    expect((await server.ask('GET', WEB)).code).toBe(404);
    expect(await ok(apply, DEPLOYMENT)).toBe('deployment.apps/web serverside-applied\n');
    const { resourceVersion } = (await server.ask('GET', WEB)).json.metadata;
    await ok(apply, DEPLOYMENT);
    expect((await server.ask('GET', WEB)).json.metadata.resourceVersion).toBe(resourceVersion);
    await ok(apply, DEPLOYMENT.replace('nginx:1', 'nginx:2'));
    expect(await managers(WEB)).toEqual(['kubectl Apply']);
    expect(await ok('get deploy web -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx:2');
  });

  it('shows what it would change', async () => {
    expect(await ok('diff --server-side -f -', DEPLOYMENT.replace('nginx:1', 'nginx:2'))).toBe('');
    const { code, stdout } = await server.kubectl('diff --server-side -f -', DEPLOYMENT);
    expect(code).toBe(1);
    expect(stdout).toContain('-      - image: nginx:2\n+      - image: nginx:1\n');
  });

  it('conflicts with kubectl scale, until it is forced or lets go', async () => {
    await ok('scale deploy/web --replicas=7');
    expect(await managers(WEB)).toEqual(['kubectl Apply', 'kubectl Update scale']);
    const refused = await server.kubectl(apply, DEPLOYMENT);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    );
    await ok(apply, DEPLOYMENT.replace('  replicas: 2\n', ''));
    expect((await server.ask('GET', WEB)).json.spec.replicas).toBe(7);
    await ok(`${apply} --force-conflicts`, DEPLOYMENT);
    expect((await server.ask('GET', WEB)).json.spec.replicas).toBe(2);
    expect(await managers(WEB)).toEqual(['kubectl Apply']);
  });

  it('lets two managers share an object', async () => {
    const config = (data: string): string =>
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: shared}, data: {${data}}}`;
    await ok(`${apply} --field-manager=one`, config('a: "1"'));
    await ok(`${apply} --field-manager=two`, config('b: "2"'));
    await ok(`${apply} --field-manager=one`, config(''));
    expect((await server.ask('GET', `${MAPS}/shared`)).json.data).toEqual({ b: '2' });
  });

  it('goes over from client-side apply', async () => {
    const config = (value: number): string =>
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: upgraded}, data: {a: "${value}"}}`;
    await ok('apply -f -', config(1));
    expect(await managers(`${MAPS}/upgraded`)).toEqual(['kubectl-client-side-apply Update']);
    await ok(apply, config(2));
    await ok(apply, config(2));
    // kubectl itself keeps its annotation under a name of its own.
    expect(await managers(`${MAPS}/upgraded`)).toEqual(['kubectl Apply', 'kubectl-last-applied Apply']);
    expect((await server.ask('GET', `${MAPS}/upgraded`)).json.data).toEqual({ a: '2' });
  });

  it('is told what it got wrong', async () => {
    const { code, stderr } = await server.kubectl(
      `${apply} --validate=ignore`,
      DEPLOYMENT.replace('replicas', 'replica'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('.spec.replica: field not declared in schema');
  });
});

describe('the field managers of kubectl', () => {
  it('are named by what it does', async () => {
    await ok('create configmap made --from-literal=a=1');
    await ok('label configmap made x=y');
    await ok(`patch configmap made --type=merge -p {"data":{"b":"2"}}`);
    expect(await managers(`${MAPS}/made`)).toEqual(
      expect.arrayContaining(['kubectl-create Update', 'kubectl-label Update', 'kubectl-patch Update']),
    );
    expect(await ok('get configmap made -o yaml')).not.toContain('managedFields');
    expect(await ok('get configmap made -o yaml --show-managed-fields')).toContain('manager: kubectl-create');
  });
});

describe('PATCH application/apply-patch+yaml', () => {
  const patch = (name: string, query: string, ask: Ask) =>
    server.ask('PATCH', `${MAPS}/${name}?${query}`, {
      ...ask,
      headers: { 'content-type': 'application/apply-patch+yaml; charset=utf-8' },
    });

  it('takes YAML and JSON, creates with 201 and changes with 200', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: both\ndata:\n  mode: "0644"\n';
    expect(await patch('both', 'fieldManager=me', { body: yaml })).toMatchObject({
      code: 201,
      json: { data: { mode: '0644' } },
    });
    const json = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'both' }, data: { mode: '1' } };
    expect(await patch('both', 'fieldManager=me', { body: json })).toMatchObject({
      code: 200,
      json: { data: { mode: '1' } },
    });
  });

  it.each(['application/apply-patch+yaml', 'application/yaml'])('minds keys that stand twice in %s', async (type) => {
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice}\ndata:\n  a: "1"\n  a: "2"\n';
    const isPatch = type.includes('patch');
    const [method, path] = isPatch ? ['PATCH', `${MAPS}/twice`] : ['POST', MAPS];
    const ask = (validation: string) =>
      server.ask(method, `${path}?fieldManager=me&dryRun=All&fieldValidation=${validation}`, {
        ...{ body, headers: { 'content-type': type } },
      });
    const said = 'yaml: unmarshal errors:\n  line 6: key "a" already set in map';
    const doing = isPatch
      ? 'error strict decoding YAML: error converting YAML to JSON'
      : 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error';
    expect((await ask('Strict')).json).toMatchObject({ reason: 'BadRequest', message: `${doing}: ${said}` });
    const warned = await ask('Warn');
    expect(warned.headers.warning).toBe('299 - "line 6: key \\"a\\" already set in map"');
    expect(warned.json).toMatchObject({ data: { a: '2' } });
    expect((await ask('Ignore')).headers.warning).toBeUndefined();
  });

  it.each<[string, string, string, number, string]>([
    [
      'no manager',
      '',
      '{}',
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    [
      'a manager that cannot be printed',
      `fieldManager=%C3%A9%0A`,
      '{}',
      422,
      'fieldManager: Invalid value: "é\\n": invalid character U+000A (at position 2)',
    ],
    ['a manager of many characters', `fieldManager=${'x'.repeat(129)}`, '{}', 422, 'fieldManager: Too long: '],
    ['what is no YAML', 'fieldManager=me', '{a: [', 400, 'error decoding YAML: '],
    ['a text', 'fieldManager=me', 'text', 400, 'error decoding YAML: it is not an object'],
    ['nothing', 'fieldManager=me', '', 400, 'error decoding YAML: it is not an object'],
  ])('is refused with %s', async (_, query, body, code, message) => {
    const { json } = await patch('bad', query, { body });
    expect(json).toMatchObject({ kind: 'Status', code });
    expect(json.message).toContain(message);
  });

  it('alone takes force', async () => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const { json } = await server.ask('PATCH', `${MAPS}/bad?force=true`, { body: {}, headers });
    expect(json.message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  });
});
