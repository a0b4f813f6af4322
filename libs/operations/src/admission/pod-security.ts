import { type Kind, type Namespace, namespace, type Pod, pod, sameValue } from '@periplus/api';
import { type DeepReadonly, invalid, type KubeObject, type Labels } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';
import type { PodLike } from './pod-security/check.ts';
import { reasonsOf, violationsOf } from './pod-security/evaluate.ts';
import { LEVELS, labelProblems, type Policy, policyOf, shown } from './pod-security/policy.ts';

/** As many pods of a namespace are looked at when its labels change. */
const PODS_MAX = 3000;

/** Kinds whose pods are made from a template. They are warned of what their pods will meet. */
const WITH_TEMPLATES = new Set([
  '/podtemplates',
  '/replicationcontrollers',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'apps/daemonsets',
  'batch/jobs',
  'batch/cronjobs',
]);

interface WithTemplate extends KubeObject {
  template?: PodLike;
  spec?: { template?: PodLike; jobTemplate?: { spec?: { template?: PodLike } } };
}

const templateOf = ({ template, spec }: DeepReadonly<WithTemplate>): PodLike | undefined =>
  (template ?? spec?.template ?? spec?.jobTemplate?.spec?.template) as PodLike | undefined;

const isWorkload = ({ group, plural }: Kind): boolean => WITH_TEMPLATES.has(`${group}/${plural}`);

const images = ({ spec }: DeepReadonly<Pod>): unknown =>
  [spec.containers, spec.initContainers, spec.ephemeralContainers].map((all) => all?.map(({ image }) => image));

/** An update of a pod may change little that matters here. */
const changesNothing = ({ object, old }: AdmissionRequest): boolean =>
  old !== null && sameValue(images(object as Pod), images(old as DeepReadonly<Pod>));

/** `a (and 2 other pods): privileged`, a line for each thing that is wrong with some. */
function warningsOf(pods: readonly DeepReadonly<Pod>[], policy: Policy): string[] {
  const byReasons = new Map<string, string[]>();
  for (const one of pods) {
    const reasons = reasonsOf(policy, one);
    if (reasons) byReasons.set(reasons, [...(byReasons.get(reasons) ?? []), one.metadata.name!]);
  }
  return [...byReasons]
    .map(([reasons, names]) => {
      const [first] = names.sort();
      const others = names.length - 1;
      const more = others === 0 ? '' : others === 1 ? ' (and 1 other pod)' : ` (and ${others} other pods)`;
      return `${first}${more}: ${reasons}`;
    })
    .sort();
}

/**
 * Holds pods to the level that the labels of their namespace name.
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export function podSecurity(cluster: ClusterState): Admission {
  const labelsOf = (name: string): Labels | undefined => cluster.object(namespace, '', name)?.metadata.labels;

  const warn = ({ context }: AdmissionRequest, warning: string): void => {
    if (!context.warnings.includes(warning)) context.warnings.push(warning);
  };

  const warnOf = (request: AdmissionRequest, template: PodLike, labels: Labels | undefined): void => {
    const policy = policyOf(labels, 'warn');
    const violations = policy && violationsOf(policy, template);
    if (violations) warn(request, `would violate PodSecurity ${JSON.stringify(shown(policy))}: ${violations}`);
  };

  const reviewPod = (request: AdmissionRequest): void => {
    if (changesNothing(request)) return;
    const labels = labelsOf(request.target.namespace);
    const policy = policyOf(labels, 'enforce');
    const violations = policy && violationsOf(policy, request.object as Pod);
    if (violations) throw refused(request, `violates PodSecurity ${JSON.stringify(shown(policy))}: ${violations}`);
    warnOf(request, request.object as Pod, labels);
  };

  const reviewNamespace = (request: AdmissionRequest): void => {
    const { labels } = (request.object as Namespace).metadata;
    const before = request.old?.metadata.labels;
    const problems = labelProblems(labels);
    const isNews = request.old === null || !sameValue(problems, labelProblems(before));
    if (problems.length > 0 && isNews) throw invalid(request.target.kind, request.name, problems);
    const policy = policyOf(labels, 'enforce');
    if (request.old === null || !policy) return;
    const old = policyOf(before, 'enforce') ?? { level: 'privileged', minor: policy.minor };
    if (policy.minor === old.minor && LEVELS.indexOf(policy.level) <= LEVELS.indexOf(old.level)) return;
    const pods = cluster.podsIn(request.name);
    const warnings = warningsOf(pods.slice(0, PODS_MAX), policy);
    if (pods.length > PODS_MAX) {
      const looked = `the first ${PODS_MAX} of ${pods.length} existing pods`;
      warn(request, `new PodSecurity enforce level only checked against ${looked}`);
    }
    if (warnings.length === 0) return;
    const level = JSON.stringify(shown(policy));
    const where = JSON.stringify(request.name);
    warn(request, `existing pods in namespace ${where} violate the new PodSecurity enforce level ${level}`);
    for (const warning of warnings) warn(request, warning);
  };

  return {
    name: 'PodSecurity',
    handles: ({ kind, subresource }, operation) => {
      if (operation === 'delete') return false;
      if (kind === (pod as unknown)) return subresource === '' || subresource === 'ephemeralcontainers';
      return subresource === '' && (kind === (namespace as unknown) || isWorkload(kind));
    },
    review(request) {
      const { kind } = request.target;
      if (kind === (pod as unknown)) return reviewPod(request);
      if (kind === (namespace as unknown)) return reviewNamespace(request);
      const template = templateOf(request.object as WithTemplate);
      if (template?.spec) warnOf(request, template, labelsOf(request.target.namespace));
    },
  };
}
