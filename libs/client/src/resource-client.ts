import type { CallOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { status as grpcStatus, Metadata } from '@grpc/grpc-js';
import type { Kind } from '@periplus/api';
import { type KubeObject, StatusError } from '@periplus/apimachinery';
import { type apiProto, resourcesService } from '@periplus/proto';
import { callError } from './call-error.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { encodeCommand, json } from './encode-command.ts';
import { OutcomeUnknownError } from './outcome-unknown.ts';
import type { Command, CommandCause } from './types.ts';

export interface ListOptions {
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface List<T> {
  items: T[];
  resourceVersion: string;
  /** '' on the last page. */
  continue: string;
}

export interface WatchOptions {
  labelSelector?: string;
  fieldSelector?: string;
  /** Events after this version; absent: from now, with what exists first when `sendInitialEvents` is set. */
  resourceVersion?: string;
  allowBookmarks?: boolean;
  sendInitialEvents?: boolean;
  signal?: AbortSignal;
}

export interface ResourceEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/** An object as somebody wants it to be: it has what it is about, and no more. */
export interface Applicable {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
}

export interface ApplyAllOptions {
  /** Of objects that name none; "default" when absent. */
  namespace?: string;
  /** Who manages the fields; the caller's name when absent. */
  fieldManager?: string;
  /** Takes fields that others manage. */
  force?: boolean;
  dryRun?: boolean;
  cause?: CommandCause;
  signal?: AbortSignal;
}

/** What of a kind is deleted, and how. */
export interface DeleteCollectionOptions {
  labelSelector?: string;
  fieldSelector?: string;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
  dryRun?: boolean;
  cause?: CommandCause;
  signal?: AbortSignal;
}

/** The cluster API for programs that need an answer rather than throughput. All methods reject with StatusError. */
export interface ResourceClient {
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string, signal?: AbortSignal): Promise<T>;
  /** All namespaces when `namespace` is ''. */
  list<T extends KubeObject>(kind: Kind<T>, namespace: string, options?: ListOptions): Promise<List<T>>;
  /** Ends by throwing: ServiceUnavailable when the connection is lost, Expired when `resourceVersion` is too old. */
  watch<T extends KubeObject>(
    kind: Kind<T>,
    namespace: string,
    options?: WatchOptions,
  ): AsyncIterable<ResourceEvent<T>>;
  /** One command; resolves with the object as it is afterwards (for a removal, as it was). */
  execute<T extends KubeObject>(command: Command, cause?: CommandCause | null, signal?: AbortSignal): Promise<T>;
  /** Deletes what a list with the same selectors shows, one after the other; resolves with the objects as they were. */
  deleteCollection<T extends KubeObject>(
    kind: Kind<T>,
    namespace: string,
    options?: DeleteCollectionOptions,
  ): Promise<T[]>;
  /** Applies 1 to 100 objects, all or nothing and at one revision; resolves with them as they are afterwards. */
  applyAll<T extends Applicable>(objects: readonly T[], options?: ApplyAllOptions): Promise<(T & KubeObject)[]>;
  close(): void;
}

/** One unary call, from its start to its answer. */
const CALL_TIMEOUT_MS = 30_000;
/** Waits for a connection instead of failing while one is being made. */
const METADATA = new Metadata({ waitForReady: true });

const reference = (kind: Kind, namespace: string, name = ''): apiProto.api.v1.ResourceRef.$Properties => ({
  group: kind.group,
  version: kind.version,
  resource: kind.plural,
  namespace,
  name,
});

const parsed = <T>(bytes: Uint8Array | null | undefined): T => JSON.parse(Buffer.from(bytes ?? []).toString()) as T;

/** The answer to a write; without one, nobody knows whether it happened. */
async function write<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { reason, message } = error as StatusError;
    if (reason !== 'ServiceUnavailable' && reason !== 'Timeout') throw error;
    throw new OutcomeUnknownError(reason, message, error);
  }
}

