/** What a pod and its containers may do on the node. https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IAppArmorProfile } from 'kubernetes-models/v1/AppArmorProfile';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { ISeccompProfile } from 'kubernetes-models/v1/SeccompProfile';
import type { ISecurityContext } from 'kubernetes-models/v1/SecurityContext';
import { checkId, checkOptionalOneOf, type Errors } from '../field-rules.ts';
import { checkLocalPath } from './volumes.ts';

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const PROC_MOUNTS = ['Default', 'Unmasked'];
const CHANGE_POLICIES = ['Always', 'OnRootMismatch'];
const SELINUX_POLICIES = ['MountOption', 'Recursive'];
const GROUPS_POLICIES = ['Merge', 'Strict'];
const PROFILE_PATH_LENGTH_MAX = 4095;
const SYSCTL_LENGTH_MAX = 253;
const SYSCTL = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctl = new RegExp(SYSCTL);

function checkProfileType(errors: Errors, at: FieldPath, field: string, type: string | undefined): void {
  if (!type) errors.push(at.child('type').required(`type is required when ${field} is set`));
  else if (!PROFILE_TYPES.includes(type)) errors.push(at.child('type').notSupported(type, PROFILE_TYPES));
}

function checkSeccomp(errors: Errors, at: FieldPath, profile: DeepReadonly<ISeccompProfile> | undefined): void {
  if (!profile) return;
  const place = at.child('seccompProfile');
  const { type, localhostProfile } = profile;
  checkProfileType(errors, place, 'seccompProfile', type);
  if (type === 'Localhost') {
    if (localhostProfile === undefined) {
      errors.push(place.child('localhostProfile').required('must be set when seccomp type is Localhost'));
    } else checkLocalPath(errors, place.child('localhostProfile'), localhostProfile);
  } else if (localhostProfile !== undefined) {
    const detail = 'can only be set when seccomp type is Localhost';
    errors.push(place.child('localhostProfile').invalid(profile, detail));
  }
}

function checkAppArmor(errors: Errors, at: FieldPath, profile: DeepReadonly<IAppArmorProfile> | undefined): void {
  if (!profile) return;
  const place = at.child('appArmorProfile');
  const { type, localhostProfile } = profile;
  checkProfileType(errors, place, 'appArmorProfile', type);
  const path = place.child('localhostProfile');
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined && PROFILE_TYPES.includes(type)) {
      errors.push(path.invalid(localhostProfile, 'can only be set when AppArmor type is Localhost'));
    }
    return;
  }
  if (!localhostProfile?.trim()) errors.push(path.required('must be set when AppArmor type is Localhost'));
  else if (localhostProfile !== localhostProfile.trim()) {
    errors.push(path.invalid(localhostProfile, 'must not be padded with whitespace'));
  }
  if ((localhostProfile?.length ?? 0) > PROFILE_PATH_LENGTH_MAX) errors.push(path.tooLong(PROFILE_PATH_LENGTH_MAX));
}

/** `hostUsers` is whether the container shares the user namespace of the host. */
export function checkContainerSecurity(
  errors: Errors,
  at: FieldPath,
  context: DeepReadonly<ISecurityContext> | undefined,
  hostUsers: boolean,
): void {
  if (!context) return;
  const place = at.child('securityContext');
  const { privileged, allowPrivilegeEscalation, procMount, capabilities } = context;
  checkId(errors, place, 'runAsUser', context.runAsUser);
  checkId(errors, place, 'runAsGroup', context.runAsGroup);
  checkOptionalOneOf(errors, place, 'procMount', procMount, PROC_MOUNTS);
  if (hostUsers && procMount === 'Unmasked') {
    errors.push(place.child('procMount').invalid(procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  checkSeccomp(errors, place, context.seccompProfile);
  if (allowPrivilegeEscalation === false) {
    if (privileged) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(place.invalid(context, detail));
    }
    if (capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(place.invalid(context, detail));
    }
  }
  checkAppArmor(errors, place, context.appArmorProfile);
}

function checkSysctls(errors: Errors, at: FieldPath, spec: DeepReadonly<IPodSpec>): void {
  const seen = new Set<string>();
  spec.securityContext?.sysctls?.forEach(({ name }, i) => {
    const place = at.index('sysctls', i).child('name');
    if (!name) errors.push(place.required());
    else if (name.length > SYSCTL_LENGTH_MAX || !sysctl.test(name)) {
      errors.push(place.invalid(name, `must have at most ${SYSCTL_LENGTH_MAX} characters and match regex ${SYSCTL}`));
    } else if (seen.has(name)) errors.push(place.duplicate(name));
    if (spec.hostNetwork && name?.startsWith('net.')) {
      errors.push(place.invalid(name, "may not be specified when 'hostNetwork' is true"));
    }
    if (spec.hostIPC && /^(kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/.test(name ?? '')) {
      errors.push(place.invalid(name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  });
}

/** Namespaces of the host cannot be shared by a pod with users of its own. */
function checkHostUsers(errors: Errors, at: FieldPath, spec: DeepReadonly<IPodSpec>): void {
  if (spec.hostUsers !== false) return;
  const detail = 'when `pod.Spec.HostUsers` is false';
  if (spec.hostNetwork) errors.push(at.child('hostNetwork').forbidden(detail));
  // Kubernetes writes these two with a capital.
  if (spec.hostPID) errors.push(at.child('HostPID').forbidden(detail));
  if (spec.hostIPC) errors.push(at.child('HostIPC').forbidden(detail));
}

export function checkPodSecurity(errors: Errors, at: FieldPath, spec: DeepReadonly<IPodSpec>): void {
  checkHostUsers(errors, at, spec);
  const context = spec.securityContext;
  if (spec.hostPID && spec.shareProcessNamespace) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(at.child('securityContext', 'shareProcessNamespace').invalid(true, detail));
  }
  // Nearly every pod has the empty one that defaults gave it.
  if (!context || Object.keys(context).length === 0) return;
  const place = at.child('securityContext');
  checkId(errors, place, 'fsGroup', context.fsGroup);
  checkId(errors, place, 'runAsUser', context.runAsUser);
  checkId(errors, place, 'runAsGroup', context.runAsGroup);
  context.supplementalGroups?.forEach((id, i) => {
    checkId(errors, place, `supplementalGroups[${i}]`, id);
  });
  checkSysctls(errors, place, spec);
  checkOptionalOneOf(errors, place, 'fsGroupChangePolicy', context.fsGroupChangePolicy, CHANGE_POLICIES);
  checkSeccomp(errors, place, context.seccompProfile);
  checkAppArmor(errors, place, context.appArmorProfile);
  checkOptionalOneOf(errors, place, 'supplementalGroupsPolicy', context.supplementalGroupsPolicy, GROUPS_POLICIES);
  checkOptionalOneOf(errors, place, 'seLinuxChangePolicy', context.seLinuxChangePolicy, SELINUX_POLICIES);
}
