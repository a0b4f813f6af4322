import { badRequest, findDuplicateFields, type JsonValue, KUBERNETES_YAML } from '@periplus/apimachinery';
import type { Body } from '@periplus/operations';
import { goJsonError } from './go-json-error.ts';
import type { BodyFormat } from './media-types.ts';
import { decodeProtobuf } from './protobuf/decode.ts';

/** What of an unreadable body is shown to its sender. */
const SUMMARY_BYTES_MAX = 30;
const OPENING_BRACE = 0x7b;
/** As many duplicates as are told of. */
const DUPLICATES_MAX = 100;

/**
 * The value of a request's body. `kind` is what it should have been, for the error: "Deployment". Throws BadRequest
 * in kube-apiserver's words.
 */
export async function decodeBody(body: Buffer, format: BodyFormat, kind: string): Promise<Body> {
  if (format === 'yaml') {
    const text = body.toString('utf8');
    return { value: await fromYaml(text), json: null, duplicateKeys: await duplicateKeys(text) };
  }
  if (format === 'protobuf') return { value: fromProtobuf(body, kind), json: null };
  const json = body.toString('utf8');
  try {
    return { value: JSON.parse(json) as JsonValue, json };
  } catch {
    throw unrecognized(body, kind, `couldn't get version/kind; json parse error: ${goJsonError(json)}`);
  }
}

function fromProtobuf(body: Buffer, kind: string): JsonValue {
  try {
    return decodeProtobuf(body);
  } catch (error) {
    throw unrecognized(body, kind, (error as Error).message);
  }
}

const unrecognized = (body: Buffer, kind: string, why: string) =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`);

/** The value of a patch, which has no kind. */
export function decodePatch(body: Buffer): Body {
  const json = body.toString('utf8');
  try {
    return { value: JSON.parse(json) as JsonValue, json };
  } catch {
    throw badRequest(goJsonError(json));
  }
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
