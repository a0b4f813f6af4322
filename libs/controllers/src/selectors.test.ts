import { expect, it } from 'vitest';
import { selectorInGo } from './selectors.ts';

it.each([
  [undefined, 'nil'],
  [{}, '&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{},}'],
  [
    {
      matchLabels: { tier: 'back', app: 'web' },
      matchExpressions: [
        { key: 'env', operator: 'In' as const, values: ['a', 'b'] },
        { key: 'old', operator: 'DoesNotExist' as const },
      ],
    },
    '&LabelSelector{MatchLabels:map[string]string{app: web,tier: back,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:env,Operator:In,Values:[a b],},LabelSelectorRequirement{Key:old,Operator:DoesNotExist,Values:[],},},}',
  ],
])('prints the selector %j as Go does', (selector, text) => {
  expect(selectorInGo(selector)).toBe(text);
});
