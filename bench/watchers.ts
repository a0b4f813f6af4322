/**
 * `watchers.ts PORT PKI COUNT`: opens COUNT watches of pods, each on its own TLS connection, and notes when each change
 * (known by its annotation bench/at) is delivered. Tells its parent "ready" when all are open. Forgets what was delivered
 * when it is sent "reset"; sent times of changes (`[at, ms since the epoch][]`), it answers with the delays of all their
 * deliveries from then on, in milliseconds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';

const [port, pki, count] = process.argv.slice(2) as [string, string, string];
const read = (name: string): Buffer => readFileSync(join(pki, name));
const tls = {
  host: '127.0.0.1',
  port: Number(port),
  ca: read('ca.crt'),
  cert: read('admin.crt'),
  key: read('admin.key'),
};
const MARK = Buffer.from('"bench/at":"');
const DIGITS = 16;
/** No event is shorter, so that much need not be searched for the next mark. */
const MARKS_APART = 1_000;
const deliveredMs = new Map<number, number[]>();
const OPENING_AT_ONCE = 20;

/** A mark may be cut in two by the end of a chunk; such an event goes uncounted, one in hundreds. */
function onData(chunk: Buffer): void {
  const now = Date.now();
  for (let at = chunk.indexOf(MARK); at >= 0; at = chunk.indexOf(MARK, at + MARKS_APART)) {
    const change = Number(chunk.toString('latin1', at + MARK.length, at + MARK.length + DIGITS));
    const times = deliveredMs.get(change);
    if (times) times.push(now);
    else deliveredMs.set(change, [now]);
  }
}

/**
 * All sockets read into it, one after the other: memory for each read of 1,000 connections would cost this process,
 * and so the server beside it on the same cores, more than the reading.
 */
const buffer = Buffer.alloc(64 << 10);

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const callback = (length: number): boolean => {
      resolve();
      onData(buffer.subarray(0, length));
      return true;
    };
    // Types leave `onread` out of the options for TLS, which pass it on.
    const options = { ...tls, onread: { buffer, callback } };
    const socket = connect(options, () => {
      socket.write(
        'GET /api/v1/namespaces/default/pods?watch=1&resourceVersion=0 HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n',
      );
    });
    socket.on('error', reject);
    socket.on('close', () => process.exit(1));
  });
}

for (let opened = 0; opened < Number(count); opened += OPENING_AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(OPENING_AT_ONCE, Number(count) - opened) }, open));
}
process.on('message', (message: 'reset' | [at: number, ms: number][]) => {
  if (message === 'reset') deliveredMs.clear();
  else process.send!(message.flatMap(([at, ms]) => (deliveredMs.get(at) ?? []).map((delivered) => delivered - ms)));
});
process.send!('ready');
