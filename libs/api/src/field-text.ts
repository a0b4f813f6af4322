import { fieldTexts } from '../generated/field-texts.js';

/**
 * What OpenAPI says of a field: `v1.PodStatus.podIP`. Texts are there of the fields that the sources of this library name
 * with a call of this function.
 */
export function fieldText(field: string): string {
  const text = fieldTexts[field];
  if (text === undefined) throw new Error(`no text of ${field}`);
  return text;
}
