import type { ContainerSecurity, Image, NamespaceOption, SandboxSecurity, SecurityProfile } from '@periplus/cri';
import { ConfigError } from './config-error.ts';
import { type Container, describePod, type Pod } from './pod-types.ts';

/** Numbers of CRI's NamespaceMode. */
const POD = 0;
const CONTAINER = 1;
const NODE = 2;
/** Numbers of CRI's SecurityProfile.ProfileType. */
const PROFILE = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const;

/** Parts of /proc and /sys that tell of, or change, the whole machine. */
const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

type SeccompProfile = { type: string; localhostProfile?: string } | undefined;

const seccomp = (profile: SeccompProfile, profileDirectory: string): SecurityProfile => {
  if (profile?.type === 'RuntimeDefault') return { profileType: PROFILE.RuntimeDefault };
  if (profile?.type !== 'Localhost') return { profileType: PROFILE.Unconfined };
  return { profileType: PROFILE.Localhost, localhostRef: `${profileDirectory}/${profile.localhostProfile ?? ''}` };
};

export function namespaces({ spec }: Pod): NamespaceOption {
  return {
    network: spec.hostNetwork ? NODE : POD,
    ipc: spec.hostIPC ? NODE : POD,
    pid: spec.hostPID ? NODE : spec.shareProcessNamespace ? POD : CONTAINER,
  };
}

const groupsOf = ({ spec }: Pod): number[] => {
  const { supplementalGroups = [], fsGroup } = spec.securityContext ?? {};
  return fsGroup === undefined ? supplementalGroups : [...supplementalGroups, fsGroup];
};

export function sandboxSecurity(pod: Pod, profileDirectory: string): SandboxSecurity {
  const context = pod.spec.securityContext ?? {};
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return {
    namespaceOptions: namespaces(pod),
    privileged: containers.some(({ securityContext }) => securityContext?.privileged),
    ...(context.runAsUser !== undefined && {
      runAsUser: { value: context.runAsUser },
      ...(context.runAsGroup !== undefined && { runAsGroup: { value: context.runAsGroup } }),
    }),
    ...(context.seLinuxOptions && { selinuxOptions: context.seLinuxOptions }),
    supplementalGroups: groupsOf(pod),
    // The sandbox runs nothing but the pause program, so the runtime's profile always fits.
    seccomp: seccomp(context.seccompProfile ?? { type: 'RuntimeDefault' }, profileDirectory),
  };
}

/** Throws ConfigError when the pod must not run as root and would, or nobody can tell. */
function checkNonRoot(pod: Pod, container: Container, runAsUser: number | undefined, image: Image | undefined): void {
  const required = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot ?? false;
  if (!required) return;
  const where = `(pod: "${describePod(pod)}", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  if (image?.uid != null ? image.uid === 0 : !image?.username) {
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  }
  if (image?.username) {
    const why = `image has non-numeric user (${image.username}), cannot verify user is non-root`;
    throw new ConfigError(`container has runAsNonRoot and ${why} ${where}`);
  }
}

/** What the container may do: its own security context, and the pod's where that says nothing. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  image: Image | undefined,
  profileDirectory: string,
): ContainerSecurity {
  const own = container.securityContext ?? {};
  const context = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? context.runAsUser;
  const runAsGroup = own.runAsGroup ?? context.runAsGroup;
  checkNonRoot(pod, container, runAsUser, image);
  const uid = runAsUser ?? image?.uid ?? undefined;
  const unmasked = own.procMount === 'Unmasked';
  const profile = own.seccompProfile ?? context.seccompProfile;
  return {
    namespaceOptions: namespaces(pod),
    privileged: own.privileged ?? false,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    ...(own.capabilities && {
      capabilities: { addCapabilities: own.capabilities.add ?? [], dropCapabilities: own.capabilities.drop ?? [] },
    }),
    ...(own.seLinuxOptions || context.seLinuxOptions
      ? { selinuxOptions: own.seLinuxOptions ?? context.seLinuxOptions }
      : {}),
    ...(uid !== undefined ? { runAsUser: { value: uid } } : image?.username && { runAsUsername: image.username }),
    // CRI takes a group only together with a user.
    ...(runAsGroup !== undefined && (uid !== undefined || image?.username)
      ? { runAsGroup: { value: runAsGroup } }
      : {}),
    supplementalGroups: groupsOf(pod),
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: own.privileged ? { profileType: PROFILE.Unconfined } : seccomp(profile, profileDirectory),
  };
}
