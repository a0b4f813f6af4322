import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CompileError, compileDeviceSelector, compileSelectorExpression, EvaluationError } from './device-selector.ts';

const DRIVER = 'gpu.example.com';
const device = {
  name: 'one',
  attributes: {
    model: { string: 'a100' },
    'gpu.example.com/index': { int: 3 },
    'other.example.com/shared': { bool: true },
    firmware: { version: '1.10.0' },
  },
  capacity: { memory: { value: '40Gi' } },
};
const matches = (expression: string): boolean => compileDeviceSelector(expression)(DRIVER, device);

/** What k8s.io/dynamic-resource-allocation 0.36.0 makes of an expression, and of this device with it. */
interface Known {
  readonly expression: string;
  readonly refused?: string;
  readonly matches?: boolean;
  readonly fails?: string;
}
const KNOWN: Known[] = readFileSync(join(import.meta.dirname, 'testdata/selectors.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

function answerTo(expression: string): Known {
  try {
    compileDeviceSelector(expression);
  } catch (error) {
    return { expression, refused: (error as Error).message };
  }
  try {
    return { expression, matches: matches(expression) };
  } catch (error) {
    return { expression, fails: (error as Error).message };
  }
}

it.each(KNOWN.map((known) => [known.expression, known] as const))(
  '%s means what it means to Kubernetes',
  (_, known) => {
    expect(answerTo(known.expression)).toEqual(known);
  },
);

describe('the selector of a device', () => {
  it.each([
    ['device.driver == "gpu.example.com"', true],
    ['device.attributes["gpu.example.com"].model == "a100"', true],
    ['device.attributes["gpu.example.com"].index > 3', false],
    ['device.attributes["other.example.com"].shared', true],
    ['device.attributes["gpu.example.com"].firmware.isGreaterThan(semver("1.9.0"))', true],
    ['device.capacity["gpu.example.com"].memory.compareTo(quantity("32Gi")) >= 0', true],
    ['device.capacity["gpu.example.com"].memory == quantity("40960Mi")', true],
    ['device.allowMultipleAllocations', false],
    // A domain that is not there has nothing, and none of it.
    ['has(device.attributes["none.example.com"].model)', false],
    ['has(device.attributes["gpu.example.com"].model)', true],
    ['"model" in device.attributes["none.example.com"]', false],
    ['"none.example.com" in device.attributes', false],
    ['"gpu.example.com" in device.attributes', true],
    ['size(device.attributes["none.example.com"]) == 0', true],
    ['device.attributes["gpu.example.com"].?colour.orValue("red") == "red"', true],
    ['cel.bind(gpu, device.attributes["gpu.example.com"], gpu.model.startsWith("a") && gpu.index == 3)', true],
    ['device.attributes["gpu.example.com"].exists(name, name == "model")', true],
    ['device.driver.matches("^gpu[.]") && device.attributes["gpu.example.com"].model in ["a100", "h100"]', true],
  ])('%s: %s', (expression, expected) => {
    expect(matches(expression)).toBe(expected);
  });

  it.each([
    ['device.attributes["gpu.example.com"].colour == "red"', 'no such key: colour'],
    ['device.attributes["none.example.com"].model == "a"', 'no such key: model'],
    ['device.attributes["gpu.example.com"].index', 'CEL result of type int could not be converted to bool'],
    ['device.attributes["gpu.example.com"].model > 3', 'no such overload'],
  ])('%s is an error for this device: %s', (expression, problem) => {
    expect(() => matches(expression)).toThrow(EvaluationError);
    expect(() => matches(expression)).toThrow(problem);
  });

  it.each([
    ['device.colour', "compilation failed: ERROR: <input>:1:7: undefined field 'colour'\n | device.colour\n | ......^"],
    [
      'dev.driver',
      "compilation failed: ERROR: <input>:1:1: undeclared reference to 'dev' (in container '')\n | dev.driver\n | ^",
    ],
    ['device.driver', 'must evaluate to bool or the unknown type, not string'],
    [
      'device.attributes',
      'must evaluate to bool or the unknown type, not map(string, map(string, google.protobuf.Any))',
    ],
    [
      'device.capacity["a"].b > 3',
      "compilation failed: ERROR: <input>:1:24: found no matching overload for '_>_' applied to '(kubernetes.Quantity, int)'\n | device.capacity[\"a\"].b > 3\n | .......................^",
    ],
  ])('%s does not compile', (expression, problem) => {
    expect(() => compileDeviceSelector(expression)).toThrow(CompileError);
    expect(() => compileDeviceSelector(expression)).toThrow(problem);
  });

  it('has a driver that does not know its attributes', () => {
    const isOdd = compileDeviceSelector('device.attributes["gpu.example.com"].odd == 1');
    expect(() => isOdd(DRIVER, { name: 'odd', attributes: { odd: {} } })).toThrow(
      'attribute odd: unsupported attribute value',
    );
    expect(() => isOdd(DRIVER, { name: 'odd', attributes: { odd: { version: 'one' } } })).toThrow(
      'attribute odd: parse semantic version: ',
    );
    // The same device of another driver.
    const isOwn = compileDeviceSelector('"model" in device.attributes[device.driver]');
    expect([isOwn('a.example.com', device), isOwn('b.example.com', device)]).toEqual([true, true]);
  });

  it('costs what its loops may take', () => {
    const cost = (expression: string): number => compileSelectorExpression(expression).costMax;
    const within = 'device.attributes["a"].all(x, device.attributes["b"].all(y, x != y))';
    expect(cost('device.driver == "a"')).toBeLessThan(20);
    expect(cost(within)).toBeGreaterThan(32 * 32);
    expect(cost(within)).toBeLessThan(1_000_000);
    expect(cost(within.replace('x != y', within.replaceAll('x', 'v').replaceAll('y', 'w')))).toBeGreaterThan(1_000_000);
  });
});
