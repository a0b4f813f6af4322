/** Whether a value says nothing: absent, null, or an empty list or map. */
const isEmpty = (value: unknown): boolean => {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object') return false;
  for (const name in value) {
    if ((value as Record<string, unknown>)[name] !== undefined) return false;
  }
  return true;
};

/**
 * Whether two JSON values mean the same to Kubernetes: an absent, null or empty list or map are one.
 * https://github.com/kubernetes/apimachinery `equality.Semantic.DeepEqual`
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return isEmpty(a) && isEmpty(b);
  if (Array.isArray(a)) {
    if (!Array.isArray(b)) return isEmpty(a) && isEmpty(b);
    if (a.length !== b.length) return false;
    for (let position = 0; position < a.length; position++) {
      if (!sameValue(a[position], b[position])) return false;
    }
    return true;
  }
  if (Array.isArray(b)) return isEmpty(a) && isEmpty(b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  // Labels may be named like members of Object.prototype.
  for (const name in left) {
    if (!sameValue(left[name], Object.hasOwn(right, name) ? right[name] : undefined)) return false;
  }
  for (const name in right) {
    if (!Object.hasOwn(left, name) && !isEmpty(right[name])) return false;
  }
  return true;
}
