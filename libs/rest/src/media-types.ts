import { StatusError } from '@periplus/apimachinery';
import { PROTOBUF_TYPE } from './protobuf-body.ts';

/** How the object in a response is shown: as itself, as a table, or its metadata alone. */
export interface Shape {
  kind: 'Object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io for the shapes that are not the object itself. */
  version: 'v1' | 'v1beta1';
}

/** What a response is encoded as, agreed from the Accept header. */
export interface Encoding {
  format: 'json' | 'yaml';
  shape: Shape;
}

interface Clause {
  type: string;
  parameters: ReadonlyMap<string, string>;
  quality: number;
}

const AS_ITSELF: Shape = { kind: 'Object', version: 'v1' };
const JSON_OBJECT: Encoding = { format: 'json', shape: AS_ITSELF };

/** How a body of create, update and delete may be written. */
export type BodyFormat = 'json' | 'yaml' | 'protobuf';

const READ: Readonly<Record<string, BodyFormat>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  [PROTOBUF_TYPE]: 'protobuf',
};
const WRITTEN: Readonly<Record<string, 'json' | 'yaml'>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/yaml': 'yaml',
};
/** Clients send few different headers; what they agree on is remembered for this many. */
const REMEMBERED_MAX = 512;

const remembered = new Map<string, Encoding>();

/**
 * The encoding that an Accept header asks for; the first acceptable clause of the highest quality wins.
 * Throws NotAcceptable in Kubernetes' words.
 */
export function negotiate(accept: string | undefined): Encoding {
  if (!accept || accept === 'application/json' || accept === '*/*') return JSON_OBJECT;
  const known = remembered.get(accept);
  if (known) return known;
  const encoding = firstAcceptable(accept);
  if (!encoding) throw notAcceptable(['application/json', 'application/yaml']);
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(accept, encoding);
  return encoding;
}

/** Whether the Accept header asks for this kind of `group`: `as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io`. */
export function firstAccepted(
  accept: string | undefined,
  offers: readonly { group: string; version: string; kind: string }[],
): { group: string; version: string; kind: string } | undefined {
  for (const { type, parameters } of clauses(accept ?? '')) {
    if (WRITTEN[type] !== 'json') continue;
    const as = parameters.get('as');
    if (as === undefined) return undefined;
    const offer = offers.find(
      ({ group, version, kind }) => as === kind && parameters.get('v') === version && parameters.get('g') === group,
    );
    if (offer) return offer;
  }
  return undefined;
}

/** The format of a request's body. Throws UnsupportedMediaType. */
export function bodyFormat(contentType: string | undefined): BodyFormat {
  if (contentType === undefined || contentType === 'application/json') return 'json';
  const format = READ[mediaType(contentType)];
  if (!format) throw unsupportedMediaType(Object.keys(READ));
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

function firstAcceptable(accept: string): Encoding | undefined {
  for (const { type, parameters } of clauses(accept)) {
    const format = WRITTEN[type];
    if (!format) continue;
    const shape = shapeOf(parameters);
    if (shape) return { format, shape };
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
