import type { handleBidiStreamingCall, handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import type { KindRegistry } from '@periplus/api';
import { badRequest } from '@periplus/apimachinery';
import type { Authenticator, ListResult, Operations, User } from '@periplus/operations';
import { type apiProto, resourcesService } from '@periplus/proto';
import { applyAll } from './apply-all.ts';
import { callError } from './call-error.ts';
import { CommandStream } from './command-stream.ts';
import { type Action, actionOf, type Command, type CommandResult, deleteOptions, runCommand } from './commands.ts';
import { callerOf, contextOf, targetOf } from './request.ts';
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
  kinds: KindRegistry;
}

/** The Resources service with watch events that come serialized. */
export const servedResources = {
  ...resourcesService,
  watch: { ...resourcesService.watch, responseSerialize: (event: Buffer) => event },
} as const;

/** What stands behind the Resources service. */
export function resourcesHandlers(deps: ResourcesDeps) {
  const unary =
    <Request, Response>(
      answer: (user: User, request: Request) => Promise<Response>,
    ): handleUnaryCall<Request, Response> =>
    (call, callback) => {
      Promise.resolve(callerOf(call, deps.authenticator))
        .then((user) => answer(user, call.request))
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(callError(error)),
        );
    };
  return {
    get: unary((user, request: GetRequest) => get(deps, user, request)),
    list: unary((user, request: ListRequest) => list(deps, user, request)),
    watch: watch(deps),
    create: unary((user, command: Command) => only('create', deps, user, command)),
    update: unary((user, command: Command) => only('update', deps, user, command)),
    patch: unary((user, command: Command) => only('patch', deps, user, command)),
    delete: unary((user, command: Command) => only('delete', deps, user, command)),
    deleteCollection: unary((user, request: DeleteCollectionRequest) => deleteCollection(deps, user, request)),
    applyAll: unary((user, request: ApplyAllRequest) => applyAll(deps, user, request)),
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
  ({ operations, authenticator, kinds }: ResourcesDeps): handleServerStreamingCall<WatchRequest, Buffer> =>
  async (call) => {
    try {
      const { request } = call;
      const target = { ...targetOf(kinds, request.ref), name: '' };
      const context = contextOf(await callerOf(call, authenticator));
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
      sink.begin(await operations.watch(context, target, options, WATCH_ENCODING, sink));
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
