import { type Pod, pod } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import type { CachedObject } from './cached-object.ts';
import { ObjectIndex } from './object-index.ts';
import type { Index } from './types.ts';

const byNode: Index<Pod> = {
  name: 'by node',
  kind: pod,
  keys: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
  mention: '"nodeName":',
};

/** An entry of the cache that tells when it is parsed. */
function entry(spec: object): CachedObject & { parsed: boolean } {
  const bytes = Buffer.from(JSON.stringify({ kind: 'Pod', spec }));
  const counted = {
    parsed: false,
    bytes,
    get object() {
      counted.parsed = true;
      return JSON.parse(bytes.toString());
    },
  };
  return counted as unknown as CachedObject & { parsed: boolean };
}

describe('a declared index', () => {
  it('follows an object from value to value', () => {
    const index = ObjectIndex.declared(byNode as unknown as Index);
    const [unbound, bound] = [entry({}), entry({ nodeName: 'n1' })];
    index.replace(null, unbound);
    expect([...index.get('n1')]).toEqual([]);
    index.replace(unbound, bound);
    expect([...index.get('n1')]).toEqual([bound]);
    index.replace(bound, null);
    expect([...index.get('n1')]).toEqual([]);
  });

  it('parses only objects that mention what it is about', () => {
    const index = ObjectIndex.declared(byNode as unknown as Index);
    const [without, quoted] = [entry({ containers: [] }), entry({ note: 'spec.nodeName' })];
    index.replace(null, without);
    index.replace(null, quoted);
    expect([without.parsed, quoted.parsed]).toEqual([false, false]);
  });
});
