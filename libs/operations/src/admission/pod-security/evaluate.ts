import { BASELINE } from './baseline.ts';
import type { Check, PodLike, Violation } from './check.ts';
import type { Policy } from './policy.ts';
import { RESTRICTED } from './restricted.ts';

type Version = Check['versions'][number];

const versionAt = ({ versions }: Check, minor: number): Version | undefined =>
  versions.findLast(({ since }) => since <= minor);

/** The checks of a level, in Kubernetes' order: those of baseline that restricted does not make stricter, then its own. */
function versionsOf({ level, minor }: Policy): Version[] {
  const own = level === 'restricted' ? RESTRICTED.filter((check) => versionAt(check, minor)) : [];
  const overridden = new Set(own.map(({ overrides }) => overrides));
  const checks = [...BASELINE.filter(({ id }) => !overridden.has(id)), ...own];
  return checks.flatMap((check) => versionAt(check, minor) ?? []);
}

const violations = (policy: Policy, pod: PodLike): Violation[] =>
  versionsOf(policy).flatMap(({ check }) => check(pod) ?? []);

/** What the policy forbids of the pod, in kube-apiserver's words; '' when nothing. */
export const violationsOf = (policy: Policy, pod: PodLike): string =>
  violations(policy, pod)
    .map(({ reason, detail }) => `${reason} (${detail})`)
    .join(', ');

/** The same without what is particular to the pod: `host namespaces, privileged`. */
export const reasonsOf = (policy: Policy, pod: PodLike): string =>
  violations(policy, pod)
    .map(({ reason }) => reason)
    .join(', ');
