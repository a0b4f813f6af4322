import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';

/** Below this the time to compress is longer than the time it saves. As kube-apiserver. */
export const GZIP_BYTES_MIN = 128 * 1024;

export const acceptsGzip = (request: IncomingMessage): boolean => {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /(^|[\s,])gzip\s*(,|;\s*q=(1|0\.[0-9]*[1-9])|$)/.test(accepted);
};

/**
 * Where the body of a response of `bytes` (undefined: not known) goes: through gzip when that pays and the client
 * asked for it. Sets the headers that say so; the caller has not sent them yet.
 */
export function bodyStream(request: IncomingMessage, response: ServerResponse, bytes: number | undefined): Writable {
  if ((bytes !== undefined && bytes < GZIP_BYTES_MIN) || !acceptsGzip(request)) {
    if (bytes !== undefined) response.setHeader('content-length', bytes);
    return response;
  }
  response.setHeader('content-encoding', 'gzip');
  response.setHeader('vary', 'Accept-Encoding');
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  response.on('close', () => gzip.destroy());
  gzip.pipe(response);
  return gzip;
}
