/**
 * Whether two JSON values mean the same: members in any order, a member that is undefined is absent.
 * Fast on values that share parts, as versions of one object do.
 */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalArrays(a, b);
  return !Array.isArray(b) && equalObjects(a as Members, b as Members);
}

type Members = Readonly<Record<string, unknown>>;

function equalArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!deepEqual(a[i], b[i])) return false;
  }
  return true;
}

function equalObjects(a: Members, b: Members): boolean {
  let inA = 0;
  for (const name in a) {
    const member = a[name];
    if (member === undefined) continue;
    inA++;
    if (!Object.hasOwn(b, name) || !deepEqual(member, b[name])) return false;
  }
  let inB = 0;
  for (const name in b) {
    if (b[name] !== undefined) inB++;
  }
  return inA === inB;
}
