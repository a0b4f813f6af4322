import type { Kind, KindRegistry } from '@periplus/api';
import { methodNotAllowed, pathNotFound } from '@periplus/apimachinery';
import {
  type DeleteOptions,
  type ObjectResult,
  type Operations,
  PATCH_MEDIA_TYPES,
  type RequestContext,
  type Target,
  type User,
} from '@periplus/operations';
import { readBody } from './body.ts';
import { decodeBody, decodePatch, decodeYamlPatch } from './decode.ts';
import { sendList } from './list-response.ts';
import {
  bodyFormat,
  type Encoding,
  mediaType,
  negotiate,
  negotiateStream,
  unsupportedMediaType,
} from './media-types.ts';
import type { PodLogs } from './pod-logs.ts';
import {
  checkDryRun,
  deleteOptionsOfBody,
  deleteOptionsOfQuery,
  listOptions,
  type WriteOptions,
  watchOptions,
  writeOptions,
} from './query.ts';
import type { RequestInfo } from './request-info.ts';
import { type Exchange, sendBytes, sendStatus, setWarnings } from './respond.ts';
import { subresourcesOf } from './served-resources.ts';
import { isStatus, sendItem, watchEncoding } from './shapes.ts';
import { includeObject } from './table.ts';
import { WatchResponse } from './watch-response.ts';

const NOT_FOUND = Buffer.from('404 page not found\n');

/** A request for a resource, on its way through the API. */
interface Call {
  exchange: Exchange;
  info: RequestInfo;
  /** Without the question mark. */
  query: string;
  context: RequestContext;
  target: Target;
  /** How the answer is written: agreed on before anything is changed. */
  encoding: Encoding;
}

type Verb = (call: Call) => Promise<void>;

/** The resources of the cluster: one set of verbs for every kind in the registry. */
export class ResourceApi {
  private readonly operations: Operations;
  private readonly kinds: KindRegistry;
  private readonly logs: PodLogs;
  private readonly verbs: Readonly<Record<string, Verb>> = {
    get: (call) => this.get(call),
    list: (call) => this.list(call),
    watch: (call) => this.watch(call),
    create: (call) => this.create(call),
    update: (call) => this.update(call),
    patch: (call) => this.patch(call),
    delete: (call) => this.delete(call),
    deletecollection: (call) => this.deleteCollection(call),
  };

  constructor(deps: { operations: Operations; kinds: KindRegistry; logs: PodLogs }) {
    this.operations = deps.operations;
    this.kinds = deps.kinds;
    this.logs = deps.logs;
  }

  /** Authorizes, finds what the request is about, and answers it. Rejects with what the client is to be told. */
  async handle(exchange: Exchange, info: RequestInfo, query: string, user: User): Promise<void> {
    this.operations.authorize(user, info);
    const kind = this.kinds.byResource(info.group, info.version, info.resource);
    const verbs = kind && verbsAt(kind, info);
    if (!verbs) {
      if (this.kinds.versions(info.group).includes(info.version)) throw pathNotFound();
      sendBytes(exchange, 404, 'text/plain; charset=utf-8', NOT_FOUND);
      return;
    }
    if (!verbs.includes(info.verb) || exchange.request.method === 'HEAD') throw methodNotAllowed();
    const { subresource } = info;
    const name = info.named ? info.name : '';
    const target: Target = { kind, namespace: kind.namespaced ? info.namespace : '', name, subresource };
    if (subresource === 'log') {
      await this.logs.send(exchange, target, new URLSearchParams(query));
      return;
    }
    const { accept } = exchange.request.headers;
    const encoding = info.verb === 'watch' ? negotiateStream(accept, kind) : negotiate(accept, kind);
    const context = contextOf(exchange, user, NO_OPTIONS, target);
    setWarnings(exchange.response, context.warnings);
    await this.verbs[info.verb]!({ exchange, info, query, context, target, encoding });
  }

  private async get({ exchange, context, target, query, encoding }: Call): Promise<void> {
    const parameters = new URLSearchParams(query);
    const include = includeObject(parameters.get('includeObject'));
    const resourceVersion = parameters.get('resourceVersion') ?? '';
    const item = await this.operations.get(context, target, { resourceVersion });
    await sendItem(exchange, target.kind, item, 200, encoding, include);
  }

  private async list({ exchange, context, target, query, encoding }: Call): Promise<void> {
    const parameters = new URLSearchParams(query);
    const include = includeObject(parameters.get('includeObject'));
    const list = await this.operations.list(context, target, listOptions(parameters));
    await sendList(exchange, target.kind, list, encoding, include);
  }

  private async watch({ exchange, info, context, target, query, encoding }: Call): Promise<void> {
    const parameters = new URLSearchParams(query);
    const events = watchEncoding(target.kind, encoding, includeObject(parameters.get('includeObject')));
    const options = watchOptions(parameters, info.name);
    const sink = new WatchResponse(exchange, encoding.format);
    sink.begin(await this.operations.watch(context, target, options, events, sink));
  }

  private async create(call: Call): Promise<void> {
    const { exchange, target, query } = call;
    const format = bodyFormat(exchange.request.headers['content-type']);
    const context = contextOf(exchange, call.context.user, writeOptions('CreateOptions', query), target);
    const body = await decodeBody(await readBody(exchange.request), format, expectedKind(target));
    await this.sendWritten(call, context, await this.operations.create(context, target, body));
  }

