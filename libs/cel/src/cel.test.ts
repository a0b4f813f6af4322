import { describe, expect, it } from 'vitest';
import { CompileError, compile, EvaluationError, kubernetesEnvironment } from './index.ts';
import { patternSize } from './pattern-size.ts';

const environment = kubernetesEnvironment().registerVariable('x', 'dyn').registerVariable('n', 'int');
const evaluated = (text: string, x: unknown = new Map([['a', 1n]])): unknown =>
  compile(environment, text).evaluate({ x, n: 3n });
const problemOf = (text: string): string => {
  try {
    compile(environment, text);
  } catch (error) {
    if (error instanceof CompileError) return error.message;
    throw error;
  }
  return '';
};

describe('an expression', () => {
  it.each<[string, unknown]>([
    ['n + 1 == 4', true],
    ['n < 3.5', true],
    ['has(x.a) && !has(x.b)', true],
    ['has({"m": x}["m"].a)', true],
    ['cel.bind(y, x.a, y == 1 && y < n)', true],
    ['x.?b.orValue(7)', 7n],
    ['[1, 2, 3].exists(i, i == n)', true],
    ['[1, 2, 3].filter(i, i > 1).map(i, i * 2)', [4n, 6n]],
    ['x.all(k, k == "a")', true],
    ['"ab".charAt(1) + "a-b-c".replace("-", "+") + "a-b-c".replace("-", "", 1)', 'ba+b+cab-c'],
    ['"gpu-a100".matches("^gpu-[a-z]\\\\d+$")', true],
    ['"a1b22".findAll("[0-9]+") == ["1", "22"] && "a1b22".find("[0-9]+") == "1"', true],
    ['"a1b22".findAll("[0-9]+", 1)', ['1']],
    ['[1, 2, 3].sum() == 6 && [1, 3, 2].max() == 3 && [3, 1].min() == 1 && ![2, 1].isSorted()', true],
    ['["a", "b"].indexOf("b") == 1 && ["a", "a"].lastIndexOf("a") == 1 && ["a"].indexOf("c") == -1', true],
    ['sets.contains([1, 2, 3], [2]) && sets.intersects(["a"], ["a", "b"]) && sets.equivalent([1, 1], [1])', true],
    ['quantity("1Gi").compareTo(quantity("1024Mi")) == 0 && quantity("1Gi") == quantity("1024Mi")', true],
    ['quantity("1k") != quantity("1Ki") && quantity("2").isGreaterThan(quantity("1500m"))', true],
    ['quantity("50k").add(20).sub(quantity("20")).asInteger() == 50000 && !quantity("1m").isInteger()', true],
    ['isQuantity("1.3Gi") && !isQuantity("200K") && sign(quantity("-1")) == -1', true],
    ['quantity("1500m").asApproximateFloat()', 1.5],
    ['semver("1.2.3").isLessThan(semver("1.10.0")) && semver("1.2.3-a").compareTo(semver("1.2.3")) == -1', true],
    ['semver("v1.2", true) == semver("1.2.0") && !isSemver("v1.2.3") && semver("4.5.6").minor() == 5', true],
    ['true || x.nothing', true],
    ['x.nothing || true', true],
  ])('%s', (text, expected) => {
    expect(evaluated(text)).toEqual(expected);
  });

  it.each([
    ['x.b == 1', 'no such key: b'],
    ['quantity("1Ki1") == quantity("1")', "unable to parse quantity's suffix"],
    ['9223372036854775807 + n > 0', 'overflow'],
  ])('%s cannot be evaluated', (text, problem) => {
    expect(() => evaluated(text)).toThrow(EvaluationError);
    expect(() => evaluated(text)).toThrow(problem);
  });

  it.each([
    ['foo', "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^"],
    [
      'n == 1 && fun(n)',
      "ERROR: <input>:1:14: undeclared reference to 'fun' (in container '')\n | n == 1 && fun(n)\n | .............^",
    ],
    [
      'n == "a"',
      "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'\n | n == \"a\"\n | ..^",
    ],
    [
      '"a" in "abc"',
      'ERROR: <input>:1:5: found no matching overload for \'@in\' applied to \'(string, string)\'\n | "a" in "abc"\n | ....^',
    ],
    [
      'n.startsWith("a")',
      "ERROR: <input>:1:13: found no matching overload for 'startsWith' applied to 'int.(string)'\n | n.startsWith(\"a\")\n | ............^",
    ],
    ['!n', "ERROR: <input>:1:1: found no matching overload for '!_' applied to '(int)'\n | !n\n | ^"],
    [
      'n +',
      "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | n +\n | ...^",
    ],
    // Functions of the language's package that Kubernetes does not have.
    [
      'b"a".hex()',
      "ERROR: <input>:1:9: undeclared reference to 'hex' (in container '')\n | b\"a\".hex()\n | ........^",
    ],
    ['has(n)', 'ERROR: <input>:1:5: invalid argument to has() macro\n | has(n)\n | ....^'],
  ])('%s is refused in the words of cel-go', (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  it('is refused when it is nested without end', () => {
    for (const [open, close] of ['()', '[]', '!', '-', '{']) {
      expect(problemOf(`${open!.repeat(5000)}true${(close ?? '').repeat(5000)}`)).toMatch(/^ERROR: /);
    }
  });
});

describe('the cost of an expression', () => {
  const extents = { x: { length: 10, item: { length: 100, item: null } } };
  const costOf = (text: string): number => compile(environment, text, extents).costMax;

  it('grows with what it looks at, and with each loop in a loop', () => {
    expect(costOf('n == 1')).toBeLessThan(5);
    const [once, twice, thrice] = [1, 2, 3].map((depth) =>
      costOf(Array.from({ length: depth }).reduce<string>((body, _, i) => `x.all(v${i}, ${body})`, 'n == 1')),
    );
    expect(twice! / once!).toBeGreaterThan(8);
    expect(thrice! / twice!).toBeGreaterThan(8);
    expect(costOf('x[0].contains("aaaaaaaaaa")')).toBeGreaterThan(costOf('x[0].contains("a")'));
    expect(costOf('x.map(a, a + a).exists(b, b.matches("a+b+c+"))')).toBeGreaterThan(
      costOf('x.exists(b, b.matches("a"))'),
    );
  });

  it('bounds the time of what would take exponential time', () => {
    const nested = Array.from({ length: 12 }).reduce<string>(
      (body, _, i) => `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(v${i}, ${body})`,
      'true',
    );
    expect(costOf(nested)).toBeGreaterThan(1e12);
    expect(evaluated(`"${'a'.repeat(5000)}b".matches("^(a+)+$")`)).toBe(false);
  });
});

describe('a regular expression', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['a{3}b{2,5}', 8],
    ['(ab){3}c', 10],
    ['((a{10}){10}){10}', 1110],
    ['[^]a{9}]{3}', 3],
    ['a\\{3}[\\]]{2}x{', 7],
    ['(a', 1],
    ['a)b', 3],
  ])('%s has %i characters', (text, size) => {
    expect(patternSize(text)).toBe(size);
  });

  it('is refused when it takes long before it matches anything', () => {
    const large = (count: number): string => Array(count).fill('"a".matches("(a{20}){20}")').join(' && ');
    expect(problemOf(large(2))).toBe('');
    expect(problemOf(large(6))).toMatch(/^ERROR: <input>:1:1: the regular expressions are too large\n/);
    expect(() => evaluated('"a".matches(x)', '((a{30}){30}){30}')).toThrow('expression too large');
  });
});
