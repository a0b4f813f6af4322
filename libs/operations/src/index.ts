/**
 * The api-server's core: everything about a request but its wire format. `types.ts` is the contract, `operations.ts`
 * puts it together. A change passes authenticate > authorize > admit > default > validate > commit: see `chain.ts` and
 * the lists of steps in `writing/`. Reads and watches are served from the cache: `reading/` and `watching/`. Who waits for
 * whom when too much is asked at once is said in `fairness/`. Who somebody is and what he may is for `authentication/`
 * and `authorization/` to say, also to others, by `reviews/`.
 */
export { createAuthenticator } from './authentication/authenticator.ts';
export { BootstrapTokenAuthenticator } from './authentication/bootstrap-token-authenticator.ts';
export { forApiServer } from './authentication/for-api-server.ts';
export { LegacyTokenAuthenticator } from './authentication/legacy-token-authenticator.ts';
export { LegacyTokenUses } from './authentication/legacy-token-uses.ts';
export { OidcAuthenticator, type OidcConfig } from './authentication/oidc-authenticator.ts';
export { ServiceAccountAuthenticator } from './authentication/service-account-authenticator.ts';
export { ServiceAccountTokens, type TokenConfig } from './authentication/service-account-tokens.ts';
export { WebhookAuthenticator, type WebhookConfig } from './authentication/webhook-authenticator.ts';
export { type ClusterAuthorizer, createAuthorizer } from './authorization/authorizer.ts';
export { type BootstrapDeps, bootstrap } from './bootstrap/bootstrap.ts';
export { type CacheReader, cacheIndexes } from './cluster-state.ts';
export type { Component } from './components/component-statuses.ts';
export { LeaderLeases, type LeaderLeasesDeps } from './components/leader-leases.ts';
export { Fairness, type Flow, type FlowObserver } from './fairness/fairness.ts';
export { type PriorityLevel, type Refusal, type Seat, TooManyRequests, Waiting } from './fairness/priority-level.ts';
export type { NodeUsage, NodeUsageSource, Usage } from './metrics/node-usage.ts';
export { createOperations, type OperationsDeps } from './operations.ts';
export { deleteOptionsSchema } from './subresources/body-schemas.ts';
export type {
  Attributes,
  Authenticator,
  Authorizer,
  Body,
  Configured,
  Credentials,
  Decision,
  DeleteOptions,
  DeleteResult,
  Disruption,
  Item,
  ListOptions,
  ListResult,
  ObjectResult,
  Operations,
  Patch,
  Preconditions,
  RequestContext,
  Target,
  TokenIdentity,
  User,
  Watch,
  WatchChunk,
  WatchEncoding,
  WatchEvent,
  WatchOptions,
  WatchSink,
} from './types.ts';
export { PATCH_MEDIA_TYPES } from './writing/patch.ts';
export { ServiceNetwork, type ServiceNetworkConfig } from './writing/service-network.ts';
