/**
 * The api-server as its programs see it: `CommandStream` for many commands in few messages (reconcilers, the
 * scheduler, node-agents), `openResourceClient` for single calls and watches, `Informer` for all objects of a kind and
 * what becomes of them, `EventRecorder` for Kubernetes Events.
 */
import { CommandStream } from './command-stream.ts';
import { grpcTransport } from './command-transport.ts';
import type { ConnectionOptions } from './connection.ts';
import type { CommandClient } from './types.ts';

export type { ConnectionOptions } from './connection.ts';
export { EventRecorder, type EventRecorderDeps, type RecordedEvent } from './event-recorder.ts';
export type { Indexer } from './indexed-objects.ts';
export { Informer, type InformerHandlers, type InformerOptions } from './informer.ts';
export { isOutcomeUnknown, OutcomeUnknownError } from './outcome-unknown.ts';
export {
  type Applicable,
  type ApplyAllOptions,
  type DeleteCollectionOptions,
  type List,
  type ListOptions,
  openResourceClient,
  type ResourceClient,
  type ResourceEvent,
  type WatchOptions,
} from './resource-client.ts';
export type { Command, CommandCause, CommandClient, CommandOutcome } from './types.ts';

/** A command stream over gRPC with TLS client certificates. Connects at once and whenever it has to. */
export const openCommandClient = (options: ConnectionOptions): CommandClient =>
  new CommandStream(grpcTransport(options));
