import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const TEMPLATE = `
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {color: "{{ .Values.color }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: a}}
  template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}
`;

/** Made before anything else of the chart, and gone when that is there. */
const HOOK = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-before
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: hook-succeeded}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-after
  annotations: {helm.sh/hook: "post-install,post-upgrade"}
data: {revision: "{{ .Release.Revision }}"}
`;
const SECRET = `
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-key}
stringData: {key: "{{ .Values.key }}"}
`;

let server: TestServer;
let chart: string;
beforeAll(async () => {
  server = await TestServer.start();
  chart = join(server.folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  const needs = 'dependencies: [{name: lock, version: 0.1.0}]';
  writeFileSync(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: paint\nversion: 0.1.0\n${needs}\n`);
  writeFileSync(join(chart, 'values.yaml'), 'color: red\n');
  writeFileSync(join(chart, 'templates/all.yaml'), TEMPLATE);
  writeFileSync(join(chart, 'templates/hooks.yaml'), HOOK);
  const dependency = join(chart, 'charts/lock');
  mkdirSync(join(dependency, 'templates'), { recursive: true });
  writeFileSync(join(dependency, 'Chart.yaml'), 'apiVersion: v2\nname: lock\nversion: 0.1.0\n');
  writeFileSync(join(dependency, 'values.yaml'), 'key: none\n');
  writeFileSync(join(dependency, 'templates/secret.yaml'), SECRET);
});
afterAll(() => server[Symbol.asyncDispose]());

async function ok(args: string): Promise<string> {
  const { code, stdout, stderr } = await server.helm(args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: expect.any(String) });
  return stdout;
}

const color = async (): Promise<string> =>
  (await server.ask('GET', '/api/v1/namespaces/default/configmaps/one')).json.data.color;

describe('helm', () => {
  it.each([
    ['server-side apply, its default', ''],
    ['client-side apply', ' --server-side=false'],
  ])(
    'installs, upgrades, rolls back and uninstalls a chart, and keeps its releases in Secrets: %s',
    async (_, mode) => {
      expect(await ok(`install one ${chart}${mode}`)).toContain('STATUS: deployed');
      expect(await color()).toBe('red');
      await ok(`upgrade one ${chart}${mode} --set color=green`);
      expect(await color()).toBe('green');
      expect(JSON.parse(await ok('list -o json'))).toMatchObject([{ name: 'one', revision: '2', status: 'deployed' }]);
      await ok(`rollback one 1${mode}`);
      expect(await color()).toBe('red');
      const secrets = await server.ask('GET', '/api/v1/namespaces/default/secrets?labelSelector=owner%3Dhelm');
      expect(secrets.json.items).toHaveLength(3);
      await ok('uninstall one');
      expect((await server.ask('GET', '/api/v1/namespaces/default/configmaps/one')).code).toBe(404);
    },
  );

  it('runs hooks in their order, and installs what a chart depends on', async () => {
    const [secrets, maps] = ['/api/v1/namespaces/default/secrets', '/api/v1/namespaces/default/configmaps'];
    const events = await server.ask('GET', maps);
    await ok(`install three ${chart} --set lock.key=brass`);
    const { data } = (await server.ask('GET', `${secrets}/three-key`)).json;
    expect(Buffer.from(data.key, 'base64').toString()).toBe('brass');
    await ok(`upgrade three ${chart} --set lock.key=steel`);
    const { json } = await server.ask('GET', `${maps}/three-after`);
    expect(json.data).toEqual({ revision: '2' });
    expect((await server.ask('GET', `${maps}/three-before`)).code).toBe(404);
    const since = `watch=1&timeoutSeconds=1&resourceVersion=${events.json.metadata.resourceVersion}`;
    const seen: string[] = [];
    for await (const line of createInterface({ input: await server.open('GET', `${maps}?${since}`) })) {
      const { type, object } = JSON.parse(line);
      seen.push(`${type} ${object.metadata.name}`);
    }
    const once = ['ADDED three-before', 'DELETED three-before', 'ADDED three', 'ADDED three-after'];
    expect(seen.slice(0, once.length)).toEqual(once);
    await ok('uninstall three');
    expect((await server.ask('GET', `${secrets}/three-key`)).code).toBe(404);
  });

  it('owns what it installed, and removes what the next version of the chart leaves out', async () => {
    await ok(`install two ${chart}`);
    const { metadata } = (await server.ask('GET', '/api/v1/namespaces/default/configmaps/two')).json;
    expect(metadata.managedFields).toMatchObject([{ manager: 'helm', operation: 'Apply', apiVersion: 'v1' }]);
    const template = join(chart, 'templates/all.yaml');
    writeFileSync(template, TEMPLATE.replace('color:', 'shade:'));
    await ok(`upgrade two ${chart}`);
    writeFileSync(template, TEMPLATE);
    const upgraded = await server.ask('GET', '/api/v1/namespaces/default/configmaps/two');
    expect(upgraded.json.data).toEqual({ shade: 'red' });
    await ok('uninstall two');
  });
});
