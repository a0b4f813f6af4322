import type { IncomingMessage, ServerResponse } from 'node:http';
import { internalError, type Status, StatusError } from '@periplus/apimachinery';
import { bodyStream, GZIP_BYTES_MIN } from './compression.ts';
import { PROTOBUF_TYPE, statusFormat } from './media-types.ts';
import { encodeObject } from './protobuf/encode.ts';

const NO_CACHE = 'no-cache, private';
const JSON_TYPE = 'application/json';
/** All warnings of one response together; longer ones are cut first. As kube-apiserver. */
const WARNING_CHARS_MAX = 4_096;
const LONG_WARNING_CHARS = 256;
/** What of a refused body is read to keep the connection. */
const UNREAD_BYTES_MAX = 256 * 1024;
/** How long a client that goes on sending a refused body is listened to. */
const LINGER_MS = 1_000;

/** One request being answered. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Nobody else's: what is written is found again by it. */
  readonly requestId: string;
  /** What the answer says that the request was called in logs. */
  readonly auditId: string;
  /** Indented JSON, for people. */
  readonly pretty: boolean;
  /** Headers that say how the request was classified, as pairs; [] before it was. */
  flow: readonly string[];
}

/** The client's own `Audit-ID`, the first one, or else `otherwise`. */
export const auditIdOf = (request: IncomingMessage, otherwise: string): string =>
  (request.headers['audit-id'] && request.headersDistinct['audit-id']?.[0]) || otherwise;

/** Headers that every answer has; a page that may be kept says so afterwards. */
export function commonHeaders({ response, auditId, flow }: Exchange): void {
  response.setHeader('audit-id', auditId);
  response.setHeader('cache-control', NO_CACHE);
  for (let i = 0; i < flow.length; i += 2) response.setHeader(flow[i]!, flow[i + 1]!);
}

/** Headers of an answer of the API. */
export function apiHeaders(exchange: Exchange, contentType: string): void {
  commonHeaders(exchange);
  exchange.response.setHeader('content-type', contentType);
}

/** Sends a whole body, which may be shared with other responses. */
export function sendBytes(exchange: Exchange, code: number, contentType: string, body: Buffer): void {
  const { request, response, auditId, flow } = exchange;
  if (body.length >= GZIP_BYTES_MIN) {
    apiHeaders(exchange, contentType);
    response.statusCode = code;
    bodyStream(request, response, body.length).end(body);
    return;
  }
  // All at once: setting headers one by one costs as much again.
  const headers = ['audit-id', auditId, 'cache-control', NO_CACHE, 'content-type', contentType];
  response.writeHead(code, [...headers, ...flow, 'content-length', String(body.length)]).end(body);
}

export function sendJson(exchange: Exchange, code: number, json: string | Buffer): void {
  const body = exchange.pretty ? indented(json.toString()) : typeof json === 'string' ? Buffer.from(json) : json;
  sendBytes(exchange, code, JSON_TYPE, body);
}

export const indented = (json: string): Buffer => Buffer.from(`${JSON.stringify(JSON.parse(json), null, 2)}\n`);

/** In the format that the client prefers of those that have it. */
export function sendStatus(exchange: Exchange, status: Status, code: number): void {
  if (statusFormat(exchange.request.headers.accept) === 'protobuf') {
    sendBytes(exchange, code, PROTOBUF_TYPE, encodeObject(status));
  } else {
    sendJson(exchange, code, JSON.stringify(status));
  }
}

/**
 * Answers with what went wrong. An error that is no StatusError is reported to `unexpected` and told to the client
 * as an internal error. When the answer has begun already, the connection is cut: the client must see that it is
 * not whole.
 */
export function sendError(exchange: Exchange, error: unknown, unexpected: (error: unknown) => void): void {
  const { request, response } = exchange;
  if (!(error instanceof StatusError)) unexpected(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof StatusError ? error : internalError((error as Error).message);
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter) response.setHeader('retry-after', retryAfter);
  if (hasMuchToCome(request)) sendAndClose(exchange, status);
  else sendStatus(exchange, status.toStatus(), status.code);
}

/** Whether there may be more of the body than is worth reading for the sake of the connection: HTTP/2 just stops it. */
function hasMuchToCome(request: IncomingMessage): boolean {
  if (request.complete || request.httpVersionMajor === 2) return false;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || Number(length ?? 0) > UNREAD_BYTES_MAX;
}

/**
 * Sends the whole answer, and closes the connection once the client has stopped sending or some time has passed. To
 * close at once would make the client's system throw the answer away.
 */
function sendAndClose(exchange: Exchange, status: StatusError): void {
  const { request, response } = exchange;
  const body = Buffer.from(JSON.stringify(status.toStatus()));
  apiHeaders(exchange, JSON_TYPE);
  response.writeHead(status.code, { connection: 'close', 'content-length': body.length });
  response.write(body);
  const end = () => response.end();
  const late = setTimeout(end, LINGER_MS);
  response.on('close', () => clearTimeout(late));
  request.on('end', end).resume();
}

/** `Warning: 299 - "text"`, one header each. https://kubernetes.io/docs/reference/using-api/api-concepts/#warnings */
export function setWarnings(response: ServerResponse, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const total = warnings.reduce((sum, { length }) => sum + length, 0);
  const each = total > WARNING_CHARS_MAX ? LONG_WARNING_CHARS : WARNING_CHARS_MAX;
  const headers: string[] = [];
  let left = WARNING_CHARS_MAX;
  for (const warning of new Set(warnings)) {
    const text = warning.slice(0, each);
    left -= text.length;
    if (left < 0) break;
    headers.push(`299 - "${headerSafe(text)}"`);
  }
  response.setHeader('warning', headers);
}

/** Quoted as RFC 2616 wants it; a header carries no control characters and only Latin-1. */
const headerSafe = (text: string): string =>
  Buffer.from(text.replace(/[\p{Cc}]/gu, ' ').replace(/["\\]/g, '\\$&')).toString('latin1');
