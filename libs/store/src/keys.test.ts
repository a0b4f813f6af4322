import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inboxPath, Keys, parseResourcePath, resourcePath } from './keys.ts';

const keys = new Keys('/test/cluster');
const pod = { group: '', resource: 'pods', namespace: 'default', name: 'web-0' };
const within = (key: string, range: { key: string; rangeEnd: string }): boolean =>
  key >= range.key && key < range.rangeEnd;

const segments = fc.stringMatching(/^[a-z0-9A-Z.:_-]{1,20}$/);
const resourceKeys = fc.record({
  group: fc.oneof(
    fc.constant(''),
    segments.filter((text) => text !== 'core'),
  ),
  resource: segments,
  namespace: fc.oneof(fc.constant(''), segments),
  name: segments,
});

describe('Keys', () => {
  it('names everything below the prefix', () => {
    expect(keys.registry(pod)).toBe('/test/cluster/registry/core/pods/default/web-0');
    expect(keys.registry({ group: 'apps', resource: 'deployments', namespace: 'a', name: 'b' })).toBe(
      '/test/cluster/registry/apps/deployments/a/b',
    );
    expect(keys.registry({ group: '', resource: 'nodes', namespace: '', name: 'n1' })).toBe(
      '/test/cluster/registry/core/nodes/n1',
    );
    expect(keys.tombstone(pod)).toBe('/test/cluster/tombstones/core/pods/default/web-0');
    expect(keys.inbox('n1', 'default', 'web-0')).toBe('/test/cluster/nodes/n1/pods/default/web-0');
    expect(keys.liveness('n1')).toBe('/test/cluster/liveness/n1');
    expect(keys.allocation('clusterips', '10.96.0.1')).toBe('/test/cluster/allocations/clusterips/10.96.0.1');
    expect(keys.election('scheduler')).toBe('/test/cluster/elections/scheduler');
  });

  it('parses what it has made, and nothing else', () => {
    fc.assert(
      fc.property(resourceKeys, (key) => {
        expect(parseResourcePath(resourcePath(key))).toEqual(key);
        expect(keys.parseRegistry(keys.registry(key))).toEqual(key);
        expect(keys.parseTombstone(keys.tombstone(key))).toEqual(key);
        expect(keys.parseRegistry(keys.tombstone(key))).toBeUndefined();
      }),
    );
    for (const wrong of ['', 'core', 'core/pods', 'core/pods/', 'core//a/b', 'core/pods/a/b/c', '/core/pods/a']) {
      expect(parseResourcePath(wrong)).toBeUndefined();
    }
    const podKey = { group: '', resource: 'pods', namespace: 'a', name: 'b' };
    expect(keys.parseInbox(keys.inbox('n1', 'a', 'b'))).toEqual({ node: 'n1', key: podKey });
    const volume = { group: '', resource: 'persistentvolumes', namespace: '', name: 'pv' };
    expect(keys.parseInbox(keys.at(inboxPath('n1', 'persistentvolumes', 'pv')))).toEqual({ node: 'n1', key: volume });
    expect(keys.parseInbox('/test/cluster/nodes/n1/pods')).toBeUndefined();
    expect(keys.parseInbox('/test/cluster/nodes/n1/pods/a/b/c')).toBeUndefined();
    expect(keys.parseLiveness(keys.liveness('n1'))).toBe('n1');
    expect(keys.parseLiveness('/test/cluster/liveness/')).toBeUndefined();
    expect(keys.parseRegistry('/other/registry/core/pods/a/b')).toBeUndefined();
  });

  it('refuses a name that would reach into another key', () => {
    expect(() => keys.registry({ ...pod, name: '../../etc' })).toThrow('cannot be part of a key');
    expect(() => keys.registry({ ...pod, name: '' })).toThrow('cannot be part of a key');
    expect(() => keys.liveness('a/b')).toThrow('cannot be part of a key');
  });

  it('has ranges that hold exactly what belongs in them', () => {
    fc.assert(
      fc.property(resourceKeys, resourceKeys, (one, other) => {
        const key = keys.registry(one);
        expect(within(key, keys.registryRange())).toBe(true);
        expect(within(key, keys.log)).toBe(true);
        expect(within(keys.tombstone(one), keys.log)).toBe(true);
        const sameResource = one.group === other.group && one.resource === other.resource;
        expect(within(key, keys.registryRange({ group: other.group, resource: other.resource }))).toBe(sameResource);
        if (other.namespace !== '' && one.namespace !== '') {
          expect(within(key, keys.registryRange(other))).toBe(sameResource && one.namespace === other.namespace);
        }
      }),
    );
    expect(within(keys.revision, keys.log)).toBe(true);
    for (const outside of [
      keys.liveness('n'),
      keys.inbox('n', 'a', 'b'),
      keys.allocation('p', 'v'),
      keys.election('e'),
      keys.fence('f'),
    ]) {
      expect(within(outside, keys.log)).toBe(false);
    }
    expect(within(keys.inbox('n1', 'a', 'b'), keys.inboxRange('n1'))).toBe(true);
    expect(within(keys.inbox('n10', 'a', 'b'), keys.inboxRange('n1'))).toBe(false);
    expect(within(keys.liveness('n'), keys.livenessRange())).toBe(true);
  });
});
