import {
  badRequest,
  findDuplicateFields,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonTypeOf,
  KUBERNETES_YAML,
} from '@periplus/apimachinery';
import type { Body } from '@periplus/operations';
import { goJsonError } from './go-json-error.ts';
import type { BodyFormat } from './media-types.ts';
import { decodeProtobuf } from './protobuf/decode.ts';

/** What of an unreadable body is shown to its sender. */
const SUMMARY_BYTES_MAX = 30;
const OPENING_BRACE = 0x7b;
const NO_KIND = "couldn't get version/kind; json parse error";
/** What kube-apiserver reads of every body first. */
const KIND_STRUCT = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
/** And what it reads of patches whose fields it validates. */
const VALIDATED_PATCHES: Readonly<Record<string, { isList: boolean; name: string }>> = {
  'application/json-patch+json': { isList: true, name: '[]handlers.jsonPatchOp' },
  'application/merge-patch+json': { isList: false, name: 'map[string]interface {}' },
};
/** As many duplicates as are told of. */
const DUPLICATES_MAX = 100;

/**
 * The value of a request's body. `kind` is what it should have been, for the error: "Deployment". Throws BadRequest
 * in kube-apiserver's words.
 */
export async function decodeBody(body: Buffer, format: BodyFormat, kind: string): Promise<Body> {
  if (format === 'yaml') {
    const text = body.toString('utf8');
    const value = objectOf(await fromYaml(text), body, kind);
    return { value, json: null, duplicateKeys: await duplicateKeys(text) };
  }
  if (format === 'protobuf') return { value: fromProtobuf(body, kind), json: null };
  const json = body.toString('utf8');
  let value: JsonValue;
  try {
    value = JSON.parse(json) as JsonValue;
  } catch {
    throw unrecognized(body, kind, `${NO_KIND}: ${goJsonError(json)}`);
  }
  return { value: objectOf(value, body, kind), json };
}

/** To Go null is an object that says nothing. */
function objectOf(value: JsonValue, body: Buffer, kind: string): JsonObject {
  if (value === null) return {};
  if (isJsonObject(value)) return value;
  throw unrecognized(body, kind, `${NO_KIND}: ${goTypeError(value, KIND_STRUCT)}`);
}

const goTypeError = (value: JsonValue, type: string): string =>
  `json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type ${type}`;

function fromProtobuf(body: Buffer, kind: string): JsonValue {
  try {
    return decodeProtobuf(body);
  } catch (error) {
    throw unrecognized(body, kind, (error as Error).message);
  }
}

const unrecognized = (body: Buffer, kind: string, why: string) =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`);

/**
 * The value of a patch, which has no kind. Where fields are validated, what it is made of is looked at before it is
 * applied. Throws BadRequest in kube-apiserver's words.
 */
export function decodePatch(body: Buffer, mediaType: string, fieldValidation: string): Body {
  const json = body.toString('utf8');
  const type = fieldValidation === 'Ignore' ? undefined : VALIDATED_PATCHES[mediaType];
  const refuse = (why: string) => badRequest(type ? `error decoding patch: ${why}` : why);
  let value: JsonValue;
  try {
    value = JSON.parse(json) as JsonValue;
  } catch {
    throw refuse(goJsonError(json));
  }
  if (value === null || !type) return { value, json };
  if (type.isList ? !Array.isArray(value) : !isJsonObject(value)) throw refuse(goTypeError(value, type.name));
  const item = Array.isArray(value) ? value.find((one) => one !== null && !isJsonObject(one)) : undefined;
  if (item !== undefined) throw refuse(goTypeError(item, type.name.slice(2)));
  return { value, json };
}

/** The value of a patch that may be YAML. JSON is read as such, which is much faster. */
export async function decodeYamlPatch(body: Buffer): Promise<Body> {
  const text = body.toString('utf8');
  if (body[0] === OPENING_BRACE) {
    try {
      const value = JSON.parse(text) as JsonValue;
      const isClean = findDuplicateFields(text).length === 0;
      return { value, json: text, ...(!isClean && { duplicateKeys: await duplicateKeys(text) }) };
    } catch {
      // YAML has braces, too.
    }
  }
  return { value: await fromYaml(text, 'decoding YAML'), json: null, duplicateKeys: await duplicateKeys(text) };
}

function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const encoding = body[0] === OPENING_BRACE ? 'utf8' : 'hex';
  const shown = body.toString(encoding, 0, SUMMARY_BYTES_MAX);
  return body.length > SUMMARY_BYTES_MAX ? `${shown} ...` : shown;
}

/** Throws where the text has numbers that JSON can't have, or an anchor within itself. Nothing in it is shared. */
const asJson = (value: unknown): JsonValue =>
  JSON.parse(
    JSON.stringify(value, (_, member) => {
      if (typeof member === 'number' && !Number.isFinite(member)) throw new Error(`unsupported value: ${member}`);
      return member;
    }),
  ) as JsonValue;

/** The reader of YAML is loaded on first use. */
async function fromYaml(text: string, doing = 'converting YAML to JSON'): Promise<JsonValue> {
  const { parse } = await import('yaml');
  try {
    return asJson(parse(text, KUBERNETES_YAML));
  } catch (error) {
    throw badRequest(`error ${doing}: yaml: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}

/** What stands twice in one map of a readable text, in the words of Go's reader. */
async function duplicateKeys(text: string): Promise<string[]> {
  const { isNode, isScalar, LineCounter, parseDocument, visit } = await import('yaml');
  const lineCounter = new LineCounter();
  const found: string[] = [];
  visit(parseDocument(text, { ...KUBERNETES_YAML, lineCounter }), {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key, value } of items) {
        if (!isScalar(key)) continue;
        const isNew = !seen.has(key.value);
        seen.add(key.value);
        if (isNew || found.length >= DUPLICATES_MAX) continue;
        const { line } = lineCounter.linePos(((isNode(value) && value.range) || key.range!)[0]);
        found.push(`line ${line}: key ${JSON.stringify(key.value)} already set in map`);
      }
    },
  });
  return found;
}

/** An object as YAML, for clients that ask for it. */
export async function toYaml(json: string): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(JSON.parse(json), { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 });
}
