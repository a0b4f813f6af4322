import type { Environment } from '@marcbachmann/cel-js';
import { SemVer } from 'semver';

/** Nobody writes longer ones; the package's own limit is the same. */
const LENGTH_MAX = 256;
/** The package takes more than the specification: a `v` or spaces in front. */
const STRICT = /^\d[\w.+-]*$/;

/** Throws what is wrong with a version of https://semver.org. */
export function parseSemver(text: string): SemVer {
  if (text.length > LENGTH_MAX || !STRICT.test(text))
    throw new Error(`invalid semantic version ${JSON.stringify(text)}`);
  return new SemVer(text);
}

/** `v1.2` as `1.2.0`, `1.02.3` as `1.2.3`. */
function normalized(text: string): string {
  const [, core, rest] = /^v?([\d.]*)(.*)$/s.exec(text)!;
  const parts = core!.split('.');
  if (parts.length < 3 && rest !== '') return text;
  while (parts.length < 3) parts.push('0');
  return parts.map((part) => part.replace(/^0+(?=\d)/, '')).join('.') + rest;
}

const read = (text: string, isLenient = false): SemVer => parseSemver(isLenient ? normalized(text) : text);

function isSemver(text: string, isLenient = false): boolean {
  try {
    read(text, isLenient);
    return true;
  } catch {
    return false;
  }
}

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library */
export function addSemver(environment: Environment): void {
  const V = 'kubernetes.Semver';
  environment
    .registerType(V, { ctor: SemVer, fields: {} })
    .registerFunction(`semver(string): ${V}`, (text: string) => read(text))
    .registerFunction(`semver(string, bool): ${V}`, read)
    .registerFunction('isSemver(string): bool', (text: string) => isSemver(text))
    .registerFunction('isSemver(string, bool): bool', isSemver)
    .registerFunction(`${V}.major(): int`, (version: SemVer) => BigInt(version.major))
    .registerFunction(`${V}.minor(): int`, (version: SemVer) => BigInt(version.minor))
    .registerFunction(`${V}.patch(): int`, (version: SemVer) => BigInt(version.patch))
    .registerFunction(`${V}.compareTo(${V}): int`, (one: SemVer, other: SemVer) => BigInt(one.compare(other)))
    .registerFunction(`${V}.isGreaterThan(${V}): bool`, (one: SemVer, other: SemVer) => one.compare(other) > 0)
    .registerFunction(`${V}.isLessThan(${V}): bool`, (one: SemVer, other: SemVer) => one.compare(other) < 0)
    .registerOperator(`${V} == ${V}`, (one: SemVer, other: SemVer) => one.compare(other) === 0);
}
