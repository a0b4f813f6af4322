import { at } from './field-error.ts';
import { labelValue, qualifiedName } from './names.ts';
import { badRequest, type StatusError } from './status-error.ts';

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition of a selector. `values` is sorted and without repetitions. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

type Symbol = '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<';

/** `text` is what an error message quotes; an identifier may also be the word `in` or `notin`. */
type Token = { kind: 'symbol'; text: Symbol } | { kind: 'identifier'; text: string } | { kind: 'end'; text: '' };

const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';
const SYMBOLS = new Set<string>(['(', ')', ',', '!', '=', '==', '!=', '>', '<']);
const TOKEN = /[ \t\r\n]*(?:([=!(),<>]+)|([^=!(),<> \t\r\n]+))/y;
const END: Token = { kind: 'end', text: '' };

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    if (match[2] !== undefined) tokens.push({ kind: 'identifier', text: match[2] });
    else splitSymbols(match[1] as string, tokens);
  }
  tokens.push(END);
  return tokens;
}

/** A run of symbols is cut greedily: `=(` is two, `==` is one. */
function splitSymbols(run: string, tokens: Token[]): void {
  for (let i = 0; i < run.length; ) {
    const pair = run.slice(i, i + 2);
    const symbol = pair.length === 2 && SYMBOLS.has(pair) ? pair : run.charAt(i);
    tokens.push({ kind: 'symbol', text: symbol as Symbol });
    i += symbol.length;
  }
}

/**
 * Parses `a=b,c!=d,e in (x,y),f notin (z),g,!h,n>5`. Requirements come sorted by key.
 * Throws BadRequest in Kubernetes' words.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
 */
export function parseLabelRequirements(text: string): LabelRequirement[] {
  const parser = new Parser(tokenize(text));
  return sortedByKey(parser.requirements());
}

export const sortedByKey = (requirements: LabelRequirement[]): LabelRequirement[] =>
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

class Parser {
  readonly #tokens: Token[];
  #position = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  get #next(): Token {
    return this.#tokens[this.#position] ?? END;
  }

  #take(): Token {
    const token = this.#next;
    this.#position++;
    return token;
  }

  #nextIs(...symbols: string[]): boolean {
    return this.#next.kind === 'symbol' && symbols.includes(this.#next.text);
  }

  requirements(): LabelRequirement[] {
    const found: LabelRequirement[] = [];
    if (this.#next.kind === 'end') return found;
    if (!this.#startsRequirement()) throw unexpected(this.#next, "!, identifier, or 'end of string'");
    for (;;) {
      found.push(this.#requirement());
      const after = this.#take();
      if (after.kind === 'end') return found;
      if (after.kind !== 'symbol' || after.text !== ',') throw unexpected(after, "',' or 'end of string'");
      if (!this.#startsRequirement()) throw unexpected(this.#next, "identifier after ','");
    }
  }

  #startsRequirement(): boolean {
    return this.#next.kind === 'identifier' || this.#nextIs('!');
  }

  #requirement(): LabelRequirement {
    const negated = this.#nextIs('!');
    if (negated) this.#take();
    const key = this.#take();
    if (key.kind !== 'identifier') throw notARequirement(unexpectedText(key, 'identifier'));
    const problems = qualifiedName(key.text);
    if (problems.length > 0) {
      throw notARequirement(`<nil>: ${at().invalid(key.text, problems.join('; ')).message}`);
    }
    if (negated || this.#next.kind === 'end' || this.#nextIs(',')) {
      return { key: key.text, operator: negated ? '!' : 'exists', values: [] };
    }
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : [this.#value()];
    const requirement = { key: key.text, operator, values: [...new Set(values)].sort() };
    const problem = valueProblem(requirement);
    if (problem) throw notARequirement(problem);
    return requirement;
  }

  #operator(): LabelOperator {
    const { kind, text } = this.#take();
    if (kind === 'identifier' && (text === 'in' || text === 'notin')) return text;
    if (kind === 'symbol') {
      if (text === '=' || text === '==' || text === '!=') return text;
      if (text === '>') return 'gt';
      if (text === '<') return 'lt';
    }
    throw notARequirement(`found '${text}', expected: ${BINARY_OPERATORS}`);
  }

  /** The value behind `=`; nothing there means the empty string. */
  #value(): string {
    if (this.#next.kind === 'end' || this.#nextIs(',')) return '';
    const token = this.#take();
    if (token.kind !== 'identifier') throw notARequirement(unexpectedText(token, 'identifier'));
    return token.text;
  }

  /** `(x,y)`. Each place may be empty: `(x,)` holds `x` and the empty string. */
  #valueList(): string[] {
    const open = this.#take();
    if (open.kind !== 'symbol' || open.text !== '(') throw notARequirement(`found '${open.text}' expected: '('`);
    if (this.#next.kind !== 'identifier' && !this.#nextIs(',', ')')) {
      throw notARequirement(unexpectedText(this.#next, "',', ')' or identifier"));
    }
    const values: string[] = [];
    for (;;) {
      values.push(this.#next.kind === 'identifier' ? this.#take().text : '');
      const after = this.#take();
      if (after.kind === 'symbol' && after.text === ')') return values;
      if (after.kind !== 'symbol' || after.text !== ',') throw notARequirement(unexpectedText(after, "',' or ')'"));
      if (this.#next.kind !== 'identifier' && !this.#nextIs(',', ')')) {
        throw notARequirement(unexpectedText(this.#next, "',', or identifier"));
      }
    }
  }
}

const unexpectedText = (token: Token, expected: string): string => `found '${token.text}', expected: ${expected}`;
const unexpected = (token: Token, expected: string): StatusError => badRequest(unexpectedText(token, expected));
const notARequirement = (why: string): StatusError => badRequest(`unable to parse requirement: ${why}`);

/** What is wrong with the values, as `field: message`. */
function valueProblem({ key, operator, values }: LabelRequirement): string | undefined {
  const found: string[] = [];
  if (operator === 'gt' || operator === 'lt') {
    values.forEach((value, i) => {
      if (integerOf(value) !== undefined) return;
      const error = at().index('values', i).invalid(value, "for 'Gt', 'Lt' operators, the value must be an integer");
      found.push(`${error.field}: ${error.message}`);
    });
  }
  values.forEach((value, i) => {
    const problems = labelValue(value);
    if (problems.length === 0) return;
    const error = at(`values[${i}][${key}]`).invalid(value, problems.join('; '));
    found.push(`${error.field}: ${error.message}`);
  });
  return found.length > 1 ? `[${found.join(', ')}]` : found[0];
}

/** The label values that `>` and `<` compare: 64-bit decimal integers. */
export function integerOf(text: string): bigint | undefined {
  if (!/^[-+]?[0-9]{1,19}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
