import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeBody, decodePatch, decodeYamlPatch } from './decode.ts';

const TWICE = `metadata:
  name: a
  labels: {x: '1', x: '2'}
data:
  a: "1"
  b: "2"
  a:
    deep: yes
items:
- 1: one
  1: uno
`;
const FOUND = [
  'line 3: key "x" already set in map',
  'line 8: key "a" already set in map',
  'line 11: key 1 already set in map',
];

describe('YAML', () => {
  it.each([
    ['bytes in base64', '!!binary |\n  aGVs\n  bG8=\n', 'hello'],
    ['bytes that are no text', '!!binary true', '\ufffd\ufffd\ufffd'],
    ['a date', '2026-11-21T12:00:00Z', '2026-11-21T12:00:00Z'],
    ['a set', '!!set {x, z}', { x: null, z: null }],
    ['an ordered map', '!!omap [b: 1]', [{ b: 1 }]],
    ['an alias', '[&x {b: 1}, *x]', [{ b: 1 }, { b: 1 }]],
  ])('with %s is read as JSON', async (_, yaml, value) => {
    expect((await decodeBody(Buffer.from(`a: ${yaml}`), 'yaml', 'X')).value).toEqual({ a: value });
  });

  it.each([
    ['bytes that are not in base64', '!!binary "%%"', '!!binary value contains invalid base64 data'],
    ['no number', '.nan', 'unsupported value: NaN'],
    ['too large a number', '-.inf', 'unsupported value: -Infinity'],
    ['an anchor within itself', '&x [*x]', 'Converting circular structure to JSON'],
  ])('with %s is refused', async (_, yaml, problem) => {
    await expect(decodeBody(Buffer.from(`a: ${yaml}`), 'yaml', 'X')).rejects.toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining(`yaml: ${problem}`),
    });
  });
});

describe('what stands twice in a body', () => {
  it('is told by line and key of YAML', async () => {
    const { value, duplicateKeys } = await decodeBody(Buffer.from(TWICE), 'yaml', 'ConfigMap');
    expect(duplicateKeys).toEqual(FOUND);
    expect(value).toMatchObject({ metadata: { labels: { x: '2' } } });
    expect((await decodeYamlPatch(Buffer.from(TWICE))).duplicateKeys).toEqual(FOUND);
  });

  it('is told in the same words of an apply in JSON', async () => {
    const { value, duplicateKeys } = await decodeYamlPatch(Buffer.from('{"a":1,\n"b":{"c":1,"c":2},\n"a":2}'));
    expect(duplicateKeys).toEqual(['line 3: key "a" already set in map', 'line 2: key "c" already set in map']);
    expect(value).toEqual({ a: 2, b: { c: 2 } });
  });

  it('is nothing in a body that is as it should be', async () => {
    const text = '{"a":[{"b":1},{"b":2}]}';
    expect((await decodeYamlPatch(Buffer.from(text))).duplicateKeys).toBeUndefined();
    expect((await decodeBody(Buffer.from('a: [{b: 1}, {b: 2}]'), 'yaml', 'X')).duplicateKeys).toEqual([]);
  });

  it('is told of as often as anybody reads', async () => {
    const text = `{${Array.from({ length: 5_000 }, () => '"a":1').join()}}`;
    expect((await decodeYamlPatch(Buffer.from(text))).duplicateKeys).toHaveLength(100);
  });
});

describe('a body that is odd', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is shown to nobody but its sender', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const { value } = await decodeYamlPatch(Buffer.from('data:\n  password: !odd hush\n'));
    expect(value).toEqual({ data: { password: 'hush' } });
    expect(warned).not.toHaveBeenCalled();
  });
});

const STRUCT = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

describe('a body', () => {
  const refusal = (text: string, format: 'json' | 'yaml') =>
    decodeBody(Buffer.from(text), format, 'Pod').catch((error: Error) => error.message);

  it.each([
    ['json', '[]', 'array', '5b5d'],
    ['json', '"x"', 'string', '227822'],
    ['yaml', '- a', 'array', '2d2061'],
  ] as const)('of %s that is no object is refused as Go refuses it: %s', async (format, text, type, summary) => {
    expect(await refusal(text, format)).toBe(
      `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go value of type ${STRUCT} (${summary})`,
    );
  });

  it('of null is an object that says nothing', async () => {
    expect((await decodeBody(Buffer.from('null'), 'json', 'Pod')).value).toEqual({});
  });
});

describe('a patch', () => {
  const JSON_PATCH = 'application/json-patch+json';
  const MERGE_PATCH = 'application/merge-patch+json';
  const STRATEGIC = 'application/strategic-merge-patch+json';

  it.each([
    [
      JSON_PATCH,
      '{}',
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    ],
    [
      JSON_PATCH,
      '["x"]',
      'error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp',
    ],
    [
      MERGE_PATCH,
      '[]',
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    [MERGE_PATCH, 'x', "error decoding patch: invalid character 'x' looking for beginning of value"],
    [STRATEGIC, 'x', "invalid character 'x' looking for beginning of value"],
  ])('of %s that is none is refused: %s', (type, text, message) => {
    expect(() => decodePatch(Buffer.from(text), type, 'Warn')).toThrow(message);
  });

  it('is not looked at when nobody wants its fields validated', () => {
    expect(decodePatch(Buffer.from('{}'), JSON_PATCH, 'Ignore').value).toEqual({});
    expect(() => decodePatch(Buffer.from('x'), MERGE_PATCH, 'Ignore')).toThrow(/^invalid character/);
    expect(decodePatch(Buffer.from('null'), JSON_PATCH, 'Strict').value).toBeNull();
  });
});
