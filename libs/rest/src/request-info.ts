import { boolean } from './query.ts';

/**
 * What a request is about, read off its method and path before anything else happens: authorization and
 * routing both stand on it. https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
 */
export interface RequestInfo {
  /** False for everything outside of `/api/<version>/<resource>` and `/apis/<group>/<version>/<resource>`. */
  isResource: boolean;
  /** Decoded, without the query. */
  path: string;
  /** create, get, list, watch, update, patch, delete, deletecollection; else the method in lower case. */
  verb: string;
  group: string;
  version: string;
  /** For `namespaces/NAME` the name itself, since a role in that namespace may allow it. '' for all or none. */
  namespace: string;
  resource: string;
  /** For a list or watch of one name (`fieldSelector=metadata.name=NAME`, `/watch/pods/NAME`) too: a role may allow just it. */
  name: string;
  subresource: string;
  /** Whether the path goes on behind a resource's name. */
  named: boolean;
  /** What stands behind a subresource: `proxy/some/path`. */
  rest: string;
}

const VERB: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** What follows `namespaces/NAME/` and still is about the namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

const NAME_SELECTOR = /(?:^|,)metadata\.name==?([^,=!\\]+)(?:,|$)/;

/** `query` without the question mark. Undefined when the path is not decodable. */
export function requestInfo(method: string, rawPath: string, query: string): RequestInfo | undefined {
  const path = decoded(rawPath);
  if (path === undefined) return undefined;
  const info: RequestInfo = {
    isResource: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    name: '',
    subresource: '',
    named: false,
    rest: '',
  };
  const parts = segments(rawPath);
  const named = parts[0] === 'apis';
  if (!named && parts[0] !== 'api') return info;
  const head = named ? 3 : 2;
  if (parts.length <= head) return info;
  info.isResource = true;
  info.group = named ? parts[1]! : '';
  info.version = parts[head - 1]!;
  info.verb = VERB[method] ?? '';
  readResource(info, parts, head, query);
  return info;
}

function readResource(info: RequestInfo, parts: readonly string[], head: number, query: string): void {
  let at = head;
  // The address of watches before `?watch=1`. https://kubernetes.io/docs/reference/kubernetes-api/ still lists it.
  const isWatchPath = parts[at] === 'watch' && parts.length > at + 1;
  if (isWatchPath) at++;
  if (parts[at] === 'namespaces' && parts.length > at + 1) {
    info.namespace = parts[at + 1]!;
    if (parts.length > at + 2 && !NAMESPACE_SUBRESOURCES.has(parts[at + 2]!)) at += 2;
  }
  info.resource = parts[at]!;
  info.name = parts[at + 1] ?? '';
  info.subresource = parts[at + 2] ?? '';
  if (parts.length > at + 3) info.rest = parts.slice(at + 3).join('/');
  if (isWatchPath) {
    info.verb = info.verb === 'get' ? 'watch' : '';
    info.named = info.subresource !== '';
    return;
  }
  info.named = info.name !== '';
  if (!info.named) readCollection(info, query);
}

function readCollection(info: RequestInfo, query: string): void {
  if (info.verb === 'delete') info.verb = 'deletecollection';
  else if (info.verb === 'get') info.verb = 'list';
  else return;
  if (query === '') return;
  const parameters = new URLSearchParams(query);
  if (info.verb === 'list' && boolean(parameters.get('watch'))) info.verb = 'watch';
  info.name = NAME_SELECTOR.exec(parameters.get('fieldSelector') ?? '')?.[1] ?? '';
}

/** Split before decoding, so that an escaped slash stays within its segment. */
function segments(rawPath: string): string[] {
  const parts = rawPath.split('/').filter((part) => part !== '');
  return rawPath.includes('%') ? parts.map((part) => decodeURIComponent(part)) : parts;
}

function decoded(rawPath: string): string | undefined {
  if (!rawPath.includes('%')) return rawPath;
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
}
