/** Whether a pod, or the pod template of a workload, can be run at all. */
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  inRange,
  ipAddress,
  qualifiedName,
  validateAnnotations,
  validateLabels,
} from '@periplus/apimachinery';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { checkOneOf, checkOptionalOneOf, checkRequiredText, checkText, type Errors } from '../field-rules.ts';
import { checkAffinity, checkTopologySpread } from './affinity.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers, type PodContext } from './containers.ts';
import { checkDns } from './dns.ts';
import { checkResources } from './resources.ts';
import { checkPodSecurity } from './security-context.ts';
import { checkTolerations } from './tolerations.ts';
import { checkVolumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];
const OPERATING_SYSTEMS = ['linux', 'windows'];
const SECONDS_MAX = 2 ** 31 - 1;

type Spec = DeepReadonly<IPodSpec>;

function checkResourceClaims(errors: Errors, at: FieldPath, { resourceClaims }: Spec): readonly string[] {
  const names: string[] = [];
  resourceClaims?.forEach(({ name, resourceClaimName, resourceClaimTemplateName }, i) => {
    const place = at.index('resourceClaims', i);
    if (!name) errors.push(place.child('name').required());
    else if (names.includes(name)) errors.push(place.child('name').duplicate(name));
    else checkText(errors, place, 'name', name, dns1123Label);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(place.invalid(resourceClaims[i], detail));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(place.invalid(resourceClaims[i], detail));
    }
    checkText(errors, place, 'resourceClaimName', resourceClaimName, dns1123Subdomain);
    checkText(errors, place, 'resourceClaimTemplateName', resourceClaimTemplateName, dns1123Subdomain);
    names.push(name);
  });
  return names;
}

function checkGates(errors: Errors, at: FieldPath, { readinessGates, schedulingGates }: Spec): void {
  readinessGates?.forEach(({ conditionType }, i) => {
    const place = at.index('readinessGates', i).child('conditionType');
    for (const problem of qualifiedName(conditionType)) errors.push(place.invalid(conditionType, problem));
  });
  const seen = new Set<string>();
  schedulingGates?.forEach(({ name }, i) => {
    const place = at.index('schedulingGates', i);
    for (const problem of qualifiedName(name)) errors.push(place.invalid(name, problem));
    if (seen.has(name)) errors.push(place.duplicate(name));
    seen.add(name);
  });
}

function checkNames(errors: Errors, at: FieldPath, spec: Spec): void {
  if (spec.schedulingGroup) {
    checkRequiredText(
      errors,
      at.child('schedulingGroup'),
      'podGroupName',
      spec.schedulingGroup.podGroupName,
      dns1123Subdomain,
    );
  }
  checkText(errors, at, 'serviceAccountName', spec.serviceAccountName, dns1123Subdomain);
  checkText(errors, at, 'nodeName', spec.nodeName, dns1123Subdomain);
  checkText(errors, at, 'hostname', spec.hostname, dns1123Label);
  checkText(errors, at, 'subdomain', spec.subdomain, dns1123Label);
  checkText(errors, at, 'hostnameOverride', spec.hostnameOverride, dns1123Subdomain);
  checkText(errors, at, 'priorityClassName', spec.priorityClassName, dns1123Subdomain);
  checkText(errors, at, 'runtimeClassName', spec.runtimeClassName, dns1123Subdomain);
  spec.hostAliases?.forEach(({ ip, hostnames }, i) => {
    const place = at.index('hostAliases', i);
    for (const problem of ipAddress(ip)) errors.push(place.child('ip').invalid(ip, problem));
    hostnames?.forEach((name, position) => {
      for (const problem of dns1123Subdomain(name)) {
        errors.push(place.index('hostnames', position).invalid(name, problem));
      }
    });
  });
}

/** `isPod` is false for the template of a workload, which may leave some things to the pod. */
export function checkPodSpec(errors: Errors, at: FieldPath, spec: Spec, isPod: boolean): void {
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(at.child('terminationGracePeriodSeconds').required());
  }
  const pod: PodContext = {
    spec,
    isPod,
    volumes: checkVolumes(errors, at, spec.volumes),
    claimNames: checkResourceClaims(errors, at, spec),
  };
  checkContainers(errors, at, pod);
  checkInitContainers(errors, at, pod);
  checkEphemeralContainers(errors, at, pod);
  if (spec.resources) checkResources(errors, at.child('resources'), spec.resources, pod.claimNames);
  checkOneOf(errors, at, 'restartPolicy', spec.restartPolicy, RESTART_POLICIES);
  if (spec.nodeSelector) errors.push(...validateLabels(spec.nodeSelector, at.child('nodeSelector')));
  checkPodSecurity(errors, at, spec);
  checkAffinity(errors, at, spec.affinity);
  checkDns(errors, at, spec);
  checkGates(errors, at, spec);
  checkTopologySpread(errors, at, spec.topologySpreadConstraints);
  checkNames(errors, at, spec);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined) {
    for (const problem of inRange(deadline, 1, SECONDS_MAX)) {
      errors.push(at.child('activeDeadlineSeconds').invalid(deadline, problem));
    }
  }
  checkTolerations(errors, at, spec.tolerations);
  checkOptionalOneOf(errors, at, 'preemptionPolicy', spec.preemptionPolicy, PREEMPTION_POLICIES);
  if (spec.overhead) checkResources(errors, at.child('overhead'), { limits: spec.overhead }, []);
  if (spec.os) checkOneOf(errors, at.child('os'), 'name', spec.os.name, OPERATING_SYSTEMS);
}

export function checkPodTemplate(errors: Errors, at: FieldPath, template: DeepReadonly<IPodTemplateSpec>): void {
  const { labels, annotations } = template.metadata ?? {};
  if (labels) errors.push(...validateLabels(labels, at.child('labels')));
  if (annotations) errors.push(...validateAnnotations(annotations, at.child('annotations')));
  if (!template.spec) return;
  checkPodSpec(errors, at.child('spec'), template.spec, false);
  if (template.spec.ephemeralContainers?.length) {
    const detail = 'ephemeral containers not allowed in pod template';
    errors.push(at.child('spec', 'ephemeralContainers').forbidden(detail));
  }
}
