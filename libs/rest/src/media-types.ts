import type { Kind } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import { hasMessage, messageName } from './protobuf/descriptors.ts';

/** Clients built on client-go prefer this for built-in kinds. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** How the object in a response is shown: as itself, as a table, or its metadata alone. */
export interface Shape {
  kind: 'Object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io for the shapes that are not the object itself. */
  version: 'v1' | 'v1beta1';
}

/** What a response is encoded as, agreed from the Accept header. */
export interface Encoding {
  format: BodyFormat;
  shape: Shape;
}

interface Clause {
  type: string;
  parameters: ReadonlyMap<string, string>;
  quality: number;
}

const AS_ITSELF: Shape = { kind: 'Object', version: 'v1' };
const JSON_OBJECT: Encoding = { format: 'json', shape: AS_ITSELF };

/** How a body, of create, update and delete too, may be written. */
export type BodyFormat = 'json' | 'yaml' | 'protobuf';

const READ: ReadonlyMap<string, BodyFormat> = new Map([
  ['application/json', 'json'],
  ['application/yaml', 'yaml'],
  [PROTOBUF_TYPE, 'protobuf'],
]);
const WRITTEN: ReadonlyMap<string, BodyFormat> = new Map([...READ, ['application/*', 'json'], ['*/*', 'json']]);
/** Clients send few different headers; what they agree on is remembered for this many. */
const REMEMBERED_MAX = 512;

/** By Accept header; apart for kinds that have a protobuf form and for those that have none. */
const remembered = { withProtobuf: new Map<string, Encoding>(), withoutProtobuf: new Map<string, Encoding>() };
const ALL_TYPES = ['application/json', 'application/yaml', PROTOBUF_TYPE];

/**
 * The encoding that an Accept header asks for; the first acceptable clause of the highest quality wins. Kinds that
 * came at run time have no protobuf form. Throws NotAcceptable in Kubernetes' words.
 */
export function negotiate(accept: string | undefined, kind: Kind): Encoding {
  if (!accept || accept === 'application/json' || accept === '*/*') return JSON_OBJECT;
  const encoding = agreed(accept, hasProtobuf(kind));
  if (!encoding) throw notAcceptable(ALL_TYPES);
  return encoding;
}

/** As `negotiate`, for events: only what can be told apart within a stream will do. */
export function negotiateStream(accept: string | undefined, kind: Kind): Encoding {
  const encoding = negotiate(accept, kind);
  if (encoding.format === 'yaml') {
    throw notAcceptable(['application/json', PROTOBUF_TYPE].map((type) => `${type};stream=watch`));
  }
  return encoding;
}

/** How a Status is written, which has every form: JSON for clients that ask for what nobody has. */
export const statusFormat = (accept: string | undefined): BodyFormat =>
  accept?.includes(PROTOBUF_TYPE) ? (agreed(accept, true)?.format ?? 'json') : 'json';

const protobufKinds = new WeakMap<Kind, boolean>();

function hasProtobuf(kind: Kind): boolean {
  let known = protobufKinds.get(kind);
  if (known === undefined) {
    known = hasMessage(messageName(kind.group ? `${kind.group}/${kind.version}` : kind.version, kind.kind));
    protobufKinds.set(kind, known);
  }
  return known;
}

function agreed(accept: string, protobuf: boolean): Encoding | undefined {
  const known = protobuf ? remembered.withProtobuf : remembered.withoutProtobuf;
  const found = known.get(accept);
  if (found) return found;
  const encoding = firstAcceptable(accept, protobuf);
  if (!encoding) return undefined;
  if (known.size >= REMEMBERED_MAX) known.clear();
  known.set(accept, encoding);
  return encoding;
}

/** Whether the Accept header asks for this kind of `group`: `as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io`. */
export function firstAccepted(
  accept: string | undefined,
  offers: readonly { group: string; version: string; kind: string }[],
): { group: string; version: string; kind: string } | undefined {
  for (const { type, parameters } of clauses(accept ?? '')) {
    if (WRITTEN.get(type) !== 'json') continue;
    const as = parameters.get('as');
    if (as === undefined) return undefined;
    const offer = offers.find(
      ({ group, version, kind }) => as === kind && parameters.get('v') === version && parameters.get('g') === group,
    );
    if (offer) return offer;
  }
  return undefined;
}

/** Which of these types an Accept header takes; the first of them when it takes any. Undefined: none. */
export function firstAcceptedType(accept: string | undefined, offers: readonly string[]): string | undefined {
  if (!accept) return offers[0];
  for (const { type } of clauses(accept)) {
    const found = offers.find((offer) => type === '*/*' || type === offer || type === `${offer.split('/', 1)[0]}/*`);
    if (found) return found;
  }
  return undefined;
}

/** The format of a request's body. Throws UnsupportedMediaType. */
export function bodyFormat(contentType: string | undefined): BodyFormat {
  if (contentType === undefined || contentType === 'application/json') return 'json';
  const format = READ.get(mediaType(contentType));
  if (!format) throw unsupportedMediaType([...READ.keys()]);
  return format;
}

/** A Content-Type without its parameters. */
export const mediaType = (contentType: string): string => contentType.split(';', 1)[0]!.trim().toLowerCase();

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

const notAcceptable = (accepted: readonly string[]): StatusError =>
  new StatusError('NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);

function firstAcceptable(accept: string, protobuf: boolean): Encoding | undefined {
  for (const { type, parameters } of clauses(accept)) {
    const format = WRITTEN.get(type);
    if (!format) continue;
    const shape = shapeOf(parameters);
    if (!shape) continue;
    // A Table has no protobuf form, metadata alone always has one.
    if (format === 'protobuf' && (shape.kind === 'Table' || (shape.kind === 'Object' && !protobuf))) continue;
    return { format, shape };
  }
  return undefined;
}

/** Undefined when the clause asks for a shape that is not served; the next clause is looked at then. */
function shapeOf(parameters: ReadonlyMap<string, string>): Shape | undefined {
  const kind = parameters.get('as');
  if (kind === undefined) return AS_ITSELF;
  const version = parameters.get('v');
  if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined;
  if (kind !== 'Table' && kind !== 'PartialObjectMetadata' && kind !== 'PartialObjectMetadataList') return undefined;
  return { kind, version };
}

/** The clauses of an Accept header by quality, in their order where that is equal. */
function clauses(accept: string): Clause[] {
  return accept
    .split(',')
    .map((text) => {
      const [type = '', ...rest] = text.split(';').map((part) => part.trim());
      const parameters = new Map<string, string>();
      for (const part of rest) {
        const equals = part.indexOf('=');
        if (equals > 0) parameters.set(part.slice(0, equals).toLowerCase(), part.slice(equals + 1));
      }
      const quality = Number(parameters.get('q') ?? 1);
      return { type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 };
    })
    .filter(({ type, quality }) => type && quality > 0)
    .sort((one, other) => other.quality - one.quality);
}
