import { expect, test } from 'vitest';
import { type Condition, conditionOf, isConditionTrue, withCondition, withoutCondition } from './conditions.ts';

const ready: Condition = { type: 'Ready', status: 'True', reason: 'Ok', lastTransitionTime: 't0' };
const other: Condition = { type: 'Other', status: 'False', lastTransitionTime: 't0' };

test('a new condition starts now', () => {
  expect(withCondition(undefined, { type: 'Ready', status: 'True' }, 't1')).toEqual([
    { type: 'Ready', status: 'True', lastTransitionTime: 't1' },
  ]);
});

test('a condition keeps its time until its status changes', () => {
  expect(withCondition([other, ready], { ...ready, reason: 'Fine' }, 't1')).toEqual([
    other,
    { ...ready, reason: 'Fine' },
  ]);
  expect(withCondition([ready, other], { ...ready, status: 'False' }, 't1')).toEqual([
    { ...ready, status: 'False', lastTransitionTime: 't1' },
    other,
  ]);
});

test('the list itself comes back when nothing changes', () => {
  const conditions = Object.freeze([ready, other]);
  expect(withCondition(conditions, { type: 'Ready', status: 'True', reason: 'Ok' }, 't1')).toBe(conditions);
  expect(withoutCondition(conditions, 'Missing')).toBe(conditions);
  expect(withoutCondition(conditions, 'Ready')).toEqual([other]);
});

test('conditions are found by type', () => {
  expect(conditionOf([ready, other], 'Other')).toBe(other);
  expect(isConditionTrue([ready, other], 'Ready')).toBe(true);
  expect(isConditionTrue([ready, other], 'Other')).toBe(false);
  expect(isConditionTrue(undefined, 'Ready')).toBe(false);
});
