/** Runs one probe or hook once. Never rejects: what goes wrong is the result. */

import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import { type Cri, CriError } from '@periplus/cri';
import type { Container, LifecycleHandler, Probe } from '../pod/pod-types.ts';
import type { ProbeResult } from './probe-state.ts';

/** More of a body is neither read nor shown. */
const BODY_BYTES_MAX = 10 * 1024;
const OUTPUT_BYTES_MAX = 10 * 1024;
const REDIRECTS_MAX = 10;
/** The kubelet names itself so, and servers log it. */
const USER_AGENT = 'kube-probe/1.36';

export interface ProbeTarget {
  cri: Cri;
  container: Container;
  containerId: string;
  /** The pod's. */
  address: string;
}

type HttpGet = NonNullable<Probe['httpGet']>;

const fail = (message: string): ProbeResult => ({ ok: false, message });
const succeed: ProbeResult = { ok: true, message: '' };

/** A port given by number or by the name that the container has for it. */
export function portNumber(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name === port)?.containerPort;
}

export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000;
  if (probe.grpc) return grpcCheck(target.address, probe.grpc.port, probe.grpc.service ?? '', timeoutMs);
  return runHandler(probe, target, timeoutMs);
}

/** What probes and lifecycle hooks have in common. */
export async function runHandler(
  handler: Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  if (handler.exec) return execIn(target, handler.exec.command ?? [], timeoutMs);
  if (handler.httpGet) return httpGet(handler.httpGet, target, timeoutMs);
  if (handler.tcpSocket) {
    const port = portNumber(target.container, handler.tcpSocket.port);
    if (port === undefined) return fail(`couldn't find port: ${handler.tcpSocket.port}`);
    return tcpConnect(handler.tcpSocket.host || target.address, port, timeoutMs);
  }
  if (handler.sleep) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(handler.sleep!.seconds * 1_000, timeoutMs)));
    return succeed;
  }
  return fail('missing handler');
}

async function execIn(
  { cri, containerId }: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeResult> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1_000));
  try {
    const { exitCode, stdout, stderr } = await cri.exec(containerId, command, seconds);
    if (exitCode === 0) return succeed;
    return fail(Buffer.concat([stdout, stderr]).subarray(0, OUTPUT_BYTES_MAX).toString());
  } catch (error) {
    if (error instanceof CriError && error.failure === 'DeadlineExceeded') {
      return fail(`command timed out: "${command.join(' ')}" timed out after ${seconds}s`);
    }
    return fail(error instanceof CriError ? error.detail : String(error));
  }
}

function httpGet(get: HttpGet, { container, address }: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const port = portNumber(container, get.port);
  if (port === undefined) return Promise.resolve(fail(`couldn't find port: ${get.port}`));
  const scheme = (get.scheme ?? 'HTTP').toLowerCase();
  const host = get.host || address;
  const path = get.path?.startsWith('/') ? get.path : `/${get.path ?? ''}`;
  const url = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`);
  const headers: Record<string, string> = { 'User-Agent': USER_AGENT, Accept: '*/*', Connection: 'close' };
  for (const { name, value } of get.httpHeaders ?? []) headers[name] = value;
  return request(url, headers, timeoutMs, REDIRECTS_MAX);
}

/** Follows redirects on the same host; one that leads elsewhere counts as an answer. */
function request(
  url: URL,
  headers: Record<string, string>,
  timeoutMs: number,
  redirects: number,
): Promise<ProbeResult> {
  const endAtMs = Date.now() + timeoutMs;
  return new Promise((resolve) => {
    // The certificate of a pod is nobody's business here, as with the kubelet.
    const options = { headers, agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(timeoutMs) };
    const call = (url.protocol === 'https:' ? https : http).get(url, options, (response) => {
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if (status >= 300 && status < 400 && location && redirects > 0) {
        response.destroy();
        const next = new URL(location, url);
        if (next.hostname !== url.hostname) return resolve(succeed);
        return resolve(request(next, headers, Math.max(1, endAtMs - Date.now()), redirects - 1));
      }
      let bytes = 0;
      const done = (): void => {
        response.destroy();
        resolve(status >= 200 && status < 400 ? succeed : fail(`HTTP probe failed with statuscode: ${status}`));
      };
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= BODY_BYTES_MAX) done();
      });
      response.on('end', done);
      response.on('error', done);
    });
    call.on('error', (error) => resolve(fail(httpFailure(url, error))));
  });
}

/** In the words that users know from Go's client. */
function httpFailure(url: URL, error: Error & { code?: string }): string {
  const shown = url.href.replace(/\/$/, url.pathname === '/' ? '/' : '');
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return `Get "${shown}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  }
  if (error.code === 'ECONNREFUSED') return `Get "${shown}": dial tcp ${url.host}: connect: connection refused`;
  return `Get "${shown}": ${error.message}`;
}

function tcpConnect(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: ProbeResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => end(succeed));
    socket.on('timeout', () => end(fail(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.on('error', (error: Error & { code?: string }) => {
      const why = error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message;
      end(fail(`dial tcp ${host}:${port}: ${why}`));
    });
  });
}

const SERVING = 1;
const HEALTH_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** grpc.health.v1.Health/Check, whose messages are one field each. */
function grpcCheck(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const client = new Client(`${host}:${port}`, credentials.createInsecure(), { 'grpc.primary_user_agent': USER_AGENT });
  const name = Buffer.from(service);
  const length = Buffer.from(name.length < 128 ? [name.length] : [(name.length & 127) | 128, name.length >> 7]);
  const body = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), length, name]);
  return new Promise((resolve) => {
    client.makeUnaryRequest<Buffer, Buffer>(
      '/grpc.health.v1.Health/Check',
      (bytes) => bytes,
      (bytes) => bytes,
      body,
      { deadline: Date.now() + timeoutMs },
      (error, answer) => {
        client.close();
        if (error) return resolve(fail(`rpc error: ${error.details || error.message}`));
        const status = answer?.[0] === 0x08 ? (answer[1] ?? 0) : 0;
        if (status === SERVING) return resolve(succeed);
        resolve(fail(`service unhealthy (responded with "${HEALTH_STATUS[status] ?? status}")`));
      },
    );
  });
}
