import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../object.ts';
import { apply, managed, NOTHING, type State, update } from './apply-config.fixture.ts';
import { applyConflict } from './conflicts.ts';

const scaled = (replicas: number, more: JsonObject = {}): JsonObject => ({ spec: { replicas, ...more } });
const container = (name: string, more: JsonObject = {}): JsonObject => ({ name, ...more });
const main = 'k:{"name":"main"}';

describe('applying a configuration', () => {
  it('owns what it states, and nothing that it leaves out', () => {
    const live = update(NOTHING, 'someone', scaled(1, { deadline: 5 }));
    const applied = apply(live, 'kubectl', {
      metadata: { name: 'a', labels: { app: 'a' } },
      spec: { containers: [container('main', { image: 'i' })] },
    });
    expect(applied.object).toEqual({
      metadata: { name: 'a', labels: { app: 'a' } },
      spec: { replicas: 1, deadline: 5, containers: [{ name: 'main', image: 'i' }] },
    });
    expect(managed(applied)).toMatchObject({
      kubectl: {
        'f:metadata': { 'f:labels': { 'f:app': {} } },
        'f:spec': { 'f:containers': { [main]: { '.': {}, 'f:name': {}, 'f:image': {} } } },
      },
    });
  });

  // https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
  it('conflicts with who owns a field that it states differently, and takes it when forced', () => {
    const live = update(NOTHING, 'kube-controller-manager', scaled(1));
    const applied = apply(live, 'kubectl', scaled(3));
    expect(applyConflict(applied.conflicts).toStatus()).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "kube-controller-manager" using v1: .spec.replicas',
      reason: 'Conflict',
      code: 409,
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kube-controller-manager" using v1',
            field: '.spec.replicas',
          },
        ],
      },
    });
    expect(applied.object).toEqual(scaled(3));
    expect(managed(applied)).toEqual({ kubectl: { 'f:spec': { 'f:replicas': {} } } });
  });

  it('owns what it states to be null, and takes it away when it may', () => {
    const live = apply(NOTHING, 'one', scaled(1, { deadline: 5 }));
    const applied = apply(live, 'two', { spec: { replicas: null } });
    expect(applyConflict(applied.conflicts).message).toBe(
      'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
    );
    expect(applied.object).toEqual({ spec: { replicas: null, deadline: 5 } });
    expect(managed(applied)).toEqual({
      one: { 'f:spec': { 'f:deadline': {} } },
      two: { 'f:spec': { 'f:replicas': {} } },
    });
  });

  it('leaves the parts of what it states to be null to those who own them', () => {
    const live = apply(NOTHING, 'one', { metadata: { labels: { a: 'b' } }, spec: { containers: [container('main')] } });
    const applied = apply(live, 'two', { metadata: { labels: null }, spec: { containers: null } });
    expect(applied.conflicts).toEqual([]);
    expect(applied.object).toEqual({ metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'main' }] } });
    expect(managed(applied).two).toEqual({ 'f:metadata': { 'f:labels': {} }, 'f:spec': { 'f:containers': {} } });
  });

  it('lists the conflicts with several managers, each with its fields', () => {
    const one = apply(NOTHING, 'one', scaled(1, { deadline: 1 }));
    const live = apply(one, 'two', { spec: { containers: [container('main', { image: 'a' })] } });
    const { conflicts } = apply(
      live,
      'three',
      scaled(2, { deadline: 2, containers: [container('main', { image: 'b' })] }),
    );
    expect(applyConflict(conflicts).message).toBe(
      [
        'Apply failed with 3 conflicts: conflicts with "one":',
        '- .spec.deadline',
        '- .spec.replicas',
        'conflicts with "two":',
        '- .spec.containers[name="main"].image',
      ].join('\n'),
    );
  });

  it('shares a field with who states the same value', () => {
    const applied = apply(apply(NOTHING, 'one', scaled(1)), 'two', scaled(1));
    expect(applied.conflicts).toEqual([]);
    const fields = { 'f:spec': { 'f:replicas': {} } };
    expect(managed(applied)).toEqual({ one: fields, two: fields });
    // And the field stays as long as one of them states it.
    expect(apply(applied, 'two', { spec: { deadline: 1 } }).object).toEqual(scaled(1, { deadline: 1 }));
  });

  // https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
  it('hands a field over to who updates it', () => {
    const applied = apply(NOTHING, 'kubectl', scaled(1, { deadline: 9 }));
    const updated = update(applied, 'autoscaler', scaled(4, { deadline: 9 }));
    expect(managed(updated)).toEqual({
      kubectl: { 'f:spec': { 'f:deadline': {} } },
      autoscaler: { 'f:spec': { 'f:replicas': {} } },
    });
    const released = apply(updated, 'kubectl', { spec: { deadline: 9 } });
    expect(released).toMatchObject({ conflicts: [], object: scaled(4, { deadline: 9 }) });
  });

  it('removes what it owned alone and states no more, with what it emptied', () => {
    const applied = apply(NOTHING, 'kubectl', {
      metadata: { labels: { app: 'a', tier: 'b' }, finalizers: ['a.example/x', 'a.example/y'] },
      spec: { replicas: 1, containers: [container('main'), container('side')] },
    });
    const config = {
      metadata: { labels: { app: 'a' }, finalizers: ['a.example/y'] },
      spec: { containers: [container('side')] },
    };
    expect(apply(applied, 'kubectl', config).object).toEqual(config);
    expect(apply(applied, 'kubectl', { metadata: { labels: { app: 'a' } } }).object).toEqual({
      metadata: { labels: { app: 'a' } },
    });
  });

  it('leaves an object that it states as empty, and owns no struct for empty lists in it', () => {
    const applied = apply(NOTHING, 'kubectl', {
      metadata: { labels: { app: 'a' } },
      spec: { strategy: { type: 'x' } },
    });
    const config = { metadata: { labels: {} }, spec: { containers: [], strategy: {} } };
    const emptied = apply(applied, 'kubectl', config);
    expect(emptied.object).toEqual(config);
    expect(managed(emptied)).toEqual({ kubectl: { 'f:metadata': { 'f:labels': {} }, 'f:spec': { 'f:strategy': {} } } });
  });

  it('keeps what names the object when the last field of the metadata goes', () => {
    const named = { name: 'a', uid: 'u' };
    const applied = apply(NOTHING, 'kubectl', { metadata: { name: 'a', labels: { app: 'a' } } });
    const live = { ...applied, object: { metadata: { ...named, labels: { app: 'a' } } } };
    expect(apply(live, 'kubectl', { metadata: { name: 'a' } }).object).toEqual({ metadata: named });
  });

  it('removes an item with the defaults in it, but not when others own a part of it', () => {
    const config = { spec: { containers: [container('main', { image: 'a' }), container('side', { image: 'a' })] } };
    const applied = apply(NOTHING, 'kubectl', config);
    const defaulted: State = {
      ...applied,
      object: {
        spec: { containers: [container('main', { image: 'a', stdin: false }), container('side', { image: 'a' })] },
      },
    };
    const only = { spec: { containers: [container('side', { image: 'a' })] } };
    expect(apply(defaulted, 'kubectl', only).object).toEqual(only);
    const shared = apply(defaulted, 'other', { spec: { containers: [container('main', { args: ['x'] })] } });
    expect(apply(shared, 'kubectl', only).object).toEqual({
      spec: { containers: [container('main', { args: ['x'], stdin: false }), container('side', { image: 'a' })] },
    });
  });

  it('takes atomic lists and raw values as one field', () => {
    const live = apply(NOTHING, 'one', { spec: { tolerations: [{ key: 'a' }], raw: { a: 1 } } });
    const applied = apply(live, 'two', { spec: { tolerations: [{ key: 'b' }], raw: { b: 1 } } });
    expect(applied.object).toEqual({ spec: { tolerations: [{ key: 'b' }], raw: { b: 1 } } });
    expect(applied.conflicts.map(({ fields }) => fields)).toEqual([{ 'f:spec': { 'f:tolerations': {}, 'f:raw': {} } }]);
  });

  it('knows items of a map list by all their keys, with defaults for those left out', () => {
    const ports = (...all: JsonObject[]): JsonObject => ({ spec: { containers: [container('main', { ports: all })] } });
    const live = apply(NOTHING, 'one', ports({ containerPort: 53, protocol: 'TCP' }));
    const applied = apply(
      live,
      'two',
      ports({ containerPort: 53, protocol: 'UDP' }, { containerPort: 53, name: 'dns' }),
    );
    expect(applied.object).toEqual(
      ports({ containerPort: 53, protocol: 'UDP' }, { containerPort: 53, protocol: 'TCP', name: 'dns' }),
    );
  });

  it.each([
    ['what is new goes behind', ['a', 'b'], ['c'], ['a', 'b', 'c']],
    ['the configuration decides on the order', ['a', 'b'], ['b', 'a'], ['b', 'a']],
    ['others keep their place', ['a', 'x', 'b'], ['b', 'a'], ['x', 'b', 'a']],
    ['new items go where the configuration has them', ['a', 'x', 'b'], ['a', 'n', 'b'], ['a', 'x', 'n', 'b']],
  ])('orders the items of a list: %s', (_, live, config, merged) => {
    const finalizers = (names: string[]): JsonObject => ({ metadata: { finalizers: names } });
    const state = update(NOTHING, 'one', finalizers(live));
    expect(apply(state, 'two', finalizers(config)).object).toEqual(finalizers(merged));
  });

  it('changes nothing, not even the time, when it is repeated', () => {
    const first = apply(NOTHING, 'kubectl', scaled(1), '2026-01-01T00:00:00Z');
    const again = apply(first, 'kubectl', scaled(1), '2026-02-02T00:00:00Z');
    expect(again).toEqual(first);
    expect(apply(again, 'kubectl', scaled(2), '2026-02-02T00:00:00Z').entries[0]!.time).toBe('2026-02-02T00:00:00Z');
  });
});
