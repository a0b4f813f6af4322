/**
 * The Kubernetes REST API over the operations core. A request enters in `rest-server.ts` (who asks), is read by
 * `request-info.ts` (what about) and answered by `resource-api.ts` (resources) or `pages.ts` (everything else).
 * `protobuf/` is the encoding beside JSON, `openapi/` what is published of the kinds.
 */
export type { NodeCredentials } from './node-proxy.ts';
export { NodeStats } from './node-stats.ts';
export { type RestDeps, type RestServer, startRestServer } from './rest-server.ts';
export { VERSION } from './version.ts';
