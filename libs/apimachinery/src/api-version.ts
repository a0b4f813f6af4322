/** A version of an API group; the group of the core API is ''. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** `v1`, `apps/v1`. */
export const apiVersionOf = ({ group, version }: GroupVersion): string =>
  group === '' ? version : `${group}/${version}`;

/** Undefined when `apiVersion` has more than one slash. */
export function parseApiVersion(apiVersion: string): GroupVersion | undefined {
  const [first = '', second, more] = apiVersion.split('/');
  if (more !== undefined) return undefined;
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
}
