import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { KindRegistry } from '@periplus/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptsGzip } from '../compression.ts';
import { firstAcceptedType } from '../media-types.ts';
import { JSON_TYPE, type PackedDocument, Publication, V2_PROTOBUF_TYPE, V3_PROTOBUF_TYPE } from './publication.ts';

/** What follows `?hash=` never changes: a client may keep it as long as caches may be told to. */
const FOREVER_MS = 365 * 24 * 60 * 60 * 1000;
/** How the same forms were called once, and still are by who asks for them. */
const V2_PROTOBUF_TYPE_ONCE = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const V3_PROTOBUF_TYPE_ONCE = 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf';

const unpack = promisify(gunzip);

/** `/openapi/v2` and `/openapi/v3`. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition */
export function serveOpenApi(app: FastifyInstance, kinds: KindRegistry): void {
  let madeOf: readonly unknown[] | null = null;
  let publication: Publication;
  /** Another one when kinds have come or gone: the registry returns another list then. */
  const current = (): Publication => {
    const all = kinds.all();
    if (madeOf !== all) publication = new Publication(all);
    madeOf = all;
    return publication;
  };

  app.get('/openapi/v3', async (request, reply) => {
    const { body, contentType, etag } = await current().index();
    reply.header('etag', etag).header('vary', 'Accept');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type(contentType).send(body);
  });

  app.get<{ Params: { '*': string }; Querystring: { hash?: string } }>('/openapi/v3/*', async (request, reply) => {
    reply.header('vary', 'Accept');
    const type = firstAcceptedType(request.headers.accept, [JSON_TYPE, V3_PROTOBUF_TYPE, V3_PROTOBUF_TYPE_ONCE]);
    if (!type) return reply.code(406).send();
    const path = request.params['*'];
    const page = await current().v3(path, type === JSON_TYPE ? JSON_TYPE : V3_PROTOBUF_TYPE);
    if (!page) return reply.callNotFound();
    const asked = request.query.hash;
    if (asked && asked !== page.hash) return reply.redirect(`/openapi/v3/${path}?hash=${page.hash}`, 301);
    if (asked) {
      reply.header('cache-control', 'public, immutable');
      reply.header('expires', new Date(Date.now() + FOREVER_MS).toUTCString());
    }
    return send(request, reply, page);
  });

  app.get('/openapi/v2', async (request, reply) => {
    reply.header('vary', 'Accept');
    const offers = [JSON_TYPE, V2_PROTOBUF_TYPE, V2_PROTOBUF_TYPE_ONCE];
    const type = firstAcceptedType(request.headers.accept, offers);
    if (!type) return reply.code(406).send();
    return send(request, reply, await current().v2(type === JSON_TYPE ? JSON_TYPE : V2_PROTOBUF_TYPE));
  });
}

async function send(request: FastifyRequest, reply: FastifyReply, page: PackedDocument): Promise<FastifyReply> {
  const etag = `"${page.hash}"`;
  reply.header('etag', etag);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  reply.type(page.contentType);
  if (!acceptsGzip(request.raw)) return reply.send(await unpack(page.gzip));
  return reply.header('vary', 'Accept, Accept-Encoding').header('content-encoding', 'gzip').send(page.gzip);
}
