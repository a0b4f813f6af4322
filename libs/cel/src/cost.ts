/**
 * What an expression costs at most, in cel-go's units: about one for each step. Comprehensions are the only loops, so the
 * bound follows from how long lists and texts may be. https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { type Extent, largest, SCALAR } from './extent.ts';
import { functionCost } from './function-costs.ts';

export type { Extent };

interface Cost {
  readonly cost: number;
  readonly extent: Extent;
}
type Scope = Readonly<Record<string, Extent>>;

const LIST_COST = 10;
const MAP_COST = 30;
/** Of going on to the next element, and of making a list of it. */
const LOOP_COST = 3;
const APPEND_COST = 12;
const TRAVERSAL_COST = 0.1;

const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

const sumOf = (costs: readonly Cost[]): number => costs.reduce((sum, { cost }) => sum + cost, 0);
const nameOf = (node: ASTNode): string => (node.op === 'id' ? node.args : '');

function lengthOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 1;
}

function accessed(target: Cost, key: Cost | null, field: string | null): Cost {
  const { fields, item } = target.extent;
  const extent = (field === null ? undefined : fields?.[field]) ?? item ?? SCALAR;
  return { cost: target.cost + (key?.cost ?? 0) + 1, extent };
}

/** `list.all(x, ...)` and its like: the last arguments are evaluated for each element. */
function comprehension(name: string, list: ASTNode, args: readonly ASTNode[], scope: Scope): Cost {
  const range = costOf(list, scope);
  const [variable, ...bodies] = args;
  const within = { ...scope, [nameOf(variable!)]: range.extent.item ?? SCALAR };
  const steps = bodies.map((body) => costOf(body, within));
  const isList = name === 'filter' || name === 'map';
  const each = sumOf(steps) + LOOP_COST + (isList ? APPEND_COST : 0);
  const cost = range.cost + LIST_COST + range.extent.length * each;
  if (name === 'filter') return { cost, extent: range.extent };
  const extent = name === 'map' ? { length: range.extent.length, item: steps.at(-1)?.extent ?? SCALAR } : SCALAR;
  return { cost, extent };
}

/** `expression` with a name for a value. */
function bound(name: ASTNode, value: Cost, expression: ASTNode, scope: Scope): Cost {
  const { cost, extent } = costOf(expression, { ...scope, [nameOf(name)]: value.extent });
  return { cost: value.cost + LIST_COST + cost, extent };
}

function called(name: string, operands: readonly ASTNode[], scope: Scope): Cost {
  const costs = operands.map((operand) => costOf(operand, scope));
  const own = functionCost(
    name,
    costs.map(({ extent }) => extent),
  );
  return { cost: sumOf(costs) + own.cost, extent: own.extent };
}

function methodCost(name: string, receiver: ASTNode, args: readonly ASTNode[], scope: Scope): Cost {
  if (name === 'bind' && nameOf(receiver) === 'cel' && args.length === 3) {
    return bound(args[0]!, costOf(args[1]!, scope), args[2]!, scope);
  }
  if (COMPREHENSIONS.has(name) && args.length >= 2) return comprehension(name, receiver, args, scope);
  return called(name, [receiver, ...args], scope);
}

function binaryCost(op: string, left: Cost, right: Cost): Cost {
  const cost = left.cost + right.cost + 1;
  const [one, other] = [left.extent.length, right.extent.length];
  if (op === 'in') {
    const looked = right.extent.isKeyed ? 1 : other * (1 + one * TRAVERSAL_COST);
    return { cost: cost + looked, extent: SCALAR };
  }
  if (op === '+') {
    const extent = { length: one + other, item: largest([left.extent.item, right.extent.item]) };
    return { cost: cost + (one + other) * TRAVERSAL_COST, extent };
  }
  return { cost: cost + Math.min(one, other) * TRAVERSAL_COST, extent: SCALAR };
}

function listCost(items: readonly Cost[], base: number): Cost {
  const item = largest(items.map(({ extent }) => extent));
  return { cost: sumOf(items) + base, extent: { length: items.length, item } };
}

export function costOf(node: ASTNode, scope: Scope): Cost {
  switch (node.op) {
    case 'value':
      return { cost: 0, extent: { length: lengthOf(node.args), item: null } };
    case 'id':
      return { cost: 1, extent: scope[node.args] ?? SCALAR };
    case '.':
    case '.?':
      return accessed(costOf(node.args[0], scope), null, node.args[1]);
    case '[]':
    case '[?]': {
      const [target, key] = node.args;
      return accessed(costOf(target, scope), costOf(key, scope), key.op === 'value' ? String(key.args) : null);
    }
    case 'call':
      return called(node.args[0], node.args[1], scope);
    case 'rcall':
      return methodCost(...node.args, scope);
    case 'list':
      return listCost(
        node.args.map((item) => costOf(item, scope)),
        LIST_COST,
      );
    case 'map': {
      const { cost, extent } = listCost(
        node.args.flat().map((part) => costOf(part, scope)),
        MAP_COST,
      );
      return { cost, extent: { ...extent, length: node.args.length, isKeyed: true } };
    }
    case '?:': {
      const [condition, ...branches] = node.args.map((part) => costOf(part, scope)) as [Cost, Cost, Cost];
      const extent = largest(branches.map((branch) => branch.extent)) ?? SCALAR;
      return { cost: condition.cost + Math.max(...branches.map(({ cost }) => cost)), extent };
    }
    case '||':
    case '&&':
      return { cost: sumOf(node.args.map((part) => costOf(part, scope))), extent: SCALAR };
    case '!_':
    case '-_':
      return { cost: costOf(node.args, scope).cost + 1, extent: SCALAR };
    default:
      return binaryCost(node.op, costOf(node.args[0], scope), costOf(node.args[1], scope));
  }
}
