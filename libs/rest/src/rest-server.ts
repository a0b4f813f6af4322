import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { KindRegistry } from '@periplus/api';
import { badRequest } from '@periplus/apimachinery';
import type { Check, Logger, Metrics } from '@periplus/component';
import type { Authenticator, Fairness, Operations, Seat, User } from '@periplus/operations';
import { fastify } from 'fastify';
import { ConnectionUsers } from './connection-user.ts';
import { Deadlines } from './deadlines.ts';
import { FlowControl } from './flow-control.ts';
import { Http2Connections } from './http2-connections.ts';
import { actingUser } from './impersonation.ts';
import type { Issuer } from './issuer-discovery.ts';
import type { NodeCredentials } from './node-proxy.ts';
import { servePages } from './pages.ts';
import { PodLogs } from './pod-logs.ts';
import { isPretty } from './pretty.ts';
import { type RequestInfo, requestInfo } from './request-info.ts';
import { isLongRunning, RequestMetrics } from './request-metrics.ts';
import { ResourceApi } from './resource-api.ts';
import { auditIdOf, commonHeaders, type Exchange, sendError } from './respond.ts';

/** A connection without requests is kept this long: Go clients close theirs after 90 s, and must do so first. */
const IDLE_CONNECTION_MS_MAX = 95_000;
/** A client that does not finish its headers, or its whole request, by then is cut off. */
const HEADERS_MS_MAX = 32_000;
const RECEIVE_MS_MAX = 60_000;
const HEADER_BYTES_MAX = 32 * 1024;
const HANDSHAKE_MS_MAX = 10_000;
/** After this, connections that still answer are cut. */
const CLOSE_MS_MAX = 10_000;
/** How long clients have to learn that this server is going, before connections that they do not use are closed. */
const DRAIN_MS = 1_000;
const DRAIN_LOOK_MS = 20;
/** Open to everybody, whatever RBAC says: whoever probes a server that just started can't log in yet. */
const ALWAYS_ALLOWED = /^\/(healthz|livez|readyz)$/;

export interface RestDeps {
  operations: Operations;
  authenticator: Authenticator;
  fairness: Fairness;
  kinds: KindRegistry;
  metrics: Metrics;
  log: Logger;
  live: readonly Check[];
  ready: readonly Check[];
  /** PEM. Client certificates must come from `clientAuthority`. */
  tls: { cert: Buffer; key: Buffer; clientAuthority: Buffer };
  /** For the logs of pods; null refuses them. */
  nodeCredentials: NodeCredentials | null;
  /** Null: nobody is told who issues tokens. */
  issuer: Issuer | null;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** What clients are told to connect to; host and port when absent. */
  advertiseAddress?: string;
}

export interface RestServer {
  port: number;
  /**
   * Says that it is not ready, and answers what comes with the request to go elsewhere, for a second or until nobody is
   * left: a connection that is just closed might have a request under way.
   */
  drain(): Promise<void>;
  /** Takes no more requests, lets those that are being answered end (10 s at most), then closes. End watches then. */
  close(): Promise<void>;
}

/** Serves the Kubernetes API on HTTPS. Resolves when it listens. */
export async function startRestServer(deps: RestDeps): Promise<RestServer> {
  const logs = new PodLogs(deps);
  const front = new FrontDoor(deps, new ResourceApi({ ...deps, logs }));
  const { cert, key, clientAuthority } = deps.tls;
  let server: Server | undefined;
  let http2: Http2Connections | undefined;
  const app = fastify({
    // Resources pass Fastify by: its router and its request and reply objects cost as much as our own work.
    serverFactory: (pages) => {
      const handle = (request: IncomingMessage, response: ServerResponse) =>
        void front.handle(request, response, pages);
      server = createServer(
        {
          cert,
          key,
          ca: clientAuthority,
          requestCert: true,
          rejectUnauthorized: false,
          ALPNProtocols: ['h2', 'http/1.1'],
          minVersion: 'TLSv1.2',
          keepAliveTimeout: IDLE_CONNECTION_MS_MAX,
          handshakeTimeout: HANDSHAKE_MS_MAX,
          headersTimeout: HEADERS_MS_MAX,
          requestTimeout: RECEIVE_MS_MAX,
          maxHeaderSize: HEADER_BYTES_MAX,
          noDelay: true,
        },
        handle,
      );
      const limits = { headerBytesMax: HEADER_BYTES_MAX, idleMsMax: IDLE_CONNECTION_MS_MAX };
      http2 = new Http2Connections(server, limits, handle);
      return server;
    },
    exposeHeadRoutes: true,
    forceCloseConnections: false,
    // Clients that are generated from the OpenAPI document ask for `/version/` and `/apis/`.
    routerOptions: { ignoreTrailingSlash: true },
  });
  const going: Check = {
    name: 'shutdown',
    run: () => {
      if (front.draining) throw new Error('process is shutting down');
    },
  };
  servePages(app, {
    ...deps,
    ready: [...deps.ready, going],
    advertiseAddress: deps.advertiseAddress ?? `${deps.host}:${deps.port}`,
  });
  await app.listen({ host: deps.host, port: deps.port });
  return {
    port: (server!.address() as AddressInfo).port,
    drain: async () => {
      front.draining = true;
      const endMs = performance.now() + DRAIN_MS;
      while (performance.now() < endMs && (await connectionCount(server!)) > 0) await pause(DRAIN_LOOK_MS);
    },
    close: async () => {
      const cut = setTimeout(() => {
        server!.closeAllConnections();
        http2!.destroy();
      }, CLOSE_MS_MAX);
      server!.closeIdleConnections();
      http2!.close();
      await app.close();
      clearTimeout(cut);
      logs.close();
      front.close();
    },
  };
}

