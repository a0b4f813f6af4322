import {
  type Amounts,
  isInScope,
  type Kind,
  type KindRegistry,
  quotaUsage,
  type ResourceQuota,
  resourceQuota,
  sameValue,
} from '@periplus/api';
import { type DeepReadonly, parseQuantity, Quantity } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, watchRule } from '@periplus/reconcile';

type Quota = DeepReadonly<ResourceQuota>;
type Quantities = Record<string, string>;

/** As often everything is counted again, as in Kubernetes. */
const RECOUNT_MS = 5 * 60_000;
/** No request that was counted before this may still write its object, so what is there is all there is. */
const QUIET_MS = 90_000;

/** Everything that the quota is about, counted at one revision. */
function count(quota: Quota, kinds: readonly Kind[], view: View): Map<string, Quantity> {
  const names = Object.keys(quota.spec.hard ?? {});
  const total = new Map(names.map((name) => [name, Quantity.zero]));
  const add = (amounts: Amounts): void => {
    for (const [name, amount] of amounts) {
      const before = total.get(name);
      if (before) total.set(name, before.add(amount));
    }
  };
  for (const kind of kinds) {
    const resource = { group: kind.group, resource: kind.plural };
    for (const object of view.list(kind, quota.metadata.namespace)) {
      if (isInScope(quota, resource, object)) add(quotaUsage(resource, object));
    }
  }
  return total;
}

const written = (amounts: ReadonlyMap<string, Quantity>): Quantities =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, amount.toString()]));

const canonical = (quantities: DeepReadonly<Record<string, string | number>> = {}): Quantities =>
  Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, parseQuantity(quantity).toString()]));

/** Names that are gone from the status must be said to be gone. */
const patchOf = (before: Quantities, after: Quantities): Record<string, string | null> => ({
  ...Object.fromEntries(Object.keys(before).map((name) => [name, null])),
  ...after,
});

/**
 * Puts the limits of a quota into force, and counts from time to time what is there: the api-server keeps the count
 * (libs/operations/src/quota), and leaves too much in it when it dies between a count and a write.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function resourceQuotaController(registry: KindRegistry): Controller<ResourceQuota> {
  const kinds = registry.all().filter((kind) => kind.namespaced && !kind.storedAs && kind.verbs.includes('list'));
  const countedKinds = kinds.filter(({ group, plural }) => group !== '' || plural !== 'events');

  return defineController<ResourceQuota>({
    name: 'resource-quota',
    for: null,
    watches: [
      // The status changes with every object that is counted.
      watchRule(resourceQuota, (now, old) => {
        if (!now || (old && sameValue(now.spec, old.spec))) return [];
        return [{ namespace: now.metadata.namespace!, name: now.metadata.name! }];
      }),
    ],
    reconcile({ namespace, name }, view) {
      const quota = view.get(resourceQuota, namespace, name);
      const entry = view.entry({ group: '', resource: 'resourcequotas', namespace, name });
      if (!quota || !entry || quota.metadata.deletionTimestamp) return idle;
      const [hard, inForce, used] = [quota.spec.hard, quota.status?.hard, quota.status?.used].map(canonical) as [
        Quantities,
        Quantities,
        Quantities,
      ];
      const quietForMs = view.nowMs - entry.provenance.timeMs;
      const isQuiet = quietForMs >= QUIET_MS;
      if (!isQuiet && sameValue(hard, inForce)) return { steps: [], lookAgainMs: QUIET_MS - quietForMs };
      const counted = written(count(quota, countedKinds, view));
      // While requests may be under way, what is counted already stays so.
      const settled = isQuiet ? counted : { ...counted, ...pick(used, Object.keys(inForce), hard) };
      const lookAgainMs = isQuiet ? RECOUNT_MS : QUIET_MS;
      if (sameValue(hard, inForce) && sameValue(settled, used)) return { steps: [], lookAgainMs };
      const command: Command = {
        verb: 'patch',
        kind: resourceQuota,
        namespace,
        name,
        subresource: 'status',
        ifUid: quota.metadata.uid,
        ifResourceVersion: quota.metadata.resourceVersion,
        type: 'merge',
        patch: { status: { hard: patchOf(inForce, hard), used: patchOf(used, settled) } },
      };
      return { steps: [[command]], lookAgainMs };
    },
  });
}

/** The members of `from` that are among `names`, as far as `wanted` has them too. */
const pick = (from: Quantities, names: readonly string[], wanted: Quantities): Quantities =>
  Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(from, name) && Object.hasOwn(wanted, name) ? [[name, from[name]!]] : [])),
  );
