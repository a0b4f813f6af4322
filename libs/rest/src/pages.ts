import type { KindRegistry } from '@periplus/api';
import { type Check, type Metrics, runChecks, whyNot } from '@periplus/component';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AGGREGATED, type Discovery, type Document, discoveryOf } from './discovery.ts';
import { type Issuer, serveIssuer } from './issuer-discovery.ts';
import { firstAccepted } from './media-types.ts';
import { serveOpenApi } from './openapi/pages.ts';
import { isPretty } from './pretty.ts';
import { indented } from './respond.ts';
import { VERSION } from './version.ts';

/** What the pages that are no resources show. */
export interface PageDeps {
  kinds: KindRegistry;
  metrics: Metrics;
  /** The process is well. */
  live: readonly Check[];
  /** It can also answer requests. */
  ready: readonly Check[];
  /** "10.0.0.1:6443", told to clients that ask for the versions. */
  advertiseAddress: string;
  /** Null: nobody is told who issues tokens. */
  issuer: Issuer | null;
}

const TEXT = 'text/plain; charset=utf-8';
const PATHS = [
  '/.well-known/openid-configuration',
  '/api',
  '/api/v1',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openid/v1/jwks',
  '/readyz',
  '/version',
];

/** Everything that is served beside resources: discovery, OpenAPI, health, metrics, version. */
export function servePages(app: FastifyInstance, deps: PageDeps): void {
  serveDiscovery(app, deps);
  serveOpenApi(app, deps.kinds);
  serveHealth(app, deps);
  if (deps.issuer) serveIssuer(app, deps.issuer, deps.advertiseAddress);
  app.get('/version', (_request, reply) => sendIndented(reply, VERSION));
  app.get('/metrics', (_request, reply) => reply.type('text/plain; version=0.0.4').send(deps.metrics.text()));
  app.setNotFoundHandler((_request, reply) => notFound(reply));
}

const sendText = (reply: FastifyReply, code: number, text: string) =>
  reply.code(code).header('x-content-type-options', 'nosniff').type(TEXT).send(text);
const notFound = (reply: FastifyReply) => sendText(reply, 404, '404 page not found\n');
/** Indented, whoever asks; as bytes, since text gets a character set added to its type. */
const sendIndented = (reply: FastifyReply, page: object) =>
  reply.type('application/json').send(Buffer.from(JSON.stringify(page, null, 2)));

function serveDiscovery(app: FastifyInstance, { kinds, advertiseAddress }: PageDeps): void {
  let madeOf: readonly unknown[] | null = null;
  let discovery: Discovery;
  /** Made anew when kinds have come or gone: the registry returns another list then. */
  const current = (): Discovery => {
    const all = kinds.all();
    if (madeOf !== all) discovery = discoveryOf(all);
    madeOf = all;
    return discovery;
  };
  /** The version of the document that has everything in one, if that is what the client wants. */
  const wantsAll = (request: FastifyRequest): string =>
    firstAccepted(request.headers.accept, AGGREGATED)?.version ?? '';

  app.get('/', (_request, reply) => sendIndented(reply, { paths: rootPaths(kinds) }));
  app.get('/api', (request, reply) => {
    const all = current();
    const tagged = all.aggregatedCore.get(wantsAll(request));
    if (tagged) sendTagged(request, reply, tagged);
    else send(request, reply, all.legacyVersions(advertiseAddress));
  });
  app.get('/apis', (request, reply) => {
    const all = current();
    const tagged = all.aggregatedGroups.get(wantsAll(request));
    if (tagged) sendTagged(request, reply, tagged);
    else send(request, reply, all.groups);
  });
  app.get<{ Params: { version: string } }>('/api/:version', (request, reply) => {
    send(request, reply, current().resources.get(`/${request.params.version}`));
  });
  app.get<{ Params: { group: string } }>('/apis/:group', (request, reply) => {
    send(request, reply, current().group.get(request.params.group));
  });
  app.get<{ Params: { group: string; version: string } }>('/apis/:group/:version', (request, reply) => {
    const { group, version } = request.params;
    send(request, reply, current().resources.get(`${group}/${version}`));
  });
}

function rootPaths(kinds: KindRegistry): string[] {
  const groups = kinds.groups().filter((group) => group !== '');
  const versions = groups.flatMap((group) => [
    `/apis/${group}`,
    ...kinds.versions(group).map((version) => `/apis/${group}/${version}`),
  ]);
  return [...PATHS, ...versions].sort();
}

function send(request: FastifyRequest, reply: FastifyReply, page: Document | undefined): void {
  if (!page) {
    notFound(reply);
    return;
  }
  const [, query = ''] = request.url.split('?');
  const body = isPretty(request.raw, query) ? indented(page.body.toString()) : page.body;
  reply.type(page.contentType).send(body);
}

/** As `send`, for what clients are to keep. */
function sendTagged(request: FastifyRequest, reply: FastifyReply, page: Document): void {
  reply.header('cache-control', 'public').header('etag', page.etag).header('vary', 'Accept');
  if (request.headers['if-none-match'] === page.etag) reply.code(304).send();
  else send(request, reply, page);
}

function serveHealth(app: FastifyInstance, { live, ready }: PageDeps): void {
  const endpoints = { livez: live, readyz: [...live, ...ready], healthz: [...live, ...ready] };
  for (const [name, checks] of Object.entries(endpoints)) {
    app.get<{ Querystring: { verbose?: string; exclude?: string | string[] } }>(`/${name}`, async (request, reply) => {
      const excluded = [request.query.exclude ?? []].flat();
      const page = await runChecks(name, checks, { excluded, withholdReasons: true });
      const short = page.ok && request.query.verbose === undefined;
      return sendText(reply, page.ok ? 200 : 500, short ? 'ok' : page.verbose);
    });
    for (const check of checks) {
      app.get(`/${name}/${check.name}`, async (_request, reply) => {
        const reason = await whyNot(check);
        return reason === undefined
          ? sendText(reply, 200, 'ok')
          : sendText(reply, 500, `internal server error: ${reason}\n`);
      });
    }
  }
}
