import { isJsonObject, memberOf, setMember } from '../json-value.ts';
import type { JsonValue } from '../object.ts';
import type { ArraySchema, Schema } from '../schema.ts';
import { isOneValue, memberSchema } from './fields-of.ts';
import { elementOf } from './path-element.ts';

/** `live` with everything that `config` says. The result shares parts with both. */
export function mergeConfig(live: JsonValue | undefined, config: JsonValue, schema: Schema): JsonValue {
  if (live === undefined || isOneValue(schema)) return config;
  // Who states that a struct, list or map is null states none of its parts.
  if (config === null) return live;
  if (Array.isArray(config)) return Array.isArray(live) ? mergeLists(live, config, schema as ArraySchema) : config;
  if (!isJsonObject(config) || !isJsonObject(live)) return config;
  const merged = { ...live };
  for (const name in config) {
    setMember(merged, name, mergeConfig(memberOf(live, name), config[name] as JsonValue, memberSchema(schema, name)));
  }
  return merged;
}

/**
 * The items of the configuration stand in its order. Those that only the live list has keep their place before the
 * next item that both have.
 */
function mergeLists(live: JsonValue[], config: JsonValue[], schema: ArraySchema): JsonValue[] {
  const liveElements = live.map((item) => elementOf(item, schema));
  const liveItems = new Map<string | undefined, JsonValue>();
  live.forEach((item, i) => {
    if (!liveItems.has(liveElements[i])) liveItems.set(liveElements[i], item);
  });
  const configElements = config.map((item) => elementOf(item, schema));
  const configured = new Set(configElements);
  const merged: JsonValue[] = [];
  let at = 0;
  const passUntil = (element: string | undefined): void => {
    for (; at < live.length && (element === undefined || liveElements[at] !== element); at++) {
      if (!configured.has(liveElements[at])) merged.push(live[at] as JsonValue);
    }
  };
  const shared = configElements.filter((element) => liveItems.has(element));
  let next = 0;
  config.forEach((item, i) => {
    const element = configElements[i];
    if (next < shared.length || !liveItems.has(element)) passUntil(shared[next]);
    merged.push(mergeConfig(liveItems.get(element), item, schema.items));
    if (element !== shared[next]) return;
    next++;
    if (liveElements[at] === element) at++;
  });
  passUntil(undefined);
  return merged;
}
