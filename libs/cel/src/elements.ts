import { Quantity } from '@periplus/apimachinery';
import { SemVer } from 'semver';

/** Whether two elements of lists are equal: numbers by their value, of whatever type they are. */
export function isSameElement(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one === 'bigint' && typeof other === 'number') return Number(one) === other;
  if (typeof one === 'number' && typeof other === 'bigint') return one === Number(other);
  if (one instanceof Quantity) return other instanceof Quantity && one.compare(other) === 0;
  return one instanceof SemVer && other instanceof SemVer && one.compare(other) === 0;
}
