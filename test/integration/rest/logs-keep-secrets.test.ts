import type { Logger } from '@periplus/component';
import { expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

/** A logger that keeps everything, however detailed. */
function recorder(): { log: Logger; text: () => string } {
  const lines: string[] = [];
  const write = (fields: Record<string, unknown>, message: string): void => {
    const { error } = fields;
    const told = error instanceof Error ? { ...error, message: error.message, stack: error.stack } : error;
    lines.push(JSON.stringify({ ...fields, error: told, message }));
  };
  const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log };
  return { log, text: () => lines.join('\n') };
}

it('writes nothing to its log that lets anybody in', async () => {
  const { log, text } = recorder();
  await using server = await TestServer.start(undefined, log);
  const { stdout: issued } = await server.kubectl('create token default');
  const token = issued.trim();
  const [head, payload, signature] = token.split('.');
  const secrets = {
    token,
    signature: signature!,
    spoiled: `${head}.${payload}.${signature!.slice(0, -8)}spoiled0`,
    bootstrap: 'abcdef.0123456789abcdef',
    nonsense: 'nonsense-that-nobody-may-read',
    payload: 'payload-that-nobody-may-read',
  };
  const get = (bearer: string, path = '/api/v1/namespaces/default/pods') =>
    server.ask('GET', path, { as: '', headers: { authorization: `Bearer ${bearer}` } });
  for (const bearer of [secrets.token, secrets.spoiled, secrets.bootstrap, secrets.nonsense]) {
    await get(bearer);
    await server.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: { spec: { token: bearer } } });
    await server.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: `{"spec":{"token":"${bearer}` });
  }
  await get(secrets.token, '/%ff');
  const secret = (type: string, data: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    type,
    data,
  });
  const path = '/api/v1/namespaces/default/secrets';
  await server.ask('POST', path, { body: secret('kubernetes.io/tls', { 'tls.key': secrets.payload }) });
  await server.ask('POST', path, { body: secret('Opaque', { key: Buffer.from(secrets.payload).toString('base64') }) });
  await server.ask('POST', path, { body: `{"data":{"x":"${secrets.payload}` });
  const written = text();
  expect(written).toContain('listed the cluster');
  expect(written).toMatch(/"why":"\[?invalid bearer token.*a login was refused/);
  for (const [what, value] of Object.entries(secrets)) expect(written.includes(value), what).toBe(false);
});
