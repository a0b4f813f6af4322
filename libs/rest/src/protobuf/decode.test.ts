import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './decode.ts';

interface Sample {
  kind: string;
  /** Hex, as client-go 0.36 sends it. */
  protobuf: string;
  /** The same object as client-go sends it in JSON. */
  json: unknown;
}

const samples = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata/bodies.json'), 'utf8')) as Sample[];

/** Go writes null for times and lists that were never set; absent means the same. */
const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_name, member) => member ?? undefined));

describe('decodeProtobuf', () => {
  it.each(samples.map((sample) => [sample.kind, sample] as const))('reads a %s as its JSON', (_kind, sample) => {
    const decoded = decodeProtobuf(Buffer.from(sample.protobuf, 'hex'));
    expect(withoutNulls(decoded)).toEqual(withoutNulls(sample.json));
  });

  it('refuses what is cut off or something else', () => {
    const whole = Buffer.from(samples[0]!.protobuf, 'hex');
    expect(() => decodeProtobuf(whole.subarray(0, whole.length - 3))).toThrow('unexpected EOF');
    expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow('does not appear to be a protobuf message');
  });

  it('never does worse than throw, whatever bytes it is given', () => {
    for (const { protobuf } of samples) {
      const whole = Buffer.from(protobuf, 'hex');
      for (let at = 4; at < whole.length; at++) {
        const broken = Buffer.from(whole);
        broken[at] = broken[at]! ^ 0xff;
        try {
          decodeProtobuf(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }
    }
  });
});
