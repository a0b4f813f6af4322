/** Which requests a FlowSchema is about. */
import { type DeepReadonly, dns1123Label, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { INonResourcePolicyRule } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/NonResourcePolicyRule';
import type { IPolicyRulesWithSubjects } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/PolicyRulesWithSubjects';
import type { IResourcePolicyRule } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/ResourcePolicyRule';
import type { ISubject } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/Subject';
import { checkRequired, type Errors } from '../field-rules.ts';

const ALL = '*';
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const SUBJECT_KINDS = ['Group', 'ServiceAccount', 'User'];
/** The member of a subject that goes with its kind. */
const MEMBERS = [
  ['User', 'user'],
  ['Group', 'group'],
  ['ServiceAccount', 'serviceAccount'],
] as const;

function checkSubject(errors: Errors, at: FieldPath, subject: DeepReadonly<ISubject>): void {
  const { kind } = subject;
  if (!SUBJECT_KINDS.includes(kind)) {
    errors.push(at.child('kind').notSupported(kind, SUBJECT_KINDS));
    return;
  }
  for (const [memberKind, member] of MEMBERS) {
    const place = at.child(member);
    if (kind !== memberKind) {
      if (subject[member])
        errors.push(place.forbidden(`${member} is forbidden when subject kind is not '${memberKind}'`));
    } else if (!subject[member]) errors.push(place.required(`${member} is required when subject kind is '${kind}'`));
    else checkRequired(errors, place, 'name', subject[member].name);
  }
  if (kind === 'ServiceAccount' && subject.serviceAccount) {
    checkAccount(errors, at.child('serviceAccount'), subject.serviceAccount);
  }
}

function checkAccount(errors: Errors, at: FieldPath, { name, namespace }: { name: string; namespace: string }): void {
  if (name && name !== ALL) {
    for (const problem of dns1123Subdomain(name)) errors.push(at.child('name').invalid(name, problem));
  }
  const place = at.child('namespace');
  if (!namespace) errors.push(place.required('must specify namespace for service account'));
  else for (const problem of dns1123Label(namespace)) errors.push(place.invalid(namespace, problem));
}

/** One or more of something, where `*` for all of them stands alone. Returns whether each is to be looked at. */
function checkNonEmpty(
  errors: Errors,
  at: FieldPath,
  values: readonly string[],
  { ifNone, others }: { ifNone: string; others: string },
): boolean {
  if (values.length === 0) errors.push(at.required(ifNone));
  else if (!values.includes(ALL)) return true;
  else if (values.length > 1) errors.push(at.invalid(values, `if '*' is present, must not specify other ${others}`));
  return false;
}

function checkVerbs(errors: Errors, at: FieldPath, verbs: readonly string[] = []): void {
  const words = { ifNone: 'verbs must contain at least one value', others: 'verbs' };
  if (!checkNonEmpty(errors, at.child('verbs'), verbs, words)) return;
  if (verbs.some((verb) => !VERBS.includes(verb))) errors.push(at.child('verbs').notSupported(verbs, VERBS));
}

function checkResourceRule(errors: Errors, at: FieldPath, rule: DeepReadonly<IResourcePolicyRule>): void {
  const { verbs, apiGroups = [], resources = [], clusterScope } = rule;
  const namespaces = rule.namespaces ?? [];
  checkVerbs(errors, at, verbs);
  checkNonEmpty(errors, at.child('apiGroups'), apiGroups, {
    ifNone: 'resource rules must supply at least one api group',
    others: 'api groups',
  });
  checkNonEmpty(errors, at.child('resources'), resources, {
    ifNone: 'resource rules must supply at least one resource',
    others: 'resources',
  });
  if (namespaces.length === 0 && clusterScope) return;
  const ifNone = 'resource rules that are not cluster scoped must supply at least one namespace';
  if (!checkNonEmpty(errors, at.child('namespaces'), namespaces, { ifNone, others: 'namespaces' })) return;
  namespaces.forEach((name, i) => {
    for (const problem of dns1123Label(name)) {
      const detail = `each member of this list must be '*' or a DNS-1123 label; ${problem}`;
      errors.push(at.index('namespaces', i).invalid(name, detail));
    }
  });
}

function pathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (path === '/') return undefined;
  if (!path.startsWith('/')) return 'must start with slash';
  if (path.includes(' ')) return 'must not contain white-space';
  if (path.includes('//')) return 'must not contain double slash';
  const first = path.indexOf(ALL);
  if (first !== -1 && (first !== path.length - 1 || !path.endsWith('/*')))
    return 'wildcard can only do suffix matching';
  return undefined;
}

function checkPathRule(errors: Errors, at: FieldPath, rule: DeepReadonly<INonResourcePolicyRule>): void {
  const { verbs, nonResourceURLs: paths = [] } = rule;
  checkVerbs(errors, at, verbs);
  const ifNone = 'nonResourceURLs must contain at least one value';
  if (!checkNonEmpty(errors, at.child('nonResourceURLs'), paths, { ifNone, others: 'non-resource URLs' })) return;
  paths.forEach((path, i) => {
    const problem = pathProblem(path);
    if (problem) errors.push(at.index('nonResourceURLs', i).invalid(path, problem));
  });
}

export function checkPolicyRules(errors: Errors, at: FieldPath, rule: DeepReadonly<IPolicyRulesWithSubjects>): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0) errors.push(at.child('subjects').required('subjects must contain at least one value'));
  subjects.forEach((subject, i) => {
    checkSubject(errors, at.index('subjects', i), subject);
  });
  if (resourceRules.length + nonResourceRules.length === 0) {
    errors.push(at.required('at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  resourceRules.forEach((one, i) => {
    checkResourceRule(errors, at.index('resourceRules', i), one);
  });
  nonResourceRules.forEach((one, i) => {
    checkPathRule(errors, at.index('nonResourceRules', i), one);
  });
}
