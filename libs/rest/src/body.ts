import type { IncomingMessage } from 'node:http';
import { StatusError } from '@periplus/apimachinery';

/** Larger than any object may be; as kube-apiserver's limit on a request's body. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);

const tooLarge = (): StatusError =>
  new StatusError('RequestEntityTooLarge', `Request entity too large: limit is ${BODY_BYTES_MAX}`);

/**
 * The whole body of a request, at most BODY_BYTES_MAX. Rejects with RequestEntityTooLarge as soon as that is known,
 * and with BadRequest when the client went away in the middle.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > BODY_BYTES_MAX) reject(tooLarge());
      else chunks.push(chunk);
    });
    const cutOff = () => reject(new StatusError('BadRequest', 'the connection closed before the body was complete'));
    request.on('end', () => {
      // HTTP/2 ends a body that its client took back as it ends a whole one.
      if (!request.complete) cutOff();
      else resolve(chunks.length === 1 ? chunks[0]! : chunks.length === 0 ? EMPTY : Buffer.concat(chunks, length));
    });
    request.on('error', cutOff);
  });
}
