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
