import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

let server: TestServer;
let chart: string;
beforeAll(async () => {
  server = await TestServer.start();
  chart = join(server.folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: paint\nversion: 0.1.0\n');
  writeFileSync(join(chart, 'values.yaml'), 'color: red\n');
  writeFileSync(join(chart, 'templates/all.yaml'), TEMPLATE);
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
