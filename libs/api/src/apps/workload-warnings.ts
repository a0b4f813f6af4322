import { type DeepReadonly, dns1123Label, type FieldPath, type KubeObject } from '@periplus/apimachinery';
import { type Warnings, warn } from '../field-rules.ts';
import { warnOfPod } from '../pod-spec/warnings.ts';
import type { Workload } from './workload.ts';

type Named = DeepReadonly<Pick<KubeObject, 'metadata'>>;

const IN_POD_NAMES =
  'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';

/** Whether there may be something new to warn of: who changes no field of the spec was warned before. */
export const isNews = (now: Named, old: Named | null): boolean =>
  old === null || now.metadata.generation !== old.metadata.generation;

/** Of a name that does not suit what is called after it. */
export function warnOfName(warnings: Warnings, at: FieldPath, { metadata }: Named, why = IN_POD_NAMES): void {
  const problems = dns1123Label(metadata.name ?? '');
  if (problems.length > 0) warn(warnings, at.child('metadata', 'name'), `${why}: [${problems.join(' ')}]`);
}

export function warnOfTemplate(
  warnings: Warnings,
  at: FieldPath,
  workload: DeepReadonly<Workload> & Named,
  old: Named | null,
): void {
  if (isNews(workload, old)) warnOfPod(warnings, at.child('spec', 'template'), workload.spec.template ?? {}, true);
}

/** Of a workload whose pods are called like it. */
export function warnOfWorkload(
  warnings: Warnings,
  at: FieldPath,
  workload: DeepReadonly<Workload> & Named,
  old: Named | null,
): void {
  if (old === null) warnOfName(warnings, at, workload);
  warnOfTemplate(warnings, at, workload, old);
}
