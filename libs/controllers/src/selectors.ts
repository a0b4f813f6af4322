import {
  compileLabelSelector,
  type DeepReadonly,
  type LabelSelector,
  nothing,
  type Selector,
} from '@periplus/apimachinery';

const compiled = new WeakMap<object, Selector>();

/** The compiled selector of an object in a view: those never change, so each is compiled once. */
export function selectorOf(selector: DeepReadonly<LabelSelector> | undefined): Selector {
  if (!selector) return nothing;
  let known = compiled.get(selector);
  if (!known) {
    known = compileLabelSelector(selector);
    compiled.set(selector, known);
  }
  return known;
}

/** A selector as Go prints it, which some of Kubernetes' messages do. */
export function selectorInGo(selector: DeepReadonly<LabelSelector> | undefined): string {
  if (!selector) return 'nil';
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`)
    .join('');
  const expressions = matchExpressions
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
    )
    .join('');
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}
