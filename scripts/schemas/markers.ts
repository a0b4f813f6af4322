/**
 * What the declarations do not say: which lists are sets or maps, and which objects are merged in a
 * special way. Taken from the markers of the Go types (+listType, +listMapKey, +structType,
 * patchStrategy, patchMergeKey). Under a definition's id, '' stands for the definition itself and the
 * other names for its properties. Lists not named here are atomic: a patch replaces them. A map names the
 * keys of server-side apply; strategic merge patch uses the first of them.
 */
export type ListMarker = 'set' | `map ${string}`;
export interface Markers {
  ''?: 'atomic' | 'retainKeys';
  [property: string]: ListMarker | 'atomic' | 'retainKeys' | undefined;
}

const conditions = { conditions: 'map type' } as const;
const container: Markers = {
  env: 'map name',
  ports: 'map containerPort protocol',
  volumeDevices: 'map devicePath',
  volumeMounts: 'map mountPath',
};
const webhook: Markers = { matchConditions: 'map name' };
const policy: Markers = { matchConditions: 'map name', variables: 'map name' };
const atomic: Markers = { '': 'atomic' };
const retainKeys: Markers = { '': 'retainKeys' };

export const markers: Readonly<Record<string, Markers>> = {
  'meta/v1.ObjectMeta': { finalizers: 'set', ownerReferences: 'map uid' },
  'meta/v1.LabelSelector': atomic,
  'meta/v1.OwnerReference': atomic,

  'v1.ConfigMapKeySelector': atomic,
  'v1.Container': container,
  'v1.ContainerStatus': { volumeMounts: 'map mountPath' },
  'v1.EphemeralContainer': container,
  'v1.FileKeySelector': atomic,
  'v1.LocalObjectReference': atomic,
  'v1.NamespaceStatus': conditions,
  'v1.NodeSelector': atomic,
  'v1.NodeSelectorTerm': atomic,
  'v1.NodeSpec': { podCIDRs: 'set' },
  'v1.NodeStatus': { addresses: 'map type', ...conditions },
  'v1.ObjectFieldSelector': atomic,
  'v1.ObjectReference': atomic,
  'v1.PersistentVolumeClaimStatus': conditions,
  'v1.PodResourceClaim': retainKeys,
  'v1.PodSpec': {
    containers: 'map name',
    ephemeralContainers: 'map name',
    hostAliases: 'map ip',
    imagePullSecrets: 'map name',
    initContainers: 'map name',
    resourceClaims: 'map name',
    schedulingGates: 'map name',
    topologySpreadConstraints: 'map topologyKey whenUnsatisfiable',
    volumes: 'map name',
  },
  'v1.PodStatus': { ...conditions, podIPs: 'map ip', resourceClaimStatuses: 'map name' },
  'v1.ReplicationControllerStatus': conditions,
  'v1.ResourceFieldSelector': atomic,
  'v1.ResourceRequirements': { claims: 'map name' },
  'v1.ScopeSelector': atomic,
  'v1.SecretKeySelector': atomic,
  'v1.SecretReference': atomic,
  'v1.ServiceAccount': { secrets: 'map name' },
  'v1.ServiceSpec': { ports: 'map port protocol' },
  'v1.ServiceStatus': conditions,
  'v1.TopologySelectorTerm': atomic,
  'v1.TypedLocalObjectReference': atomic,
  'v1.Volume': retainKeys,

  'admissionregistration.k8s.io/v1.MutatingWebhook': webhook,
  'admissionregistration.k8s.io/v1.ValidatingWebhook': webhook,
  'admissionregistration.k8s.io/v1.MutatingWebhookConfiguration': { webhooks: 'map name' },
  'admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration': { webhooks: 'map name' },
  'admissionregistration.k8s.io/v1.MutatingAdmissionPolicySpec': policy,
  'admissionregistration.k8s.io/v1.ValidatingAdmissionPolicySpec': policy,
  'apiextensions.k8s.io/v1.CustomResourceDefinitionStatus': conditions,
  'apiregistration.k8s.io/v1.APIServiceStatus': conditions,
  'apps/v1.DaemonSetStatus': conditions,
  'apps/v1.DeploymentStatus': conditions,
  'apps/v1.DeploymentStrategy': retainKeys,
  'apps/v1.ReplicaSetStatus': conditions,
  'apps/v1.StatefulSetStatus': conditions,
  'autoscaling/v2.HorizontalPodAutoscalerStatus': conditions,
  'batch/v1.JobStatus': conditions,
  'flowcontrol.apiserver.k8s.io/v1.FlowSchemaStatus': conditions,
  'flowcontrol.apiserver.k8s.io/v1.PriorityLevelConfigurationStatus': conditions,
  'policy/v1.PodDisruptionBudgetStatus': conditions,
  'rbac.authorization.k8s.io/v1.RoleRef': atomic,
  'rbac.authorization.k8s.io/v1.Subject': atomic,
  'resource.k8s.io/v1.ResourceClaimStatus': { reservedFor: 'map uid' },
  'storage.k8s.io/v1.CSINodeSpec': { drivers: 'map name' },
};
