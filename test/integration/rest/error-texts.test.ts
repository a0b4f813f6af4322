import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const HOME = '/api/v1/namespaces/default';
const REQUEST = /^> (?<method>[A-Z]+) (?<path>\S+)(?<headers>(?: \[[\w-]+: [^\]]*\])*)(?: (?<body>.+))?$/;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Sends what a line of the file says; its answer in the words of the file. */
async function answerOf(line: string): Promise<string> {
  const { method, path, headers, body } = REQUEST.exec(line)!.groups!;
  const pairs = [...headers!.matchAll(/\[([\w-]+): ([^\]]*)\]/g)].map(([, name, value]) => [name!, value!]);
  const { as, ...more } = Object.fromEntries(pairs);
  const answer = await server.ask(method!, path!.replace(/^~/, HOME), {
    ...{ headers: more, ...(body !== undefined && { body }) },
    ...(as === 'nobody' && { as: '' }),
  });
  const { code, reason, message } = answer.json ?? {};
  return answer.code < 300 ? `< ${answer.code}` : `< ${code} ${reason} ${message}`;
}

it('refuses in the words of kube-apiserver', async () => {
  const golden = readFileSync(join(import.meta.dirname, 'testdata/errors.txt'), 'utf8');
  const lines = golden.split('\n').filter((line) => /^[<>] /.test(line));
  const found: string[] = [];
  for (const line of lines) if (line.startsWith('>')) found.push(line, await answerOf(line));
  expect(found).toEqual(lines);
});
