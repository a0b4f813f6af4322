import { badRequest } from './status-error.ts';

/** `field` must (or with `!=` must not) have exactly `value`. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** A compiled field selector: `metadata.name=x,spec.nodeName!=`. All requirements must hold. */
export class FieldSelector {
  readonly requirements: readonly FieldRequirement[];

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  get selectsEverything(): boolean {
    return this.requirements.length === 0;
  }

  get text(): string {
    return this.requirements.map(({ field, operator, value }) => field + operator + escapeFieldValue(value)).join(',');
  }

  /** `get` returns the value of a field, '' when it is absent. */
  matches(get: (field: string) => string): boolean {
    for (const { field, operator, value } of this.requirements) {
      if ((get(field) === value) !== (operator === '=')) return false;
    }
    return true;
  }

  /** The one value that `field` must have, for an index or a direct read; undefined when there is none such. */
  exactValueOf(field: string): string | undefined {
    return this.requirements.find((each) => each.field === field && each.operator === '=')?.value;
  }
}

export const everyField = new FieldSelector([]);

export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, '\\$&');

/**
 * Parses a field selector, as in `?fieldSelector=`. In a value `\`, `,` and `=` are escaped with a backslash.
 * Whether the fields exist is for the kind to say. Throws BadRequest in Kubernetes' words.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
 */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  // A backslash keeps the comma behind it in the term.
  for (const term of text.match(/(?:\\[\s\S]|[^,\\]|\\$)+/g)?.sort() ?? []) {
    const operator = /!=|==|=/.exec(term);
    if (!operator) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: term.slice(0, operator.index),
      operator: operator[0] === '!=' ? '!=' : '=',
      value: unescapeFieldValue(term.slice(operator.index + operator[0].length)),
    });
  }
  return requirements.length === 0 ? everyField : new FieldSelector(requirements);
}

function unescapeFieldValue(text: string): string {
  return text.replace(/\\([\s\S]?)|[,=]/gu, (found, escaped: string | undefined) => {
    if (escaped === undefined) {
      // Kubernetes prints the code point here, not the character.
      throw badRequest(`invalid field selector: unescaped character in value: ${found.codePointAt(0)}`);
    }
    if (!/^[\\,=]$/.test(escaped)) throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
    return escaped;
  });
}
