import { describe, expect, it } from 'vitest';
import { managed, NOTHING, type State, update } from './apply-config.fixture.ts';
import { decodeManagedFields, isReset, UPDATE_MANAGERS_MAX } from './managed-fields.ts';

const HOUR = (hour: number): string => `2026-01-01T${String(hour).padStart(2, '0')}:00:00Z`;

describe('tracking updates', () => {
  it('gives the creator what he states, with the maps and items that did not exist before', () => {
    const created = update(NOTHING, 'kubectl-create', {
      metadata: { name: 'a', labels: { app: 'a' } },
      spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }], strategy: { type: 'x' } },
    });
    expect(managed(created)).toEqual({
      'kubectl-create': {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:containers': {
            '.': {},
            'k:{"name":"main"}': {
              '.': {},
              'f:name': {},
              'f:resources': { '.': {}, 'f:requests': { '.': {}, 'f:cpu': {} } },
            },
          },
          'f:strategy': { 'f:type': {} },
        },
      },
    });
  });

  it('takes what an update changes from whoever had it, and forgets what it removes', () => {
    const created = update(NOTHING, 'one', { spec: { replicas: 1, deadline: 2, ratio: 1 } }, HOUR(1));
    const updated = update(created, 'two', { spec: { replicas: 5, ratio: 1 } }, HOUR(2));
    expect(updated.entries).toEqual([
      expect.objectContaining({ manager: 'one', time: HOUR(1), fieldsV1: { 'f:spec': { 'f:ratio': {} } } }),
      expect.objectContaining({ manager: 'two', time: HOUR(2), fieldsV1: { 'f:spec': { 'f:replicas': {} } } }),
    ]);
  });

  it('keeps the entries as they are when nothing changes', () => {
    const created = update(NOTHING, 'one', { spec: { replicas: 1 } }, HOUR(1));
    expect(update(created, 'two', { spec: { replicas: 1 } }, HOUR(2)).entries).toBe(created.entries);
  });

  it('adds to what the same manager has, in the order of time', () => {
    let state: State = update(NOTHING, 'b', { spec: { replicas: 1 } }, HOUR(1));
    state = update(state, 'a', { spec: { replicas: 1, deadline: 1 } }, HOUR(2));
    state = update(state, 'b', { spec: { replicas: 1, deadline: 1, ratio: 1 } }, HOUR(3));
    expect(state.entries.map(({ manager, time }) => [manager, time])).toEqual([
      ['a', HOUR(2)],
      ['b', HOUR(3)],
    ]);
    expect(managed(state).b).toEqual({ 'f:spec': { 'f:replicas': {}, 'f:ratio': {} } });
  });

  it('remembers no more managers of updates than the limit: the oldest become one', () => {
    let state: State = NOTHING;
    const labels: Record<string, string> = {};
    for (let i = 0; i < UPDATE_MANAGERS_MAX + 3; i++) {
      labels[`label-${i}`] = 'x';
      state = update(state, `manager-${i}`, { metadata: { labels: { ...labels } } }, HOUR(i));
    }
    expect(state.entries).toHaveLength(UPDATE_MANAGERS_MAX);
    expect(state.entries[0]).toMatchObject({
      manager: 'ancient-changes',
      operation: 'Update',
      time: HOUR(3),
      fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:label-0': {}, 'f:label-3': {} } } },
    });
    expect(state.entries[1]!.manager).toBe('manager-4');
  });
});

describe('entries that clients send', () => {
  const entry = { manager: 'a', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' };

  it('are written as this server writes them', () => {
    const fields = { 'f:ports': { 'k:{"protocol":"TCP", "containerPort":53}': { '.': {} }, 'v: "x"': {} } };
    expect(decodeManagedFields([{ ...entry, fieldsV1: fields }])).toEqual([
      { ...entry, fieldsV1: { 'f:ports': { 'k:{"containerPort":53,"protocol":"TCP"}': { '.': {} }, 'v:"x"': {} } } },
    ]);
  });

  it.each([
    ['no operation', { ...entry, operation: 'Take' }],
    ['no version', { ...entry, apiVersion: '' }],
    ['another type', { ...entry, fieldsType: 'FieldsV2' }],
    ['no set', { ...entry, fieldsV1: { 'f:a': 1 } }],
    ['no element', { ...entry, fieldsV1: { 'k:{': {} } }],
    ['a long name', { ...entry, manager: 'x'.repeat(129), fieldsV1: {} }],
    ['no prefix', { ...entry, fieldsV1: { spec: {} } }],
  ])('are none with %s', (_, value) => {
    expect(decodeManagedFields([value])).toBeUndefined();
  });

  it('may ask to forget them', () => {
    expect([[{}], [], [entry], [{}, {}], undefined].map(isReset)).toEqual([true, false, false, false, false]);
  });
});
