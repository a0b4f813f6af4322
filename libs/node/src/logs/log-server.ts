/** The node's own HTTPS server, which only the api-server may use: logs of containers, and what they use. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '@periplus/component';
import { readLog } from './read-log.ts';

/** One log of a container, found by the names that users know. */
export interface FoundLog {
  path: string;
  isRunning(): boolean | Promise<boolean>;
}

export interface LogServerDeps {
  host: string;
  port: number;
  tls: { ca: Buffer; cert: Buffer; key: Buffer };
  /** Rejects with LogNotFound. */
  findLog(namespace: string, pod: string, container: string, previous: boolean): Promise<FoundLog>;
  /** What `/stats/summary` answers; null while nothing is known. */
  summary(): object | null;
  log: Logger;
}

/** The message is for the user. */
export class LogNotFound extends Error {
  readonly code: 400 | 404;

  constructor(code: 400 | 404, message: string) {
    super(message);
    this.code = code;
  }
}

/** The group whose members may do anything; the api-server's client certificate for nodes is in it. */
const MASTERS = 'system:masters';
const REQUEST_MS_MAX = 30_000;

export interface LogServer {
  port: number;
  close(): Promise<void>;
}

export async function serveLogs(deps: LogServerDeps): Promise<LogServer> {
  const stopping = new AbortController();
  const options = { ...deps.tls, requestCert: true, rejectUnauthorized: true, headersTimeout: REQUEST_MS_MAX };
  const server = createServer(options, (request, response) => {
    answer(deps, request, response, stopping.signal).catch((error: unknown) => {
      const code = error instanceof LogNotFound ? error.code : 500;
      const message = error instanceof Error ? error.message : String(error);
      if (code === 500) deps.log.warn({ path: request.url, error: message }, 'could not serve a log');
      if (response.headersSent) response.destroy();
      else response.writeHead(code, { 'content-type': 'text/plain' }).end(`${message}\n`);
    });
  });
  await listen(server, deps.host, deps.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        stopping.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

/** The certificate was checked against the cluster's authority already; this says whether it is the right one. */
export function mayReadLogs(socket: Pick<TLSSocket, 'getPeerCertificate'>): boolean {
  // An array when the certificate has several organizations.
  const organizations: unknown = socket.getPeerCertificate().subject?.O;
  return Array.isArray(organizations) ? organizations.includes(MASTERS) : organizations === MASTERS;
}

async function answer(
  deps: LogServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://node');
  const path = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(url.pathname);
  if (!mayReadLogs(request.socket as TLSSocket)) return refuse(response, 403, 'Forbidden');
  if (request.method !== 'GET') return refuse(response, 405, 'Method Not Allowed');
  if (url.pathname === '/stats/summary') return sendSummary(response, deps.summary());
  if (!path) return refuse(response, 404, '404 page not found');
  const [namespace, pod, container] = path.slice(1).map(decodeURIComponent) as [string, string, string];
  const query = logQuery(url.searchParams);
  const found = await deps.findLog(namespace, pod, container, query.previous);

  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, stopping]);
  response.setHeader('content-type', 'text/plain');
  try {
    for await (const bytes of readLog({ ...query, ...found }, signal)) {
      if (!response.write(bytes)) await drained(response, signal);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LogNotFound(400, `the log of container "${container}" in pod "${pod}" is gone`);
  }
  response.end();
}

function sendSummary(response: ServerResponse, summary: object | null): void {
  if (summary) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(summary));
  else refuse(response, 503, 'nothing has been measured yet');
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'text/plain' }).end(`${message}\n`);
}

/** A slow reader is waited for; nothing piles up. */
const drained = (response: ServerResponse, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });

/** As in https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod */
export function logQuery(query: URLSearchParams): {
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  tailLines?: number;
  limitBytes?: number;
  sinceMs?: number;
} {
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const count = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    if (!/^\d{1,15}$/.test(text)) throw new LogNotFound(400, `${name} must be a whole number, not "${text}"`);
    return Number(text);
  };
  const sinceSeconds = count('sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const sinceMs =
    sinceSeconds !== undefined ? Date.now() - sinceSeconds * 1_000 : sinceTime ? Date.parse(sinceTime) : Number.NaN;
  const tailLines = count('tailLines');
  const limitBytes = count('limitBytes');
  return {
    ...{ follow: flag('follow'), previous: flag('previous'), timestamps: flag('timestamps') },
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(!Number.isNaN(sinceMs) && { sinceMs }),
  };
}
