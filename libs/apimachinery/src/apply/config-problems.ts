import { isJsonObject, NESTING_MAX } from '../json-value.ts';
import type { JsonObject, JsonValue } from '../object.ts';
import type { ArraySchema, Schema } from '../schema.ts';
import { isOneValue, memberSchema } from './fields-of.ts';
import { describeElement, elementOf } from './path-element.ts';

/** As many as are told. */
const PROBLEMS_MAX = 100;

/**
 * Why a configuration cannot be applied, field by field, in kube-apiserver's words: fields that the schema does not
 * know, items of a list that no key identifies, or two with the same. Types are looked at elsewhere.
 */
export function configProblems(config: JsonObject, schema: Schema): readonly string[] {
  const problems: string[] = [];
  look(config, schema, '', problems, 0);
  return problems;
}

/** Several problems as one text. */
export const problemText = (problems: readonly string[]): string =>
  problems.length === 1 ? problems[0]! : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;

function look(value: JsonValue, schema: Schema, path: string, problems: string[], depth: number): void {
  if (problems.length >= PROBLEMS_MAX || depth > NESTING_MAX) return;
  if (Array.isArray(value)) {
    if (schema.type === 'array') lookAtItems(value, schema, path, problems, depth);
  } else if (isJsonObject(value) && (schema.type === 'object' || schema.type === 'map')) {
    for (const name in value) {
      const at = `${path}.${name}`;
      if (schema.type === 'object' && !Object.hasOwn(schema.properties, name)) {
        problems.push(`${at}: field not declared in schema`);
      } else {
        look(value[name] as JsonValue, memberSchema(schema, name), at, problems, depth + 1);
      }
    }
  }
}

const nullItemProblem = ({ keys }: ArraySchema): string =>
  keys
    ? 'associative list with keys may not have a null element'
    : "associative list without keys has an element that's an explicit null";

function lookAtItems(list: JsonValue[], schema: ArraySchema, path: string, problems: string[], depth: number): void {
  const isWhole = isOneValue(schema);
  const seen = new Set<string>();
  list.forEach((item, i) => {
    if (item === null && !isWhole) {
      problems.push(`${path}: element ${i}: ${nullItemProblem(schema)}`);
      return;
    }
    const element = isWhole ? `i:${i}` : elementOf(item, schema);
    if (element === undefined) {
      const missing = `associative list with keys has an element that omits key field "${schema.keys?.[0]}"`;
      problems.push(`${path}: element ${i}: ${missing} (and doesn't have default value)`);
      return;
    }
    const shown = describeElement(element);
    if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${shown}`);
    seen.add(element);
    look(item, schema.items, path + shown, problems, depth + 1);
  });
}
