import type { handleBidiStreamingCall, handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import type { KindRegistry } from '@periplus/api';
import { badRequest } from '@periplus/apimachinery';
import type { Authenticator, Fairness, ListResult, Operations, User } from '@periplus/operations';
import { type apiProto, resourcesService } from '@periplus/proto';
import { applyAll } from './apply-all.ts';
import { callError } from './call-error.ts';
import { CommandStream } from './command-stream.ts';
import { type Action, actionOf, type Command, type CommandResult, deleteOptions, runCommand } from './commands.ts';
import { callerOf, contextOf, type Ref, targetOf } from './request.ts';
import { type Asked, seated } from './seats.ts';
import { WATCH_ENCODING, WatchStream } from './watch-stream.ts';

type V1 = typeof apiProto.api.v1;
type ApplyAllRequest = apiProto.api.v1.ApplyAllRequest.$Properties;
type CommandBatch = apiProto.api.v1.CommandBatch.$Properties;
type CommandResultBatch = apiProto.api.v1.CommandResultBatch.$Properties;
type DeleteCollectionRequest = apiProto.api.v1.DeleteCollectionRequest.$Properties;
type GetRequest = apiProto.api.v1.GetRequest.$Properties;
type ListRequest = apiProto.api.v1.ListRequest.$Properties;
type WatchRequest = apiProto.api.v1.WatchRequest.$Properties;
type ListResponse = apiProto.api.v1.ListResponse.$Properties;
type ApiObject = InstanceType<V1['Object']> | apiProto.api.v1.Object.$Properties;

export interface ResourcesDeps {
  operations: Operations;
  authenticator: Authenticator;
  fairness: Fairness;
  kinds: KindRegistry;
}

/** The Resources service with watch events that come serialized. */
export const servedResources = {
  ...resourcesService,
  watch: { ...resourcesService.watch, responseSerialize: (event: Buffer) => event },
} as const;

/** What a request is about, and how much of it there may be. */
type About = Pick<Asked, 'limit'> & { ref?: Ref | null };

/** What stands behind the Resources service. */
export function resourcesHandlers(deps: ResourcesDeps) {
  const { authenticator, fairness } = deps;
  const unary =
    <Request, Response>(
      verb: string,
      answer: (user: User, request: Request) => Promise<Response>,
      about: (request: Request) => About = (request) => ({ ref: (request as About).ref ?? null }),
    ): handleUnaryCall<Request, Response> =>
    (call, callback) => {
      const { request } = call;
      Promise.resolve(callerOf(call, authenticator))
        .then((user) =>
          seated(fairness, call, { user, verb, ref: null, ...about(request) }, () => answer(user, request)),
        )
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(callError(error)),
        );
    };
  const one = (action: Action) => unary(action, (user, command: Command) => only(action, deps, user, command));
  return {
    get: unary('get', (user, request: GetRequest) => get(deps, user, request)),
    list: unary(
      'list',
      (user, request: ListRequest) => list(deps, user, request),
      ({ ref, limit }) => ({ ref: ref ?? null, limit: limit ?? 0 }),
    ),
    watch: watch(deps),
    create: one('create'),
    update: one('update'),
    patch: one('patch'),
    delete: one('delete'),
    deleteCollection: unary('deletecollection', (user, request: DeleteCollectionRequest) =>
      deleteCollection(deps, user, request),
    ),
    applyAll: unary(
      'patch',
      (user, request: ApplyAllRequest) => applyAll(deps, user, request),
      ({ namespace }) => ({ ref: { namespace: namespace ?? '' } }),
    ),
    commands: commands(deps),
  };
}

async function get({ operations, kinds }: ResourcesDeps, user: User, request: GetRequest): Promise<ApiObject> {
  const target = targetOf(kinds, request.ref);
  const options = { resourceVersion: request.resourceVersion ?? '' };
  const { bytes, resourceVersion } = await operations.get(contextOf(user), target, options);
  return { json: bytes, resourceVersion };
}

async function list({ operations, kinds }: ResourcesDeps, user: User, request: ListRequest): Promise<ListResponse> {
  const target = { ...targetOf(kinds, request.ref), name: '' };
  const found = await operations.list(contextOf(user), target, {
    labelSelector: request.labelSelector ?? '',
    fieldSelector: request.fieldSelector ?? '',
    limit: request.limit ?? 0,
    continue: request.continue ?? '',
    resourceVersion: request.resourceVersion ?? '',
    resourceVersionMatch: request.resourceVersionMatch ?? '',
  });
  return listResponse(found);
}

const listResponse = (found: ListResult): ListResponse => ({
  items: found.items.map(({ bytes, resourceVersion }) => ({ json: bytes, resourceVersion })),
  resourceVersion: found.resourceVersion,
  continue: found.continue,
  remainingItemCount: found.remainingItemCount ?? 0,
});

async function deleteCollection(
  { operations, kinds }: ResourcesDeps,
  user: User,
  request: DeleteCollectionRequest,
): Promise<ListResponse> {
  const target = { ...targetOf(kinds, request.ref), name: '' };
  const selection = { labelSelector: request.labelSelector ?? '', fieldSelector: request.fieldSelector ?? '' };
  return listResponse(
    await operations.deleteCollection(contextOf(user, request), target, selection, deleteOptions(request)),
  );
}

function only(action: Action, deps: ResourcesDeps, user: User, command: Command): Promise<CommandResult> {
  if (actionOf(command) !== action) throw badRequest(`the command must carry ${action}`);
  return runCommand(deps, user, command);
}

const watch =
  ({ operations, authenticator, fairness, kinds }: ResourcesDeps): handleServerStreamingCall<WatchRequest, Buffer> =>
  async (call) => {
    try {
      const { request } = call;
      const target = { ...targetOf(kinds, request.ref), name: '' };
      const user = await callerOf(call, authenticator);
      const context = contextOf(user);
      const sink = new WatchStream(call);
      const options = {
        labelSelector: request.labelSelector ?? '',
        fieldSelector: request.fieldSelector ?? '',
        resourceVersion: request.resourceVersion ?? '',
        allowWatchBookmarks: request.allowBookmarks ?? false,
        resourceVersionMatch: request.resourceVersionMatch || (request.sendInitialEvents ? 'NotOlderThan' : ''),
        ...(request.sendInitialEvents && { sendInitialEvents: true }),
        timeoutSeconds: request.timeoutSeconds ?? 0,
      };
      // It has its seat until it stands.
      const begin = () => operations.watch(context, target, options, WATCH_ENCODING, sink);
      sink.begin(await seated(fairness, call, { user, verb: 'watch', ref: request.ref }, begin));
    } catch (error) {
      call.emit('error', callError(error));
    }
  };

const commands =
  (deps: ResourcesDeps): handleBidiStreamingCall<CommandBatch, CommandResultBatch> =>
  async (call) => {
    try {
      new CommandStream(deps, await callerOf(call, deps.authenticator), call);
    } catch (error) {
      call.emit('error', callError(error));
    }
  };
