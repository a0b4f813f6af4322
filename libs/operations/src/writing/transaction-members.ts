import {
  clusterRole,
  ingressClass,
  ipAddress,
  type Kind,
  limitRange,
  namespace,
  priorityClass,
  role,
  runtimeClass,
  serviceAccount,
  storageClass,
} from '@periplus/api';
import { at, badRequest, invalid, requestEntityTooLarge, StatusError } from '@periplus/apimachinery';
import type { Configured } from '../types.ts';
import { turnOf } from './change.ts';

/** etcd takes 126 operations, some of which are allocations and inboxes. */
const OBJECTS_MAX = 100;
/** What the list of objects is called in errors. */
const LIST = 'objects';

/** One object on its way through a transaction. */
export interface Member extends Configured {
  /** In the request. */
  readonly position: number;
}

/** What others are admitted by comes before them, in whatever order the objects were sent. */
const RELIED_ON = [
  ...[namespace, clusterRole, role, priorityClass, runtimeClass, storageClass, ingressClass],
  ...[limitRange, serviceAccount, ipAddress],
] as readonly unknown[] as readonly Kind[];

function rankOf({ target }: Member): number {
  const rank = RELIED_ON.indexOf(target.kind);
  return rank < 0 ? RELIED_ON.length : rank;
}

function checkNumber(objects: readonly Configured[]): void {
  if (objects.length === 0) throw badRequest('a transaction has at least one object');
  if (objects.length > OBJECTS_MAX) {
    throw requestEntityTooLarge(`a transaction of ${objects.length} objects, limit is ${OBJECTS_MAX}`);
  }
}

function checkDistinct(members: readonly Member[]): void {
  const seen = new Set<string>();
  const duplicates = members.filter(({ target }) => seen.size === seen.add(turnOf(target)).size);
  if (duplicates.length === 0) return;
  const errors = duplicates.map(({ position, target }) =>
    at().index(LIST, position).duplicate(`${target.kind.plural} ${target.name}`),
  );
  throw invalid({ group: '', kind: 'Transaction' }, '', errors);
}

/** In the order in which they are decided. Throws for none, too many, and the same object twice. */
export function membersOf(objects: readonly Configured[]): Member[] {
  checkNumber(objects);
  const members = objects.map((object, position) => ({ ...object, position }));
  checkDistinct(members);
  return members.sort((one, other) => rankOf(one) - rankOf(other));
}

/** Fields of conflicts begin with a dot. */
const below = (place: string, field = ''): string =>
  field === '' || field.startsWith('.') ? place + field : `${place}.${field}`;

/** The refusal of a member as that of the transaction: it says which object it was, and the causes say where. */
export function refusalOf({ target, position }: Member, error: StatusError): StatusError {
  const { kind, name } = target;
  const place = `${LIST}[${position}]`;
  const { causes = [], ...details } = error.details ?? {};
  const located =
    causes.length === 0
      ? [{ reason: error.reason, message: error.message, field: place }]
      : causes.map((cause) => ({ ...cause, field: below(place, cause.field) }));
  const about = { name, ...(kind.group && { group: kind.group }), kind: kind.plural };
  return new StatusError(error.reason, `${place}: ${error.message}`, { ...about, ...details, causes: located });
}
