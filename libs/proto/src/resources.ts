import { periplus as messages } from '../generated/api.js';
import { method } from './service.ts';

const { v1 } = messages.api;
const path = (name: string): string => `/periplus.api.v1.Resources/${name}`;

/** The Resources service of `proto/periplus/api/v1`, for servers and clients of grpc-js. */
export const resourcesService = {
  get: method(path('Get'), v1.GetRequest, v1.Object),
  list: method(path('List'), v1.ListRequest, v1.ListResponse),
  watch: method(path('Watch'), v1.WatchRequest, v1.WatchEvent, { response: true }),
  create: method(path('Create'), v1.Command, v1.CommandResult),
  update: method(path('Update'), v1.Command, v1.CommandResult),
  patch: method(path('Patch'), v1.Command, v1.CommandResult),
  delete: method(path('Delete'), v1.Command, v1.CommandResult),
  deleteCollection: method(path('DeleteCollection'), v1.DeleteCollectionRequest, v1.ListResponse),
  applyAll: method(path('ApplyAll'), v1.ApplyAllRequest, v1.ApplyAllResponse),
  commands: method(path('Commands'), v1.CommandBatch, v1.CommandResultBatch, { request: true, response: true }),
} as const;
