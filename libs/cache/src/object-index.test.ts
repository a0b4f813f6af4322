import { type Pod, pod } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import type { CachedObject } from './cached-object.ts';
import { ObjectIndex, textsBehind } from './object-index.ts';
import type { Index } from './types.ts';

const byNode: Index<Pod> = {
  name: 'by node',
  kind: pod,
  keys: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
  candidates: ({ bytes }) => textsBehind(bytes, '"nodeName":"'),
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

  it('parses only what somebody looks up, and leaves out what only looks like it', () => {
    const index = ObjectIndex.declared(byNode as unknown as Index);
    const pods = [entry({}), entry({ nodeName: 'n1' }), entry({ nodeName: 'n2', nodeSelector: { nodeName: 'n1' } })];
    const [without, on1, on2] = pods as [(typeof pods)[0], (typeof pods)[0], (typeof pods)[0]];
    for (const pod of pods) index.replace(null, pod);
    expect(pods.map(({ parsed }) => parsed)).toEqual([false, false, false]);
    expect([...index.get('n1')]).toEqual([on1]);
    expect(without.parsed).toBe(false);
    for (const pod of pods) index.replace(pod, null);
    index.replace(null, on2);
    expect([...index.get('n2')]).toEqual([on2]);
  });
});
