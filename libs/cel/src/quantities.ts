import type { Environment } from '@marcbachmann/cel-js';
import { parseQuantity, Quantity, quantityProblem } from '@periplus/apimachinery';

const NANO = 10n ** 9n;
const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);

const isInteger = ({ nano }: Quantity): boolean =>
  nano % NANO === 0n && nano / NANO >= INT_MIN && nano / NANO <= INT_MAX;

function asInteger(quantity: Quantity): bigint {
  if (!isInteger(quantity)) throw new Error('cannot convert value to integer');
  return quantity.nano / NANO;
}

function parse(text: string): Quantity {
  const problem = quantityProblem(text);
  if (problem !== undefined) throw new Error(problem);
  return parseQuantity(text);
}

const ofInteger = (value: bigint): Quantity => new Quantity(value * NANO, 'DecimalSI');

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library */
export function addQuantities(environment: Environment): void {
  const Q = 'kubernetes.Quantity';
  environment
    .registerType(Q, { ctor: Quantity, fields: {} })
    .registerFunction(`quantity(string): ${Q}`, parse)
    .registerFunction('isQuantity(string): bool', (text: string) => quantityProblem(text) === undefined)
    .registerFunction(`sign(${Q}): int`, (q: Quantity) => BigInt(q.compare(Quantity.zero)))
    .registerFunction(`${Q}.isInteger(): bool`, isInteger)
    .registerFunction(`${Q}.asInteger(): int`, asInteger)
    .registerFunction(`${Q}.asApproximateFloat(): double`, (q: Quantity) => Number(q.nano) / Number(NANO))
    .registerFunction(`${Q}.add(${Q}): ${Q}`, (one: Quantity, other: Quantity) => one.add(other))
    .registerFunction(`${Q}.add(int): ${Q}`, (one: Quantity, other: bigint) => one.add(ofInteger(other)))
    .registerFunction(`${Q}.sub(${Q}): ${Q}`, (one: Quantity, other: Quantity) => one.subtract(other))
    .registerFunction(`${Q}.sub(int): ${Q}`, (one: Quantity, other: bigint) => one.subtract(ofInteger(other)))
    .registerFunction(`${Q}.compareTo(${Q}): int`, (one: Quantity, other: Quantity) => BigInt(one.compare(other)))
    .registerFunction(`${Q}.isGreaterThan(${Q}): bool`, (one: Quantity, other: Quantity) => one.compare(other) > 0)
    .registerFunction(`${Q}.isLessThan(${Q}): bool`, (one: Quantity, other: Quantity) => one.compare(other) < 0)
    .registerOperator(`${Q} == ${Q}`, (one: Quantity, other: Quantity) => one.compare(other) === 0);
}