const connectionCount = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));

/** What every request passes: who asks, what about, and may they. */
class FrontDoor {
  draining = false;
  private readonly deps: RestDeps;
  private readonly users: ConnectionUsers;
  private readonly resources: ResourceApi;
  private readonly metrics: RequestMetrics;
  private readonly flows: FlowControl;
  private readonly deadlines = new Deadlines();

  constructor(deps: RestDeps, resources: ResourceApi) {
    this.deps = deps;
    this.users = new ConnectionUsers(deps.authenticator);
    this.resources = resources;
    this.metrics = new RequestMetrics(deps.metrics, deps.kinds);
    this.flows = new FlowControl(deps.fairness);
  }

  /** Never rejects: whatever goes wrong is answered. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    pages: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<void> {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? '' : url.slice(mark + 1);
    const pretty = isPretty(request, query);
    const requestId = randomUUID();
    const auditId = auditIdOf(request, requestId);
    const exchange: Exchange = { request, response, requestId, auditId, pretty, flow: [] };
    if (this.draining) leaveAfterAnswer(request, response);
    const info = requestInfo(request.method ?? 'GET', path, query);
    if (!info) {
      this.refuse(exchange, badRequest(`invalid URL escape in ${JSON.stringify(path)}`));
      return;
    }
    const startMs = performance.now();
    this.metrics.begin(info);
    let seat: Seat | null = null;
    let done: (() => void) | null = null;
    try {
      if (!isLongRunning(info)) done = this.deadlines.start(query, (error) => this.refuse(exchange, error));
      const known = this.users.userOf(request);
      const login = known instanceof Promise ? await known : known;
      const user = actingUser(request, login, this.authorize);
      // A watch has its seat until it stands.
      const place = info.subresource === 'log' ? null : this.flows.enter(exchange, info, user, query);
      seat = place instanceof Promise ? await place : place;
      if (info.isResource) await this.resources.handle(exchange, info, query, user);
      else this.page(exchange, info, user, pages);
    } catch (error) {
      this.refuse(exchange, error);
    } finally {
      seat?.release();
      done?.();
      this.finish(response, info, startMs);
    }
  }

  private page(
    exchange: Exchange,
    info: RequestInfo,
    user: User,
    pages: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    if (!ALWAYS_ALLOWED.test(info.path)) this.deps.operations.authorize(user, info);
    commonHeaders(exchange);
    pages(exchange.request, exchange.response);
  }

  /** A watch or a followed log is answered when its connection ends. */
  private finish(response: ServerResponse, info: RequestInfo, startMs: number): void {
    const end = () => this.metrics.end(info, response.statusCode, (performance.now() - startMs) / 1000);
    if (response.writableEnded || response.destroyed) end();
    else response.once('close', end);
  }

  private readonly authorize: Operations['authorize'] = (user, attributes) =>
    this.deps.operations.authorize(user, attributes);

  private refuse(exchange: Exchange, error: unknown): void {
    // Its time was over before; what comes of it now has nobody to go to.
    if (exchange.response.writableEnded) return;
    sendError(exchange, error, (unexpected) => {
      this.deps.log.error({ error: unexpected }, 'a request failed unexpectedly');
    });
  }

  close(): void {
    this.deadlines.close();
  }
}

/** Another server, or a new connection, is to answer the next request. HTTP/2 has its own way to say so. */
function leaveAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
}