type Method = (typeof resourcesService)[Exclude<keyof typeof resourcesService, 'watch' | 'commands'>];
type RequestOf<M> = M extends { requestSerialize(message: infer R): Buffer } ? R : never;
type ResponseOf<M> = M extends { responseDeserialize(bytes: Buffer): infer R } ? R : never;

/** Opens one connection; calls made while it is down wait for it within their time limit. */
export function openResourceClient(options: ConnectionOptions): ResourceClient {
  const connection = new Connection(options);
  const call = <M extends Method>(method: M, request: RequestOf<M>, signal?: AbortSignal): Promise<ResponseOf<M>> =>
    new Promise((resolve, reject) => {
      const { client } = connection;
      const callOptions: CallOptions = { deadline: Date.now() + CALL_TIMEOUT_MS };
      const sent = client.makeUnaryRequest(
        method.path,
        method.requestSerialize as (message: RequestOf<M>) => Buffer,
        method.responseDeserialize as (bytes: Buffer) => ResponseOf<M>,
        request,
        METADATA,
        callOptions,
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (!error) return resolve(response as ResponseOf<M>);
          if (error.code === grpcStatus.UNAVAILABLE) connection.failover(client);
          reject(callError(error));
        },
      );
      const cancel = (): void => sent.cancel();
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });

  return {
    async get(kind, namespace, name, signal) {
      const { json } = await call(resourcesService.get, { ref: reference(kind, namespace, name) }, signal);
      return parsed(json);
    },
    async list(kind, namespace, list = {}) {
      const answer = await call(resourcesService.list, { ref: reference(kind, namespace), ...list });
      return {
        items: (answer.items ?? []).map((item) => parsed(item.json)),
        resourceVersion: answer.resourceVersion ?? '',
        continue: answer.continue ?? '',
      };
    },
    watch: (kind, namespace, watch = {}) => watchEvents(connection, kind, namespace, watch),
    async execute(command, cause = null, signal) {
      const message = { ...encodeCommand(1, command, cause), returnObject: true };
      const { object } = await write(call(resourcesService[command.verb], message, signal));
      return parsed(object);
    },
    async deleteCollection(kind, namespace, options = {}) {
      const { signal, propagationPolicy = '', gracePeriodSeconds, ...selection } = options;
      const action = { propagationPolicy, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) };
      const request = { ref: reference(kind, namespace), ...selection, delete: action };
      const answer = await write(call(resourcesService.deleteCollection, request, signal));
      return (answer.items ?? []).map((item) => parsed(item.json));
    },
    async applyAll(objects, { signal, ...options } = {}) {
      const request = { ...options, objects: objects.map(json), returnObjects: true };
      const answer = await write(call(resourcesService.applyAll, request, signal));
      return (answer.objects ?? []).map((object) => parsed(object.json));
    },
    close: () => connection.close(),
  };
}

async function* watchEvents<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  namespace: string,
  options: WatchOptions,
): AsyncGenerator<ResourceEvent<T>> {
  const { client } = connection;
  const { path, requestSerialize, responseDeserialize } = resourcesService.watch;
  const { signal, ...selection } = options;
  const request = { ref: reference(kind, namespace), ...selection };
  const stream: ClientReadableStream<apiProto.api.v1.WatchEvent.$Properties> = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    METADATA,
  );
  const cancel = (): void => stream.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    signal?.throwIfAborted();
    for await (const { type, object } of stream as AsyncIterable<apiProto.api.v1.WatchEvent.$Properties>) {
      if (type === 'ERROR') throw StatusError.fromStatus(parsed(object?.json));
      yield { type: type as ResourceEvent<T>['type'], object: parsed<T>(object?.json) };
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof StatusError) throw error;
    connection.failover(client);
    throw callError(error as ServiceError);
  } finally {
    signal?.removeEventListener('abort', cancel);
    stream.cancel();
  }
}
