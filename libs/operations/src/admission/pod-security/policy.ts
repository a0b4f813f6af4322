/** What the labels of a namespace ask for. https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces */
import { at, type FieldError, type Labels } from '@periplus/apimachinery';

export const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof LEVELS)[number];
type Mode = 'enforce' | 'audit' | 'warn';

/** A level as some minor release defined it. */
export interface Policy {
  readonly level: Level;
  /** 1.minor; Infinity for the latest. */
  readonly minor: number;
}

const PREFIX = 'pod-security.kubernetes.io/';
const MODES: readonly Mode[] = ['enforce', 'audit', 'warn'];
const VERSION = /^v1\.(0|[1-9][0-9]*)$/;
const LATEST = 'latest';

const isLevel = (text: string): text is Level => (LEVELS as readonly string[]).includes(text);

function minorOf(version: string): number | undefined {
  if (version === LATEST) return Number.POSITIVE_INFINITY;
  const match = VERSION.exec(version);
  return match ? Number(match[1]) : undefined;
}

/**
 * Undefined when nothing is asked for. What cannot be understood enforces everything, and warns of nothing. Where
 * nothing is said of warnings, they are of what is enforced.
 */
export function policyOf(labels: Labels | undefined, mode: 'enforce' | 'warn'): Policy | undefined {
  const enforced = labels?.[`${PREFIX}enforce`];
  const isDefaulted = mode === 'warn' && labels?.[`${PREFIX}warn`] === undefined && isLevel(enforced ?? '');
  const level = isDefaulted ? enforced : labels?.[PREFIX + mode];
  if (level === undefined || level === 'privileged' || (mode === 'warn' && !isLevel(level))) return undefined;
  const version = labels?.[`${PREFIX}${mode}-version`] ?? (isDefaulted ? labels?.[`${PREFIX}enforce-version`] : LATEST);
  const minor = minorOf(version ?? LATEST) ?? Number.POSITIVE_INFINITY;
  return { level: isLevel(level) ? level : 'restricted', minor };
}

/** `restricted:latest` */
export const shown = ({ level, minor }: Policy): string =>
  `${level}:${minor === Number.POSITIVE_INFINITY ? LATEST : `v1.${minor}`}`;

/** Labels that nobody understands. */
export function labelProblems(labels: Labels | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const place = at('metadata');
  for (const mode of MODES) {
    const level = labels?.[PREFIX + mode];
    if (level !== undefined && !isLevel(level)) {
      errors.push(place.key('labels', PREFIX + mode).invalid(level, `must be one of ${LEVELS.join(', ')}`));
    }
    const name = `${PREFIX}${mode}-version`;
    const version = labels?.[name];
    if (version !== undefined && minorOf(version) === undefined) {
      errors.push(place.key('labels', name).invalid(version, 'must be "latest" or "v1.x"'));
    }
  }
  return errors;
}
