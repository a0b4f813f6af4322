/** What no ordinary pod needs. https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline */
import {
  type Check,
  type Container,
  containersOf,
  hasOwnUsers,
  namesOf,
  type PodLike,
  quoted,
  settersOf,
  some,
  sorted,
  type Violation,
} from './check.ts';

const APP_ARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/';
const CONFINED = ['RuntimeDefault', 'Localhost'];

const isConfined = (type: string | undefined): boolean => type === undefined || CONFINED.includes(type);

function appArmor(pod: PodLike): Violation | undefined {
  const { appArmorProfile } = pod.spec.securityContext ?? {};
  const bad = containersOf(pod).filter(({ securityContext }) => !isConfined(securityContext?.appArmorProfile?.type));
  const types = [appArmorProfile?.type, ...bad.map(({ securityContext }) => securityContext?.appArmorProfile?.type)];
  const values = sorted(types.flatMap((type) => (type === undefined || isConfined(type) ? [] : [type])));
  const annotations = Object.entries(pod.metadata?.annotations ?? {})
    .filter(([name, value]) => name.startsWith(APP_ARMOR_PREFIX) && !/^($|runtime\/default$|localhost\/)/.test(value))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort();
  const setters = [settersOf(!isConfined(appArmorProfile?.type), namesOf(bad))].filter(Boolean);
  if (annotations.length > 0) setters.push(annotations.length === 1 ? 'annotation' : 'annotations');
  if (setters.length === 0) return undefined;
  const all = [...values, ...annotations];
  return {
    reason: all.length === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles',
    detail: `${setters.join(' and ')} must not set AppArmor profile type to ${quoted(all)}`,
  };
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

function capabilities(pod: PodLike): Violation | undefined {
  const unusual = ({ securityContext }: Container): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name));
  const bad = containersOf(pod).filter((container) => unusual(container).length > 0);
  if (bad.length === 0) return undefined;
  const added = quoted(sorted(bad.flatMap(unusual)));
  const detail = `${some('container', namesOf(bad))} must not include ${added} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
}

function hostNamespaces({ spec }: PodLike): Violation | undefined {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name]);
  if (used.length === 0) return undefined;
  return { reason: 'host namespaces', detail: used.map((name) => `${name}=true`).join(', ') };
}

function hostPathVolumes({ spec }: PodLike): Violation | undefined {
  const names = (spec.volumes ?? []).flatMap(({ name, hostPath }) => (hostPath ? [name] : []));
  return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: some('volume', names) };
}

function hostPorts(pod: PodLike): Violation | undefined {
  const of = ({ ports = [] }: Container): string[] =>
    ports.flatMap(({ hostPort }) => (hostPort ? [`${hostPort}`] : []));
  const bad = containersOf(pod).filter((container) => of(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(bad.flatMap(of));
  const use = `${bad.length === 1 ? 'uses' : 'use'} ${ports.length === 1 ? 'hostPort' : 'hostPorts'}`;
  return { reason: 'hostPort', detail: `${some('container', namesOf(bad))} ${use} ${ports.join(', ')}` };
}

/** Where the node would connect to, in place of the pod. */
function probedHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] {
  const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
  const hosts = handlers.flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host]);
  return hosts.flatMap((host) => (host ? [host] : []));
}

function hostProbes(pod: PodLike): Violation | undefined {
  const bad = containersOf(pod).filter((container) => probedHosts(container).length > 0);
  if (bad.length === 0) return undefined;
  const hosts = some('host', sorted(bad.flatMap(probedHosts)));
  const names = sorted(namesOf(bad));
  const use = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'probe or lifecycle host',
    detail: `${some('container', names)} ${use} probe or lifecycle ${hosts}`,
  };
}

function privileged(pod: PodLike): Violation | undefined {
  const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.privileged);
  if (bad.length === 0) return undefined;
  const detail = `${some('container', namesOf(bad))} must not set securityContext.privileged=true`;
  return { reason: 'privileged', detail };
}

export function procMount(pod: PodLike): Violation | undefined {
  const bad = containersOf(pod).filter(
    ({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default',
  );
  if (bad.length === 0) return undefined;
  const types = quoted(sorted(bad.map(({ securityContext }) => securityContext!.procMount!)));
  return {
    reason: 'procMount',
    detail: `${some('container', namesOf(bad))} must not set securityContext.procMount to ${types}`,
  };
}

const SE_LINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

const seLinux =
  (types: readonly string[]) =>
  (pod: PodLike): Violation | undefined => {
    type Options = NonNullable<Container['securityContext']>['seLinuxOptions'];
    const isBad = ({ type = '', user, role }: NonNullable<Options>): boolean =>
      !types.includes(type) || !!user || !!role;
    const ofPod = pod.spec.securityContext?.seLinuxOptions;
    const bad = containersOf(pod).filter(({ securityContext }) => {
      const options = securityContext?.seLinuxOptions;
      return options && isBad(options);
    });
    const podIsBad = ofPod !== undefined && isBad(ofPod);
    const setters = settersOf(podIsBad, namesOf(bad));
    if (setters === '') return undefined;
    const options = [
      ...(podIsBad ? [ofPod] : []),
      ...bad.map(({ securityContext }) => securityContext!.seLinuxOptions!),
    ];
    const badTypes = sorted(options.flatMap(({ type = '' }) => (types.includes(type) ? [] : [type])));
    const words = [
      ...(badTypes.length > 0 ? [some('type', badTypes)] : []),
      ...(options.some(({ user }) => user) ? ['user may not be set'] : []),
      ...(options.some(({ role }) => role) ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${words.join('; ')}`,
    };
  };

