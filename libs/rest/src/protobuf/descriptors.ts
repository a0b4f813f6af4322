import { MESSAGES } from './messages.ts';
import { WireError } from './wire-reader.ts';

/** One field of a message, as the line in `messages.ts` says. */
export class Field {
  readonly number: number;
  /** '' when the members of this message belong to its parent. */
  readonly name: string;
  /** A scalar's letter or a message's full name. */
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map';
  /** Values of a map that are lists wrapped in messages. */
  readonly wrapped: boolean;
  readonly pointer: boolean;
  readonly always: boolean;
  #message: Message | null = null;

  /** `within` is the package of the message that has the field: "core/v1". */
  constructor(text: string, within: string) {
    const [, number, name, shape, type, flags] = /^(\d+)(\w*):(\[\]|\{\})?((?:\[\])?[\w/.]+)([\^?!]*)$/.exec(text)!;
    this.number = Number(number);
    this.name = name!;
    this.type = type!.replace(/^\[\]/, '').replace(/^\./, `${within}.`);
    this.shape = shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one';
    this.wrapped = flags!.includes('^');
    this.pointer = flags!.includes('?');
    this.always = flags!.includes('!');
  }

  /** What a field that is a message holds. */
  get message(): Message {
    this.#message ??= messageOf(this.type);
    return this.#message;
  }
}

export interface Message {
  readonly byNumber: ReadonlyMap<number, Field>;
  /** The highest number first: the order in which a message is written from its end. */
  readonly backwards: readonly Field[];
}

/** The groups of the table by their full names: a group of somebody's own may begin with the same word. */
const PACKAGES = new Map(
  [
    'admissionregistration.k8s.io',
    'apps',
    'authentication.k8s.io',
    'authorization.k8s.io',
    'autoscaling',
    'batch',
    'certificates.k8s.io',
    'coordination.k8s.io',
    'discovery.k8s.io',
    'events.k8s.io',
    'flowcontrol.apiserver.k8s.io',
    'meta.k8s.io',
    'networking.k8s.io',
    'node.k8s.io',
    'policy',
    'rbac.authorization.k8s.io',
    'resource.k8s.io',
    'scheduling.k8s.io',
    'storage.k8s.io',
  ].map((group) => [group, group.split('.', 1)[0]!]),
);
/** Kinds that have no group of their own. */
const OF_ALL_GROUPS = new Set(['DeleteOptions', 'Status']);

let lines: ReadonlyMap<string, string> | null = null;
const parsed = new Map<string, Message>();

function lineOf(name: string): string | undefined {
  lines ??= new Map(
    MESSAGES.trim()
      .split('\n')
      .map((line) => {
        const space = line.indexOf(' ');
        return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
      }),
  );
  return lines.get(name);
}

/** The full name of a kind's message: "apps/v1.Deployment". There may be no such message. */
export function messageName(apiVersion: string, kind: string): string {
  if (OF_ALL_GROUPS.has(kind)) return `meta/v1.${kind}`;
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return `core/${apiVersion}.${kind}`;
  const found = PACKAGES.get(apiVersion.slice(0, slash));
  // v1beta1 of meta.k8s.io is v1 by another name.
  if (found === 'meta') return `meta/v1.${kind}`;
  return found === undefined ? `${apiVersion}.${kind}` : `${found}/${apiVersion.slice(slash + 1)}.${kind}`;
}

export const hasMessage = (name: string): boolean => lineOf(name) !== undefined;

/** Throws WireError for what has no protobuf form. */
export function messageOf(name: string): Message {
  const known = parsed.get(name);
  if (known) return known;
  const line = lineOf(name);
  if (line === undefined) throw new WireError(`no protobuf message ${name} is known`);
  const within = name.slice(0, name.lastIndexOf('.'));
  const fields = line
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => new Field(text, within));
  const message: Message = {
    byNumber: new Map(fields.map((field) => [field.number, field])),
    backwards: fields.toSorted((one, other) => other.number - one.number),
  };
  parsed.set(name, message);
  return message;
}
