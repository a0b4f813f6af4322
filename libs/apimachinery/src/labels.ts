import type { FieldError, FieldPath } from './field-error.ts';
import { integerOf, type LabelRequirement, parseLabelRequirements, sortedByKey } from './label-selector-parser.ts';
import { labelValue, qualifiedName } from './names.ts';
import type { DeepReadonly } from './object.ts';
import { badRequest } from './status-error.ts';

export type Labels = Readonly<Record<string, string>>;

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/ */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/**
 * A compiled label selector. Compile once, match often: `matches` allocates nothing.
 * Labels named like members of Object.prototype are no trouble: only strings count.
 */
export class Selector {
  /** As Kubernetes prints it: `a=b,c in (x,y)`; '' for both everything and nothing. */
  readonly text: string;
  /** Sorted by key, all of them must hold. */
  readonly requirements: readonly LabelRequirement[];
  /** It can never match, whatever the labels. */
  readonly selectsNothing: boolean;
  readonly #tests: readonly LabelTest[];

  constructor(requirements: readonly LabelRequirement[], selectsNothing = false) {
    this.requirements = requirements;
    this.selectsNothing = selectsNothing;
    this.text = requirements.map(textOf).join(',');
    this.#tests = requirements.map((requirement) => new LabelTest(requirement));
  }

  get selectsEverything(): boolean {
    return this.#tests.length === 0 && !this.selectsNothing;
  }

  matches(labels: Labels | undefined): boolean {
    if (this.selectsNothing) return false;
    const tests = this.#tests;
    for (let i = 0; i < tests.length; i++) {
      const test = tests[i] as LabelTest;
      const value = labels?.[test.key];
      if (!test.holds(typeof value === 'string' ? value : undefined)) return false;
    }
    return true;
  }

  /** The one value that the label `key` must have to match, for an index; undefined when there is none such. */
  exactValueOf(key: string): string | undefined {
    for (const { key: candidate, operator, values } of this.requirements) {
      if (candidate !== key || values.length !== 1) continue;
      if (operator === '=' || operator === '==' || operator === 'in') return values[0];
    }
    return undefined;
  }
}

/** What a test of a label does with its value, decided once. */
type TestKind = 'is' | 'isNot' | 'isOneOf' | 'isNoneOf' | 'exists' | 'isAbsent' | 'isGreater' | 'isLess';

class LabelTest {
  readonly key: string;
  readonly #kind: TestKind;
  readonly #value: string;
  readonly #values: ReadonlySet<string>;
  readonly #bound: bigint;

  constructor({ key, operator, values }: LabelRequirement) {
    const [value = ''] = values;
    const single = values.length === 1;
    const kinds = {
      '=': 'is',
      '==': 'is',
      '!=': 'isNot',
      in: single ? 'is' : 'isOneOf',
      notin: single ? 'isNot' : 'isNoneOf',
      exists: 'exists',
      '!': 'isAbsent',
      gt: 'isGreater',
      lt: 'isLess',
    } as const;
    this.key = key;
    this.#kind = kinds[operator];
    this.#value = value;
    this.#values = new Set(values);
    this.#bound = integerOf(value) ?? 0n;
  }

  holds(label: string | undefined): boolean {
    switch (this.#kind) {
      case 'is':
        return label === this.#value;
      case 'isNot':
        return label !== this.#value;
      case 'isOneOf':
        return label !== undefined && this.#values.has(label);
      case 'isNoneOf':
        return label === undefined || !this.#values.has(label);
      case 'exists':
        return label !== undefined;
      case 'isAbsent':
        return label === undefined;
      default: {
        const number = label === undefined ? undefined : integerOf(label);
        if (number === undefined) return false;
        return this.#kind === 'isGreater' ? number > this.#bound : number < this.#bound;
      }
    }
  }
}

function textOf({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

export const everything = new Selector([]);
export const nothing = new Selector([], true);

/** Parses the text form, as in `?labelSelector=`. Throws BadRequest. */
export function parseLabelSelector(text: string): Selector {
  const requirements = parseLabelRequirements(text);
  return requirements.length === 0 ? everything : new Selector(requirements);
}

/** The plain map of a Service or ReplicationController. Without labels it selects everything: ask first. */
export function selectorOfLabels(labels: Labels | undefined): Selector {
  const requirements = equalityRequirements(labels);
  return requirements.length === 0 ? everything : new Selector(sortedByKey(requirements));
}

const equalityRequirements = (labels: Labels | undefined): LabelRequirement[] =>
  Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] }));

const EXPRESSION_OPERATORS = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' } as const;
const isExpressionOperator = (name: string): name is keyof typeof EXPRESSION_OPERATORS =>
  Object.hasOwn(EXPRESSION_OPERATORS, name);

/**
 * Compiles matchLabels and matchExpressions. An absent selector selects nothing, an empty one everything.
 * Throws BadRequest on an operator that validation would have refused.
 */
export function compileLabelSelector(selector: DeepReadonly<LabelSelector> | null | undefined): Selector {
  if (!selector) return nothing;
  const requirements = equalityRequirements(selector.matchLabels);
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (!isExpressionOperator(operator)) {
      throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`);
    }
    requirements.push({ key, operator: EXPRESSION_OPERATORS[operator], values: [...new Set(values)].sort() });
  }
  return requirements.length === 0 ? everything : new Selector(sortedByKey(requirements));
}

export function validateLabels(labels: Labels | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    for (const problem of qualifiedName(key)) errors.push(path.invalid(key, problem));
    const value = labels[key] as string;
    for (const problem of labelValue(value)) errors.push(path.invalid(value, problem));
  }
  return errors;
}

export function validateLabelSelector(
  selector: DeepReadonly<LabelSelector> | null | undefined,
  path: FieldPath,
): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, path.child('matchLabels'));
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const place = path.index('matchExpressions', i);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(place.child('values').required("must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        errors.push(
          place.child('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
    } else {
      errors.push(place.child('operator').invalid(operator, 'not a valid selector operator'));
    }
    for (const problem of qualifiedName(key)) errors.push(place.child('key').invalid(key, problem));
    values.forEach((value, position) => {
      for (const problem of labelValue(value)) errors.push(place.index('values', position).invalid(value, problem));
    });
  });
  return errors;
}
