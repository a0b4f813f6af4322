import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readKubeconfig } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (yaml: string) => {
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, yaml);
  return readKubeconfig(path, 'tokenWebhook.kubeconfig');
};
const context = `
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;

it('takes the server of the current context, and files beside the kubeconfig', () => {
  writeFileSync(join(folder, 'me.crt'), 'CERT');
  writeFileSync(join(folder, 'me.key'), 'KEY');
  const clusters = `clusters: [{name: c, cluster: {server: "https://h/p", certificate-authority-data: Q0E=, tls-server-name: n}}]`;
  const users = 'users: [{name: u, user: {client-certificate: me.crt, client-key: me.key, token: t}}]';
  expect(read(`${clusters}\n${users}\n${context}`)).toEqual({
    url: 'https://h/p',
    trust: { ca: Buffer.from('CA'), cert: Buffer.from('CERT'), key: Buffer.from('KEY'), servername: 'n' },
    bearerToken: 't',
  });
});

it.each<[string, string]>([
  ['', 'it is no kubeconfig'],
  ['a: [', 'Flow sequence in block collection must be'],
  [context, 'it has no cluster "c"'],
  [`clusters: [{name: c, cluster: {server: "http://h"}}]\nusers: [{name: u, user: {}}]\n${context}`, 'an https URL'],
  [`clusters: [{name: c, cluster: {server: "https://h"}}]\n${context}`, 'it has no user "u"'],
  [
    `clusters: [{name: c, cluster: {server: "https://h", certificate-authority: no.crt}}]\nusers: [{name: u, user: {}}]\n${context}`,
    'ENOENT',
  ],
])('names the field when %j is no use', (yaml, why) => {
  expect(() => read(yaml)).toThrow('tokenWebhook.kubeconfig: cannot use');
  expect(() => read(yaml)).toThrow(why);
});
