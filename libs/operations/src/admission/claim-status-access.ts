/**
 * Who may write what of the status of a ResourceClaim: whoever binds it says what it is given and to whom, and drivers
 * say how their devices are. https://kep.k8s.io/4817
 */
import { type ResourceClaim, resourceClaim, sameValue } from '@periplus/api';
import { at, type DeepReadonly, dns1123Subdomain, type FieldError, invalid } from '@periplus/apimachinery';
import { forbiddenRequest } from '../authorization/forbidden.ts';
import type { Attributes, Authorizer, User } from '../types.ts';
import type { Admission, AdmissionRequest } from './admission.ts';

type Status = NonNullable<DeepReadonly<ResourceClaim>['status']>;
type Device = NonNullable<Status['devices']>[number];

/** How a status is written; whoever may do it in one way may do it. */
const VERBS = ['update', 'patch'];
const ANY_NODE = 'arbitrary-node:';
const OWN_NODE = 'associated-node:';
/** What a token says about the node that its pod runs on. */
const NODE_NAME = 'authentication.kubernetes.io/node-name';

type Asked = Pick<Attributes, 'subresource'> & Partial<Pick<Attributes, 'namespace' | 'name'>>;

/** Why `user` may do none of `verbs`; undefined when he may do one. */
function refusal(authorizer: Authorizer, user: User, verbs: readonly string[], asked: Asked): string | undefined {
  let first: string | undefined;
  for (const verb of verbs) {
    const attributes: Attributes = {
      ...{ isResource: true, verb, group: 'resource.k8s.io', version: 'v1', resource: 'resourceclaims' },
      ...{ namespace: '', name: '', path: '' },
      ...asked,
    };
    const { allowed, reason } = authorizer.decide(user, attributes);
    if (allowed) return undefined;
    first ??= forbiddenRequest(user, attributes, reason).message;
  }
  return first;
}

function checkBinding(authorizer: Authorizer, { context }: AdmissionRequest, now: Status, old: Status): FieldError[] {
  if (sameValue(now.allocation, old.allocation) && sameValue(now.reservedFor, old.reservedFor)) return [];
  const why = refusal(authorizer, context.user, VERBS, { subresource: 'binding' });
  if (why === undefined) return [];
  const what = 'changing status.allocation or status.reservedFor requires resource="resourceclaims/binding"';
  return [at('status', 'allocation').forbidden(`${what}, verb="update" permission: ${why}`)];
}

const keyOf = ({ driver, pool, device, shareID = '' }: Device): string => [driver, pool, device, shareID].join('\n');

/** The drivers about whose devices something else is said now. */
function changedDrivers(now: Status, old: Status): string[] {
  const before = new Map((old.devices ?? []).map((device) => [keyOf(device), device]));
  const changed = new Set<string>();
  for (const device of now.devices ?? []) {
    const key = keyOf(device);
    if (!sameValue(before.get(key), device)) changed.add(device.driver);
    before.delete(key);
  }
  for (const { driver } of before.values()) changed.add(driver);
  return [...changed].sort();
}

/** The one node that has the devices; undefined when there may be more. */
function nodeOf({ allocation }: Status): string | undefined {
  const [term, more] = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  if (!term || more || term.matchExpressions?.length) return undefined;
  const [field, others] = term.matchFields ?? [];
  if (!field || others || field.key !== 'metadata.name' || field.operator !== 'In') return undefined;
  return field.values?.length === 1 ? field.values[0] : undefined;
}

/** Whether the user is a service account of a pod on that node. */
function runsOn({ name, extra }: User, node: string | undefined): boolean {
  const [own = '', ...others] = extra[NODE_NAME] ?? [];
  const isAccount = name.startsWith('system:serviceaccount:');
  return isAccount && others.length === 0 && own === node && dns1123Subdomain(own).length === 0;
}

function checkDevices(authorizer: Authorizer, request: AdmissionRequest, now: Status, old: Status): FieldError[] {
  // What was said of devices that are given back goes with them.
  if (!now.allocation) return [];
  const { user } = request.context;
  const nodes = runsOn(user, nodeOf(now)) ? [OWN_NODE, ANY_NODE] : [ANY_NODE];
  const verbs = VERBS.flatMap((verb) => nodes.map((node) => node + verb));
  const { namespace } = request.target;
  return changedDrivers(now, old).flatMap((name) => {
    const why = refusal(authorizer, user, verbs, { subresource: 'driver', namespace, name });
    if (why === undefined) return [];
    const what = 'changing status.devices requires resource="resourceclaims/driver"';
    const shown = nodes.map((node) => `${node}update`).join(' ');
    return [at('status', 'devices').forbidden(`${what}, verb="[${shown}]" permission: ${why}`)];
  });
}

export const claimStatusAccess = (authorizer: Authorizer): Admission => ({
  name: 'ClaimStatusAccess',
  handles: ({ kind, subresource }, operation) =>
    kind === (resourceClaim as unknown) && subresource === 'status' && operation === 'update',
  review(request) {
    const [now = {}, old = {}] = [request.object, request.old].map(
      (claim) => (claim as DeepReadonly<ResourceClaim>).status,
    );
    const errors = [...checkBinding(authorizer, request, now, old), ...checkDevices(authorizer, request, now, old)];
    if (errors.length > 0) throw invalid(request.target.kind, request.name, errors);
  },
});
