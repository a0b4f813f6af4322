import type { KindRegistry } from '@periplus/api';
import { type Check, type Metrics, runChecks } from '@periplus/component';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AGGREGATED, type Discovery, type Document, discoveryOf } from './discovery.ts';
import { type Issuer, serveIssuer } from './issuer-discovery.ts';
import { firstAccepted } from './media-types.ts';
import { serveOpenApi } from './openapi/pages.ts';
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
  app.get('/version', (_request, reply) => reply.type('application/json').send(JSON.stringify(VERSION, null, 2)));
  app.get('/metrics', (_request, reply) => reply.type('text/plain; version=0.0.4').send(deps.metrics.text()));
  app.setNotFoundHandler((_request, reply) => notFound(reply));
}

const notFound = (reply: FastifyReply) => reply.code(404).type(TEXT).send('404 page not found\n');

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

  app.get('/', (_request, reply) => reply.send({ paths: rootPaths(kinds) }));
  app.get('/api', (request, reply) => {
    const all = current();
    send(request, reply, all.aggregatedCore.get(wantsAll(request)) ?? all.legacyVersions(advertiseAddress));
  });
  app.get('/apis', (request, reply) => {
    const all = current();
    send(request, reply, all.aggregatedGroups.get(wantsAll(request)) ?? all.groups);
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
  reply.header('cache-control', 'public').header('etag', page.etag).header('vary', 'Accept');
  if (request.headers['if-none-match'] === page.etag) reply.code(304).send();
  else reply.type(page.contentType).send(page.body);
}

function serveHealth(app: FastifyInstance, { live, ready }: PageDeps): void {
  const endpoints = { livez: live, readyz: [...live, ...ready], healthz: [...live, ...ready] };
  for (const [name, checks] of Object.entries(endpoints)) {
    app.get<{ Querystring: { verbose?: string; exclude?: string | string[] } }>(`/${name}`, async (request, reply) => {
      const excluded = [request.query.exclude ?? []].flat();
      const page = await runChecks(
        name,
        checks.filter((check) => !excluded.includes(check.name)),
      );
      const short = page.ok && request.query.verbose === undefined;
      return reply
        .code(page.ok ? 200 : 500)
        .type(TEXT)
        .send(short ? 'ok' : page.verbose);
    });
    for (const check of checks) {
      app.get(`/${name}/${check.name}`, async (_request, reply) => {
        const page = await runChecks(check.name, [check]);
        return reply
          .code(page.ok ? 200 : 500)
          .type(TEXT)
          .send(page.ok ? 'ok' : page.verbose);
      });
    }
  }
}
