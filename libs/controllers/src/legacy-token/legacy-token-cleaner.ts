import {
  configMap,
  dayOf,
  INVALID_SINCE,
  LAST_USED,
  pod,
  references,
  SERVICE_ACCOUNT_TOKEN,
  type Secret,
  secret,
  serviceAccount,
  startOfDay,
  TOKEN_TRACKING,
} from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { ResourceClient } from '@periplus/client';
import { type Controller, defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { ANSWER_SOON_MS, type Enquiry, enquiry } from '../enquiry.ts';

/** How often each token is looked at. */
const DAY_MS = 86_400_000;

const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

type SecretView = DeepReadonly<Secret>;
/** A Secret with its annotations: in the view they are sealed. */
export type SecretEnquiry = Enquiry<ObjectRef, SecretView>;

export const secretEnquiry = (resources: ResourceClient): SecretEnquiry =>
  enquiry(({ namespace, name }) => resources.get(secret, namespace, name));

export interface LegacyTokenSettings {
  /** For how long a token may be of use to nobody before it is not taken any more, and then again before it goes. */
  unusedMs: number;
}

/** Whether it is known that the token was of no use for long enough. Bad labels tell nothing. */
function isUnused({ metadata }: SecretView, { unusedMs }: LegacyTokenSettings, view: View): boolean {
  const { namespace, name, key } = TOKEN_TRACKING;
  const since = startOfDay(view.get(configMap, namespace, name)?.data?.[key]);
  // Uses of the first day may have been before it began to be noted.
  if (since === undefined || view.nowMs < since + DAY_MS + unusedMs) return false;
  if ((parseTime(metadata.creationTimestamp ?? '') ?? view.nowMs) >= view.nowMs - unusedMs) return false;
  const used = metadata.labels?.[LAST_USED];
  return used === undefined || (startOfDay(used) !== undefined && used < dayOf(view.nowMs - unusedMs));
}

/** Whether the token was made for its account by Kubernetes, as it did once: such an account lists it. */
function isOfAccount({ metadata }: SecretView, view: View): boolean {
  const { namespace = '', name, annotations = {} } = metadata;
  const account = view.get(serviceAccount, namespace, annotations[ACCOUNT_NAME] ?? '');
  if (!account || (annotations[ACCOUNT_UID] ?? account.metadata.uid) !== account.metadata.uid) return false;
  return account.secrets?.some((listed) => listed.name === name) ?? false;
}

function plan(found: SecretView, settings: LegacyTokenSettings, nowMs: number): Plan['steps'] {
  const { namespace = '', name = '', uid: ifUid, resourceVersion: ifResourceVersion, labels } = found.metadata;
  const invalidSince = labels?.[INVALID_SINCE];
  if (startOfDay(invalidSince) === undefined) {
    const patch = { metadata: { labels: { [INVALID_SINCE]: dayOf(nowMs) } } };
    return [[{ verb: 'patch', type: 'merge', kind: secret, namespace, name, ifUid, patch }]];
  }
  if (invalidSince! >= dayOf(nowMs - settings.unusedMs)) return [];
  return [[{ verb: 'delete', kind: secret, namespace, name, ifResourceVersion }]];
}

/**
 * Ends tokens of service accounts that Kubernetes once made unasked, when nobody has used them for long: first they are
 * marked, so that they are not taken any more, and whoever misses one may take the mark off; later they are deleted.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#auto-generated-legacy-serviceaccount-token-clean-up
 */
export const legacyTokenCleaner = (ask: SecretEnquiry, settings: LegacyTokenSettings): Controller =>
  defineController({
    name: 'legacy-serviceaccount-token-cleaner',
    for: null,
    watches: [
      watchRule(
        secret,
        (now) => (now ? [{ namespace: now.metadata.namespace ?? '', name: now.metadata.name ?? '' }] : []),
        ({ entry }) => entry.mentions(JSON.stringify(SERVICE_ACCOUNT_TOKEN)),
      ),
    ],
    reconcile(ref, view) {
      const { namespace, name } = ref;
      const found = view.get(secret, namespace, name);
      if (found?.type !== SERVICE_ACCOUNT_TOKEN || found.metadata.deletionTimestamp) return idle;
      const tomorrow: Plan = { steps: [], lookAgainMs: DAY_MS };
      if (!isUnused(found, settings, view)) return tomorrow;
      const accounts = view.list(serviceAccount, namespace);
      if (!accounts.some(({ secrets }) => secrets?.some((listed) => listed.name === name))) return tomorrow;
      if (view.list(pod, namespace).some((one) => references(one, 'secret', name))) return tomorrow;
      const whole = ask(`${found.metadata.uid}/${found.metadata.resourceVersion}`, ref);
      if (!whole) return { steps: [], lookAgainMs: ANSWER_SOON_MS };
      if (!isOfAccount(whole, view)) return tomorrow;
      return { steps: plan(found, settings, view.nowMs), lookAgainMs: DAY_MS };
    },
  });
