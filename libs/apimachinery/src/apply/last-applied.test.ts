import { expect, it } from 'vitest';
import { thing } from '../schema.fixture.ts';
import { conflictsBeyond } from './conflicts.ts';
import { LAST_APPLIED, setByClientSideApply } from './last-applied.ts';

const applied = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, spec: { replicas: 1, deadline: 2 } };
const live = (annotation: string) => ({
  ...{ apiVersion: 'v1', kind: 'Thing', spec: { replicas: 1, deadline: 9, ratio: 1 } },
  metadata: { name: 'a', annotations: { [LAST_APPLIED]: annotation } },
});

it('is what the annotation states and the object still has', () => {
  expect(setByClientSideApply(live(JSON.stringify(applied)), thing)).toEqual({
    ...{ 'f:apiVersion': {}, 'f:kind': {}, 'f:metadata': { 'f:name': {} } },
    'f:spec': { 'f:replicas': {} },
  });
});

it.each([['{'], ['[]'], [''], [JSON.stringify({ ...applied, apiVersion: 'v2' })]])(
  'is nothing for the annotation %s',
  (text) => {
    expect(setByClientSideApply(live(text), thing)).toEqual({});
  },
);

it('is no reason for a conflict', () => {
  const allowed = setByClientSideApply(live(JSON.stringify(applied)), thing);
  const entry = { manager: 'a', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} } as const;
  const conflict = (name: string) => ({ entry, fields: { 'f:spec': { [`f:${name}`]: {} } } });
  expect(conflictsBeyond([conflict('replicas'), conflict('deadline')], allowed)).toEqual([conflict('deadline')]);
});
