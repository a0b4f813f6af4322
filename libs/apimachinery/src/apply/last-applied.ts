import { isJsonObject } from '../json-value.ts';
import type { DeepReadonly, FieldSet, JsonObject, JsonValue, KubeObject } from '../object.ts';
import type { Schema } from '../schema.ts';
import { compareObjects } from './compare.ts';
import { difference, NO_FIELDS } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';

/** Where client-side apply keeps what it applied. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * What client-side apply set and nobody changed since: an object that it manages may go over to server-side apply
 * without conflicts about that. https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply
 */
export function setByClientSideApply(live: DeepReadonly<KubeObject>, schema: Schema): FieldSet {
  const applied = parsed(live.metadata.annotations?.[LAST_APPLIED]);
  if (applied?.apiVersion !== live.apiVersion) return NO_FIELDS;
  const now = live as unknown as DeepReadonly<JsonObject>;
  const { added, modified, removed } = compareObjects(applied, now, schema, Object.keys({ ...applied, ...now }));
  return [added, modified, removed].reduce(difference, fieldsOf(applied, schema));
}

function parsed(text: string | undefined): JsonObject | undefined {
  if (!text) return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
