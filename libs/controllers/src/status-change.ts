import { type Kind, sameValue } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The merge patch that turns `before` into `after`, or undefined when they mean the same. */
function difference(before: object, after: object): object | undefined {
  const old = before as Record<string, unknown>;
  const wanted = after as Record<string, unknown>;
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys({ ...old, ...wanted })) {
    const [from, to] = [old[name], wanted[name]];
    // What is gone from a map must be said to be gone.
    if (!sameValue(from, to)) patch[name] = isMap(from) && isMap(to) ? difference(from, to) : (to ?? null);
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/**
 * A command that brings the status of `object` to `wanted`, only as far as it differs; nothing when it does not. It
 * needs no precondition but the uid: each status has one writer, which is the controller that asks for this.
 */
export function setStatus(kind: Kind, object: DeepReadonly<KubeObject>, wanted: object): Command[] {
  const { status = {} } = object as { status?: object };
  const patch = difference(status, wanted);
  if (!patch) return [];
  return [
    {
      verb: 'patch',
      kind,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
      subresource: 'status',
      ifUid: object.metadata.uid,
      type: 'merge',
      patch: { status: patch },
    },
  ];
}

/**
 * Like `setStatus`, but refused when `object` was changed since: for a status that counts on from what it said, which
 * must not happen twice.
 */
export const setStatusOfVersion = (kind: Kind, object: DeepReadonly<KubeObject>, wanted: object): Command[] =>
  setStatus(kind, object, wanted).map((command) => ({
    ...command,
    ifResourceVersion: object.metadata.resourceVersion,
  }));

/** `count` unless it is 0: zeros are left out of a status, as Kubernetes does. */
export const unlessZero = (count: number): number | undefined => (count === 0 ? undefined : count);
