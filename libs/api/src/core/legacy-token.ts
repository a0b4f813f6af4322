/**
 * How it is told which tokens in Secrets are of use to nobody any more. Days are those of UTC, as `2026-11-21`.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#auto-generated-legacy-serviceaccount-token-clean-up
 */
export const SERVICE_ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';
/** Label of a Secret: the day that its token was last used. */
export const LAST_USED = 'kubernetes.io/legacy-token-last-used';
/** Label of a Secret: since when its token is not taken any more. */
export const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
/** The ConfigMap that says since when uses are noted. */
export const TOKEN_TRACKING = {
  namespace: 'kube-system',
  name: 'kube-apiserver-legacy-service-account-token-tracking',
  key: 'since',
} as const;

const DAY = /^\d{4}-\d\d-\d\d$/;

export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The beginning of a day, milliseconds since the epoch; undefined for what is none. */
export function startOfDay(day: string | undefined): number | undefined {
  const ms = day !== undefined && DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // Some programs take the 30th of February for the 2nd of March.
  return Number.isNaN(ms) || dayOf(ms) !== day ? undefined : ms;
}
