import type { DeepReadonly } from '@periplus/apimachinery';
import type { Attributes } from '../types.ts';

/** A rule of a Role or ClusterRole. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole */
export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const ANY = '*';
const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes(value) || list.includes(ANY));

/** `resource` is what is asked for: "pods", or "pods/status" with `subresource` "status". */
function resourceMatches(rule: DeepReadonly<PolicyRule>, resource: string, subresource: string): boolean {
  if (has(rule.resources, resource)) return true;
  return subresource !== '' && (rule.resources?.includes(`*/${subresource}`) ?? false);
}

/** Which names a set of rules allows: all of them, some, or none. */
export type AllowedNames = 'all' | ReadonlySet<string>;

const NO_NAMES: AllowedNames = new Set();
export const allowsName = (names: AllowedNames, name: string): boolean => names === 'all' || names.has(name);

/** The names of a resource that `rules` allow for the verb. A request without a name needs 'all'. */
export function allowedNames(rules: readonly DeepReadonly<PolicyRule>[], asked: Attributes): AllowedNames {
  const resource = asked.subresource ? `${asked.resource}/${asked.subresource}` : asked.resource;
  let names: Set<string> | undefined;
  for (const rule of rules) {
    if (!has(rule.verbs, asked.verb) || !has(rule.apiGroups, asked.group)) continue;
    if (!resourceMatches(rule, resource, asked.subresource)) continue;
    if (!rule.resourceNames?.length) return 'all';
    names ??= new Set();
    for (const name of rule.resourceNames) names.add(name);
  }
  return names ?? NO_NAMES;
}

const pathMatches = (pattern: string, path: string): boolean =>
  pattern === ANY || pattern === path || (pattern.endsWith(ANY) && path.startsWith(pattern.slice(0, -1)));

export const allowsPath = (rules: readonly DeepReadonly<PolicyRule>[], verb: string, path: string): boolean =>
  rules.some((rule) => has(rule.verbs, verb) && rule.nonResourceURLs?.some((pattern) => pathMatches(pattern, path)));

const covers = (owned: readonly string[] | undefined, asked: string): boolean => has(owned, asked);

const coversResource = (owned: readonly string[] | undefined, asked: string): boolean => {
  if (covers(owned, asked)) return true;
  const slash = asked.indexOf('/');
  return slash !== -1 && (owned?.includes(`*${asked.slice(slash)}`) ?? false);
};

const coversPath = (owned: readonly string[] | undefined, asked: string): boolean =>
  owned?.some(
    (pattern) =>
      pattern === ANY || pattern === asked || (pattern.endsWith(ANY) && asked.startsWith(pattern.slice(0, -1))),
  ) ?? false;

/** Splits a rule into rules of one verb and one group and resource (or one path), which single rules can cover. */
function* simpleRules(rule: DeepReadonly<PolicyRule>): Generator<PolicyRule> {
  for (const verb of rule.verbs) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const simple: PolicyRule = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) yield simple;
        for (const name of rule.resourceNames ?? []) yield { ...simple, resourceNames: [name] };
      }
    }
    for (const path of rule.nonResourceURLs ?? []) yield { verbs: [verb], nonResourceURLs: [path] };
  }
}

function coversSimple(owned: DeepReadonly<PolicyRule>, asked: PolicyRule): boolean {
  if (!covers(owned.verbs, asked.verbs[0]!)) return false;
  if (asked.nonResourceURLs) return coversPath(owned.nonResourceURLs, asked.nonResourceURLs[0]!);
  if (!covers(owned.apiGroups, asked.apiGroups![0]!) || !coversResource(owned.resources, asked.resources![0]!)) {
    return false;
  }
  if (!owned.resourceNames?.length) return true;
  return asked.resourceNames !== undefined && owned.resourceNames.includes(asked.resourceNames[0]!);
}

/** What of `asked` is not within `owned`, split into simple rules. Nobody may grant what he does not have. */
export function uncoveredRules(
  owned: readonly DeepReadonly<PolicyRule>[],
  asked: readonly DeepReadonly<PolicyRule>[],
): PolicyRule[] {
  const missing: PolicyRule[] = [];
  for (const rule of asked) {
    for (const simple of simpleRules(rule)) {
      if (!owned.some((one) => coversSimple(one, simple))) missing.push(simple);
    }
  }
  return missing;
}

const listed = (name: string, values: readonly string[] | undefined): string =>
  values?.length ? `${name}:[${values.map((value) => JSON.stringify(value)).join(' ')}]` : '';

/** As kube-apiserver shows a rule in messages: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export const shownRule = (rule: DeepReadonly<PolicyRule>): string =>
  `{${[
    listed('APIGroups', rule.apiGroups),
    listed('Resources', rule.resources),
    listed('ResourceNames', rule.resourceNames),
    listed('NonResourceURLs', rule.nonResourceURLs),
    listed('Verbs', rule.verbs),
  ]
    .filter((part) => part !== '')
    .join(', ')}}`;
