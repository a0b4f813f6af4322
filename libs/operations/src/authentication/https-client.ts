import { Agent, request as httpsRequest } from 'node:https';

/** Key sets, provider documents and reviews are small. */
const ANSWER_BYTES_MAX = 1024 * 1024;
const ANSWER_MS_MAX = 10_000;
const CONNECTIONS_MAX = 16;

/** How to reach a server. PEM. */
export interface ServerTrust {
  /** What its certificate must come from; the authorities that Node.js knows when absent. */
  ca?: Buffer;
  /** What is shown to it. */
  cert?: Buffer;
  key?: Buffer;
  /** Its name in its certificate, when that is not the one in its address. */
  servername?: string;
}

interface HttpsAnswer {
  status: number;
  body: string;
}

export interface HttpsClient {
  /** Follows no redirects. Rejects for what is no whole answer in time, of at most 1 MiB. */
  request(
    method: 'GET' | 'POST',
    url: string,
    options?: { headers?: Record<string, string>; body?: string; signal?: AbortSignal },
  ): Promise<HttpsAnswer>;
  close(): void;
}

/** A client of one server that others run: an OIDC provider or a webhook. */
export function openHttpsClient(trust: ServerTrust): HttpsClient {
  const agent = new Agent({ ...trust, keepAlive: true, maxSockets: CONNECTIONS_MAX });
  return {
    request: (method, url, { headers = {}, body, signal } = {}) =>
      new Promise((resolve, reject) => {
        const timeLimit = AbortSignal.timeout(ANSWER_MS_MAX);
        const ending = signal ? AbortSignal.any([signal, timeLimit]) : timeLimit;
        const sent = httpsRequest(url, { agent, method, headers, signal: ending }, (answer) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > ANSWER_BYTES_MAX) sent.destroy(new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`));
            else chunks.push(chunk);
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
          answer.on('error', reject);
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
