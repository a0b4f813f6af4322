import type { Kind } from '@periplus/api';
import { PATCH_MEDIA_TYPES } from '@periplus/operations';
import { PROTOBUF_TYPE } from '../media-types.ts';
import type { GroupVersion, ServedSubresource } from '../served-resources.ts';
import { LOG_PARAMETERS, NAMESPACE, nameOf, PARAMETERS, type Parameter, PRETTY } from './parameters.ts';

interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** One thing that can be done at an address. */
export interface Operation {
  method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  /** What kubectl looks for: `x-kubernetes-action`. */
  action: string;
  /** `createCoreV1NamespacedPod`. */
  id: string;
  description: string;
  parameters: readonly Parameter[];
  /** Id of the definition of the body; '' for none. */
  takes: string;
  consumes: readonly string[];
  /** Id of the definition of the answer; '' for text. */
  answers: string;
  produces: readonly string[];
  codes: readonly number[];
  of: GroupVersionKind;
}

export interface Address {
  /** `/api/v1/namespaces/{namespace}/pods`. */
  path: string;
  parameters: readonly Parameter[];
  operations: readonly Operation[];
}

const ANYTHING = ['*/*'];
/** Every kind that is published here has a protobuf form, too. */
const ANSWERED = ['application/json', 'application/yaml', PROTOBUF_TYPE];

/** For watches. */
const STREAMED = ['application/json;stream=watch', `${PROTOBUF_TYPE};stream=watch`];

/** How a verb looks in HTTP and in words. */
interface Style {
  method: Operation['method'];
  action: string;
  /** Begins the operation's id. */
  word: string;
  does: string;
  codes: readonly number[];
}

const STYLE: Readonly<Record<string, Style>> = {
  get: { method: 'get', action: 'get', word: 'read', does: 'read the specified', codes: [200] },
  list: { method: 'get', action: 'list', word: 'list', does: 'list or watch objects of kind', codes: [200] },
  create: { method: 'post', action: 'post', word: 'create', does: 'create', codes: [200, 201, 202] },
  update: { method: 'put', action: 'put', word: 'replace', does: 'replace the specified', codes: [200, 201] },
  patch: {
    method: 'patch',
    action: 'patch',
    word: 'patch',
    does: 'partially update the specified',
    codes: [200, 201],
  },
  delete: { method: 'delete', action: 'delete', word: 'delete', does: 'delete', codes: [200, 202] },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    word: 'delete',
    does: 'delete collection of',
    codes: [200],
  },
};
/** As discovery has them, in the order in which OpenAPI lists methods. */
const VERBS = Object.keys(STYLE);

const DELETE_OPTIONS = 'meta/v1.DeleteOptions';
const PATCH_BODY = 'meta/v1.Patch';
const STATUS = 'meta/v1.Status';

const idOf = ({ group, version, kind }: GroupVersionKind): string => `${group ? `${group}/` : ''}${version}.${kind}`;

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `rbac.authorization.k8s.io` is `rbacAuthorization`. */
const groupWord = (group: string): string =>
  (group || 'core')
    .replace(/\.k8s\.io$/, '')
    .split('.')
    .map((part, at) => (at === 0 ? part : capital(part)))
    .join('');

/** What operations of one version of a group are filed under: `apps_v1`. */
export const tagOf = ({ group, version }: { group: string; version: string }): string =>
  `${groupWord(group)}_${version}`;

/** `/apis/apps/v1`. */
export const rootOf = ({ group, version }: { group: string; version: string }): string =>
  group ? `/apis/${group}/${version}` : `/api/${version}`;

/** Every address below one version of a group, by path. */
export function addressesOf(groupVersion: GroupVersion): Address[] {
  const root = rootOf(groupVersion);
  return groupVersion.resources
    .flatMap(({ kind, subresources }) => addressesOfKind(root, kind, subresources))
    .filter(({ operations }) => operations.length > 0)
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

function addressesOfKind(root: string, kind: Kind, subresources: readonly ServedSubresource[]): Address[] {
  const scope = kind.namespaced ? '/namespaces/{namespace}' : '';
  const collection = `${root}${scope}/${kind.plural}`;
  const inScope = kind.namespaced ? [NAMESPACE] : [];
  const here = [nameOf(kind.kind), ...inScope, PRETTY];
  const verbs = VERBS.filter((verb) => kind.verbs.includes(verb));
  const onCollection = verbs.filter((verb) => ['list', 'create', 'deletecollection'].includes(verb));
  const onObject = verbs.filter((verb) => !onCollection.includes(verb));
  const everywhere = kind.namespaced && verbs.includes('list') ? [operation(kind, 'list', 'ForAllNamespaces')] : [];
  return [
    {
      path: collection,
      parameters: [...inScope, PRETTY],
      operations: onCollection.map((verb) => operation(kind, verb, '')),
    },
    { path: `${root}/${kind.plural}`, parameters: [PRETTY], operations: everywhere },
    {
      path: `${collection}/{name}`,
      parameters: here,
      operations: onObject.map((verb) => operation(kind, verb, '')),
    },
    ...subresources.map((part) => ({
      path: `${collection}/{name}/${part.name}`,
      parameters: here,
      operations: VERBS.filter((verb) => part.verbs.includes(verb)).map((verb) => partOperation(kind, verb, part)),
    })),
  ].filter(({ path }, at, all) => all.findIndex((other) => other.path === path) === at);
}

function operation(kind: Kind, verb: string, scope: '' | 'ForAllNamespaces'): Operation {
  const { method, action, word, does, codes } = STYLE[verb]!;
  const many = verb === 'deletecollection' ? 'Collection' : '';
  const where = kind.namespaced && scope === '' ? 'Namespaced' : '';
  const article = verb === 'create' || verb === 'delete' ? `${/^[AEIOU]/.test(kind.kind) ? 'an' : 'a'} ` : '';
  const own = idOf(kind);
  return {
    method,
    action,
    id: `${word}${capital(groupWord(kind.group))}${capital(kind.version)}${many}${where}${kind.kind}${scope}`,
    description: `${does} ${article}${kind.kind}`,
    parameters: PARAMETERS[verb]!,
    takes: bodyOf(verb, own),
    consumes: verb === 'patch' ? PATCH_MEDIA_TYPES : ANYTHING,
    answers: answerOf(kind, verb, own),
    produces: verb === 'list' ? [...ANSWERED, ...STREAMED] : ANSWERED,
    codes,
    of: { group: kind.group, version: kind.version, kind: kind.kind },
  };
}

function partOperation(kind: Kind, verb: string, { name, answers }: ServedSubresource): Operation {
  const main = operation(kind, verb, '');
  const isText = name === 'log';
  const own = idOf(answers);
  return {
    ...main,
    id: `${main.id}${capital(name)}`,
    description: `${STYLE[verb]!.does.replace(' the specified', '')} ${name} of ${verb === 'create' ? 'a' : 'the specified'} ${kind.kind}`,
    parameters: isText ? LOG_PARAMETERS : main.parameters,
    takes: bodyOf(verb, own),
    answers: isText ? '' : own,
    produces: isText ? ['text/plain'] : ANSWERED,
    of: answers,
  };
}

function bodyOf(verb: string, own: string): string {
  if (verb === 'create' || verb === 'update') return own;
  if (verb === 'patch') return PATCH_BODY;
  return verb.startsWith('delete') ? DELETE_OPTIONS : '';
}

function answerOf(kind: Kind, verb: string, own: string): string {
  if (verb === 'list') return `${own}List`;
  if (verb === 'delete' && kind.answersRemoved) return own;
  return verb.startsWith('delete') ? STATUS : own;
}
