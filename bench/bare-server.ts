/** `bare-server.ts PKI BYTES`: the least that a node:https server can do to send BYTES, the baseline of LIST. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const [pki, bytes] = process.argv.slice(2) as [string, string];
const body = Buffer.alloc(Number(bytes), 'x');
const server = createServer(
  { cert: readFileSync(join(pki, 'apiserver.crt')), key: readFileSync(join(pki, 'apiserver.key')) },
  (_, response) => response.writeHead(200, { 'content-length': body.length }).end(body),
);
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