/** Those that ask for no confinement, by name. */
export function unconfined(pod: PodLike): Violation | undefined {
  const ofPod = pod.spec.securityContext?.seccompProfile?.type;
  const bad = containersOf(pod).filter(({ securityContext }) => !isConfined(securityContext?.seccompProfile?.type));
  const setters = settersOf(!isConfined(ofPod), namesOf(bad));
  if (setters === '') return undefined;
  const types = [ofPod, ...bad.map(({ securityContext }) => securityContext?.seccompProfile?.type)];
  const values = quoted(sorted(types.flatMap((type) => (type === undefined || isConfined(type) ? [] : [type]))));
  return {
    reason: 'seccompProfile',
    detail: `${setters} must not set securityContext.seccompProfile.type to ${values}`,
  };
}

const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const SYSCTLS_1_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports'];
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const SYSCTLS_1_32 = [...SYSCTLS_1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

const sysctls =
  (allowed: readonly string[]) =>
  ({ spec }: PodLike): Violation | undefined => {
    const names = (spec.securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !allowed.includes(name));
    return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
  };

function hostProcess(pod: PodLike): Violation | undefined {
  const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.windowsOptions?.hostProcess);
  const setters = settersOf(!!pod.spec.securityContext?.windowsOptions?.hostProcess, namesOf(bad));
  if (setters === '') return undefined;
  return { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` };
}

const always = (check: (pod: PodLike) => Violation | undefined) => [{ since: 0, check }];

export const BASELINE: readonly Check[] = [
  { id: 'appArmorProfile', versions: always(appArmor) },
  { id: 'capabilities_baseline', versions: always(capabilities) },
  { id: 'hostNamespaces', versions: always(hostNamespaces) },
  { id: 'hostPathVolumes', versions: always(hostPathVolumes) },
  { id: 'hostPorts', versions: always(hostPorts) },
  { id: 'hostProbesAndhostLifecycle', versions: [{ since: 34, check: hostProbes }] },
  { id: 'privileged', versions: always(privileged) },
  {
    id: 'procMount',
    versions: [...always(procMount), { since: 35, check: (pod) => (hasOwnUsers(pod) ? undefined : procMount(pod)) }],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      ...always(seLinux(SE_LINUX_TYPES)),
      { since: 31, check: seLinux([...SE_LINUX_TYPES, 'container_engine_t']) },
    ],
  },
  { id: 'seccompProfile_baseline', versions: [{ since: 19, check: unconfined }] },
  {
    id: 'sysctls',
    versions: [
      ...always(sysctls(SYSCTLS)),
      { since: 27, check: sysctls(SYSCTLS_1_27) },
      { since: 29, check: sysctls(SYSCTLS_1_29) },
      { since: 32, check: sysctls(SYSCTLS_1_32) },
    ],
  },
  { id: 'windowsHostProcess', versions: always(hostProcess) },
];
