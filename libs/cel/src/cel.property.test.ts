import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CompileError, compile, EvaluationError, type Extent, kubernetesEnvironment } from './index.ts';

/** Counts how often somebody looks into it. */
class Counting extends Map<string, unknown> {
  looks = 0;
  override get(key: string): unknown {
    this.looks++;
    return super.get(key);
  }
}
Object.defineProperty(Counting.prototype, 'constructor', { value: Map });

const environment = kubernetesEnvironment()
  .registerVariable('x', 'map<string, dyn>')
  .registerVariable('l', 'list<int>');
const LIST_LENGTH = 7;
const TEXT_LENGTH = 20;
const text: Extent = { length: TEXT_LENGTH, item: null };
const extents: Readonly<Record<string, Extent>> = {
  x: { length: 2, item: text, isKeyed: true },
  l: { length: LIST_LENGTH, item: { length: 1, item: null } },
};
const values = () => ({
  x: new Counting([
    ['a', 1n],
    ['t', 'x'.repeat(TEXT_LENGTH)],
  ]),
  l: Array.from({ length: LIST_LENGTH }, (_, i) => BigInt(i)),
});

/** Expressions that are right, of loops within loops. */
const { condition } = fc.letrec<{ condition: string; list: string; number: string }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('1', '2', 'l[0]', 'x.a', 'size(l)'),
    tie('condition').map((one) => `(${one} ? 1 : x.a)`),
  ),
  list: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('l', '[1, 2, 3]', '[x.a]'),
    fc.tuple(tie('list'), tie('condition')).map(([list, one]) => `${list}.filter(v, ${one})`),
    fc.tuple(tie('list'), tie('number')).map(([list, one]) => `${list}.map(v, ${one})`),
    fc.tuple(tie('list'), tie('list')).map(([one, other]) => `(${one} + ${other})`),
  ),
  condition: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('true', 'x.a == 1', 'has(x.b)', 'x.t.contains("xx")', '"a" in x', 'x.b == 2'),
    fc.tuple(tie('number'), tie('number')).map(([one, other]) => `${one} == ${other}`),
    fc
      .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
      .map(([one, op, other]) => `(${one} ${op} ${other})`),
    fc
      .tuple(tie('list'), fc.constantFrom('all', 'exists', 'exists_one'), tie('condition'))
      .map(([list, name, one]) => `${list}.${name}(v, ${one})`),
    fc.tuple(tie('number'), tie('condition')).map(([one, other]) => `cel.bind(v, ${one}, ${other})`),
    tie('condition').map((one) => `!(${one})`),
  ),
}));

it('never takes more steps than it was said to', () => {
  fc.assert(
    fc.property(condition, (expression) => {
      const { costMax, evaluate, type } = compile(environment, expression, extents);
      expect(type).toBe('bool');
      // What takes longer is refused before it is evaluated.
      fc.pre(costMax < 100_000);
      const given = values();
      try {
        expect(evaluate(given)).toBeTypeOf('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(EvaluationError);
      }
      expect(given.x.looks).toBeLessThanOrEqual(costMax);
    }),
    { numRuns: 500 },
  );
});

const TOKENS = [
  'x',
  'l',
  '.',
  'a',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '1',
  '==',
  '&&',
  '!',
  '-',
  '?',
  ':',
  ',',
  ' ',
  'has',
  'all',
  'in',
  '\n',
  'é',
  '\\',
  '0x',
  'e9',
  '@',
  '.?',
];

it('refuses what is no expression, and nothing else happens', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(fc.constantFrom(...TOKENS), { maxLength: 30 }).map((parts) => parts.join('')),
      ),
      (expression) => {
        try {
          compile(environment, expression, extents).evaluate(values());
        } catch (error) {
          if (!(error instanceof EvaluationError)) expect(error).toBeInstanceOf(CompileError);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
