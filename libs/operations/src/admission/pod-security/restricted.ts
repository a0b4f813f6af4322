/** What a pod that nobody trusts must do. https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
import { procMount, unconfined } from './baseline.ts';
import {
  type Check,
  containersOf,
  hasOwnUsers,
  isWindows,
  namesOf,
  type PodLike,
  quoted,
  settersOf,
  some,
  sorted,
  type Violation,
} from './check.ts';

type CheckPod = (pod: PodLike) => Violation | undefined;

const unlessWindows =
  (check: CheckPod): CheckPod =>
  (pod) =>
    isWindows(pod) ? undefined : check(pod);
const unlessOwnUsers =
  (check: CheckPod): CheckPod =>
  (pod) =>
    hasOwnUsers(pod) ? undefined : check(pod);

function privilegeEscalation(pod: PodLike): Violation | undefined {
  const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  const detail = `${some('container', namesOf(bad))} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
}

const ALL = 'ALL';
const BIND = 'NET_BIND_SERVICE';

function capabilities(pod: PodLike): Violation | undefined {
  const containers = containersOf(pod).map(({ name, securityContext }) => ({
    name,
    keepsSome: !securityContext?.capabilities?.drop?.includes(ALL),
    added: (securityContext?.capabilities?.add ?? []).filter((capability) => capability !== BIND),
  }));
  const keeping = containers.flatMap(({ name, keepsSome }) => (keepsSome ? [name] : []));
  const adding = containers.flatMap(({ name, added }) => (added.length > 0 ? [name] : []));
  const added = quoted(sorted(containers.flatMap((container) => container.added)));
  const details = [
    ...(keeping.length > 0 ? [`${some('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${some('container', adding)} must not include ${added} in securityContext.capabilities.add`]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

const VOLUME_TYPES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const OTHER_VOLUME_TYPES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'portworxVolume',
  'photonPersistentDisk',
  'scaleIO',
  'storageos',
];

function volumes({ spec }: PodLike): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((volume) => !VOLUME_TYPES.some((type) => type in volume));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((volume) => OTHER_VOLUME_TYPES.find((type) => type in volume) ?? 'unknown'));
  const names = bad.map(({ name }) => name);
  const use = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'restricted volume types',
    detail: `${some('volume', names)} ${use} restricted volume ${some('type', types)}`,
  };
}

function nonRoot(pod: PodLike): Violation | undefined {
  const ofPod = pod.spec.securityContext?.runAsNonRoot;
  const of = (wanted: boolean | undefined): string[] =>
    namesOf(containersOf(pod).filter(({ securityContext }) => securityContext?.runAsNonRoot === wanted));
  const reason = 'runAsNonRoot != true';
  const setters = settersOf(ofPod === false, of(false));
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  const silent = of(undefined);
  if (ofPod || silent.length === 0) return undefined;
  return { reason, detail: `pod or ${some('container', silent)} must set securityContext.runAsNonRoot=true` };
}

function rootUser(pod: PodLike): Violation | undefined {
  const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.runAsUser === 0);
  const setters = settersOf(pod.spec.securityContext?.runAsUser === 0, namesOf(bad));
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` };
}

function seccomp(pod: PodLike): Violation | undefined {
  const violation = unconfined(pod);
  if (violation || pod.spec.securityContext?.seccompProfile) return violation;
  const silent = containersOf(pod).filter(({ securityContext }) => !securityContext?.seccompProfile);
  if (silent.length === 0) return undefined;
  const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: 'seccompProfile', detail: `pod or ${some('container', namesOf(silent))} ${wanted}` };
}

export const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      { since: 8, check: privilegeEscalation },
      { since: 25, check: unlessWindows(privilegeEscalation) },
    ],
  },
  {
    id: 'capabilities_restricted',
    overrides: 'capabilities_baseline',
    versions: [
      { since: 22, check: capabilities },
      { since: 25, check: unlessWindows(capabilities) },
    ],
  },
  { id: 'procMount_restricted', overrides: 'procMount', versions: [{ since: 35, check: procMount }] },
  { id: 'restrictedVolumes', overrides: 'hostPathVolumes', versions: [{ since: 0, check: volumes }] },
  {
    id: 'runAsNonRoot',
    versions: [
      { since: 0, check: nonRoot },
      { since: 35, check: unlessOwnUsers(nonRoot) },
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      { since: 23, check: rootUser },
      { since: 35, check: unlessOwnUsers(rootUser) },
    ],
  },
  {
    id: 'seccompProfile_restricted',
    overrides: 'seccompProfile_baseline',
    versions: [
      { since: 19, check: seccomp },
      { since: 25, check: unlessWindows(seccomp) },
    ],
  },
];