  private async update(call: Call): Promise<void> {
    const { exchange, target, query } = call;
    const format = bodyFormat(exchange.request.headers['content-type']);
    const context = contextOf(exchange, call.context.user, writeOptions('UpdateOptions', query), target);
    const body = await decodeBody(await readBody(exchange.request), format, expectedKind(target));
    await this.sendWritten(call, context, await this.operations.update(context, target, body));
  }

  private async patch(call: Call): Promise<void> {
    const { exchange, target, query } = call;
    const type = mediaType(exchange.request.headers['content-type'] ?? '');
    if (!PATCH_MEDIA_TYPES.includes(type)) throw unsupportedMediaType(PATCH_MEDIA_TYPES);
    const options = writeOptions('PatchOptions', query);
    const context = contextOf(exchange, call.context.user, options, target);
    const bytes = await readBody(exchange.request);
    const body = type.endsWith('+yaml')
      ? await decodeYamlPatch(bytes)
      : decodePatch(bytes, type, options.fieldValidation);
    const patch = { mediaType: type, body, force: options.force };
    await this.sendWritten(call, context, await this.operations.patch(context, target, patch));
  }

  private async sendWritten(call: Call, context: RequestContext, result: ObjectResult): Promise<void> {
    const { exchange, target, query, encoding } = call;
    setWarnings(exchange.response, context.warnings);
    const plain = encoding.shape.kind === 'Object' || isStatus(result);
    const include = plain ? 'Metadata' : includeObject(new URLSearchParams(query).get('includeObject'));
    await sendItem(
      exchange,
      target.kind,
      result,
      result.code,
      plain ? { ...encoding, shape: AS_ITSELF } : encoding,
      include,
    );
  }

  private async delete(call: Call): Promise<void> {
    const { exchange, target, query } = call;
    const options = await deleteOptions(call);
    const context = contextOf(exchange, call.context.user, { ...NO_OPTIONS, dryRun: checkDryRun(options) }, target);
    const { item, status, code } = await this.operations.delete(context, target, options);
    setWarnings(exchange.response, context.warnings);
    if (status) {
      sendStatus(exchange, status, code);
    } else if (item) {
      const include = includeObject(new URLSearchParams(query).get('includeObject'));
      await sendItem(exchange, target.kind, item, code, call.encoding, include);
    }
  }

  private async deleteCollection(call: Call): Promise<void> {
    const { exchange, target } = call;
    const parameters = new URLSearchParams(call.query);
    const options = await deleteOptions(call);
    const context = contextOf(exchange, call.context.user, { ...NO_OPTIONS, dryRun: checkDryRun(options) }, target);
    const selection = listOptions(parameters);
    const list = await this.operations.deleteCollection(context, target, selection, options);
    const include = includeObject(parameters.get('includeObject'));
    await sendList(exchange, target.kind, list, call.encoding, include);
  }
}

const NO_OPTIONS: WriteOptions = { dryRun: false, fieldManager: '', fieldValidation: 'Warn' };
const AS_ITSELF = { kind: 'Object', version: 'v1' } as const;

const contextOf = (exchange: Exchange, user: User, options: WriteOptions, { kind }: Target): RequestContext => ({
  user,
  requestId: exchange.requestId,
  cause: null,
  dryRun: options.dryRun,
  fieldManager: options.fieldManager,
  userAgent: exchange.request.headers['user-agent'],
  fieldValidation: options.fieldValidation,
  warnings: [user.warning, kind.deprecation].flatMap((warning) => warning || []),
  nowMs: Date.now(),
});

async function deleteOptions({ exchange, query }: Call): Promise<DeleteOptions> {
  const { request } = exchange;
  const body = await readBody(request);
  if (body.length === 0) return deleteOptionsOfQuery(new URLSearchParams(query));
  const format = bodyFormat(request.headers['content-type']);
  return deleteOptionsOfBody((await decodeBody(body, format, 'DeleteOptions')).value);
}

/** What a body sent to the target should hold. */
function expectedKind({ kind, subresource }: Target): string {
  const part = subresourcesOf(kind).find(({ name }) => name === subresource);
  return part?.answers.kind ?? kind.kind;
}

/** The verbs that each kind of address of a resource takes; undefined where there is no such address. */
interface Addresses {
  collection: readonly string[];
  allNamespaces: readonly string[];
  named: readonly string[];
  subresources: ReadonlyMap<string, readonly string[]>;
}

const ON_COLLECTIONS = ['create', 'list', 'watch', 'deletecollection'];
const known = new WeakMap<Kind, Addresses>();

function addressesOf(kind: Kind): Addresses {
  const found = known.get(kind);
  if (found) return found;
  const addresses: Addresses = {
    collection: kind.verbs.filter((verb) => ON_COLLECTIONS.includes(verb)),
    allNamespaces: kind.verbs.filter((verb) => verb === 'list' || verb === 'watch'),
    named: kind.verbs.filter((verb) => !ON_COLLECTIONS.includes(verb)),
    subresources: new Map(subresourcesOf(kind).map(({ name, verbs }) => [name, verbs])),
  };
  known.set(kind, addresses);
  return addresses;
}

/** Objects of a namespace live in it, others do not. Undefined: there is nothing at this address. */
function verbsAt(kind: Kind, info: RequestInfo): readonly string[] | undefined {
  if (info.rest !== '') return undefined;
  const inNamespace = info.namespace !== '' && info.resource !== 'namespaces';
  if (!kind.namespaced && inNamespace) return undefined;
  const addresses = addressesOf(kind);
  if (!info.named) return kind.namespaced && !inNamespace ? addresses.allNamespaces : addresses.collection;
  if (kind.namespaced && !inNamespace) return undefined;
  return info.subresource === '' ? addresses.named : addresses.subresources.get(info.subresource);
}
