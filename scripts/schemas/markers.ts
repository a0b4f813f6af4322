/**
 * What the declarations do not say: which lists are sets or maps, and which objects are merged in a
 * special way. Taken from the markers of the Go types (+listType, +listMapKey, +structType, +mapType,
 * patchStrategy, patchMergeKey). Under a definition's id, '' stands for the definition itself and the
 * other names for its properties. Lists not named here are atomic: a patch replaces them. A map names the
 * keys of server-side apply, with the value of one that may be left out (`protocol=TCP`); strategic merge
 * patch uses the first of them. `apply` and `patch` in front: only that merges the list, to the other it is atomic.
 * Objects and maps that are atomic are one value to server-side apply, but where a property of such a type is `granular`;
 * those that a patch replaces (`replace`) are one to strategic merge patch.
 */
type MergedList = 'set' | `map ${string}`;
export type ListMarker = MergedList | `apply ${MergedList}` | `patch ${MergedList}`;
export interface Markers {
  ''?: 'atomic' | 'retainKeys';
  [property: string]: ListMarker | 'atomic' | 'granular' | 'retainKeys' | 'replace' | undefined;
}

const conditions = { conditions: 'map type' } as const;
const container: Markers = {
  env: 'map name',
  ports: 'map containerPort protocol=TCP',
  volumeDevices: 'map devicePath',
  volumeMounts: 'map mountPath',
};
const webhook: Markers = { matchConditions: 'map name' };
const atomic: Markers = { '': 'atomic' };
const retainKeys: Markers = { '': 'retainKeys' };

export const markers: Readonly<Record<string, Markers>> = {
  'meta/v1.ObjectMeta': { finalizers: 'set', ownerReferences: 'map uid' },
  'meta/v1.LabelSelector': atomic,
  'meta/v1.OwnerReference': atomic,

  'v1.ComponentStatus': conditions,
  'v1.ConfigMapKeySelector': atomic,
  'v1.Container': container,
  'v1.ContainerRestartRuleOnExitCodes': { values: 'apply set' },
  'v1.ContainerStatus': { allocatedResourcesStatus: 'map name', volumeMounts: 'map mountPath' },
  'v1.EndpointAddress': atomic,
  'v1.EndpointPort': atomic,
  'v1.EphemeralContainer': container,
  'v1.FileKeySelector': atomic,
  'v1.LocalObjectReference': atomic,
  'v1.NamespaceStatus': conditions,
  'v1.NodeAllocatableResourceClaimStatus': { containers: 'apply set' },
  'v1.NodeSelector': atomic,
  'v1.NodeSelectorTerm': atomic,
  'v1.NodeSpec': { podCIDRs: 'set' },
  'v1.NodeStatus': { addresses: 'map type', ...conditions },
  'v1.ObjectFieldSelector': atomic,
  'v1.ObjectReference': atomic,
  'v1.PersistentVolumeClaimStatus': conditions,
  'v1.PersistentVolumeSpec': { claimRef: 'granular' },
  'v1.PodResourceClaim': retainKeys,
  'v1.PodResourceClaimStatus': retainKeys,
  'v1.PodSpec': {
    containers: 'map name',
    ephemeralContainers: 'map name',
    hostAliases: 'map ip',
    imagePullSecrets: 'map name',
    initContainers: 'map name',
    nodeSelector: 'atomic',
    resourceClaims: 'map name',
    schedulingGates: 'map name',
    topologySpreadConstraints: 'map topologyKey whenUnsatisfiable',
    volumes: 'map name',
  },
  'v1.PodStatus': { ...conditions, hostIPs: 'patch map ip', podIPs: 'map ip', resourceClaimStatuses: 'map name' },
  'v1.ReplicationControllerSpec': { selector: 'atomic' },
  'v1.ReplicationControllerStatus': conditions,
  'v1.ResourceFieldSelector': atomic,
  'v1.ResourceRequirements': { claims: 'apply map name' },
  'v1.ResourceStatus': { resources: 'apply map resourceID' },
  'v1.ScopeSelector': atomic,
  'v1.SecretKeySelector': atomic,
  'v1.SecretReference': atomic,
  'v1.ServiceAccount': { secrets: 'map name' },
  'v1.ServiceSpec': { ports: 'map port protocol=TCP', selector: 'atomic' },
  'v1.ServiceStatus': conditions,
  'v1.TopologySelectorTerm': atomic,
  'v1.TypedLocalObjectReference': atomic,
  'v1.Volume': retainKeys,

  'admissionregistration.k8s.io/v1.MatchResources': atomic,
  'admissionregistration.k8s.io/v1.MutatingWebhook': webhook,
  'admissionregistration.k8s.io/v1.ValidatingWebhook': webhook,
  'admissionregistration.k8s.io/v1.MutatingWebhookConfiguration': { webhooks: 'map name' },
  'admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration': { webhooks: 'map name' },
  'admissionregistration.k8s.io/v1.MutatingAdmissionPolicySpec': { matchConditions: 'map name' },
  'admissionregistration.k8s.io/v1.NamedRuleWithOperations': atomic,
  'admissionregistration.k8s.io/v1.ParamKind': atomic,
  'admissionregistration.k8s.io/v1.ParamRef': atomic,
  'admissionregistration.k8s.io/v1.ValidatingAdmissionPolicyBindingSpec': { validationActions: 'apply set' },
  'admissionregistration.k8s.io/v1.ValidatingAdmissionPolicySpec': {
    matchConditions: 'map name',
    variables: 'map name',
  },
  'admissionregistration.k8s.io/v1.ValidatingAdmissionPolicyStatus': { conditions: 'apply map type' },
  'admissionregistration.k8s.io/v1.Variable': atomic,
  'apiextensions.k8s.io/v1.CustomResourceDefinitionStatus': { conditions: 'apply map type' },
  'apiregistration.k8s.io/v1.APIServiceStatus': conditions,
  'apps/v1.DaemonSetStatus': conditions,
  'apps/v1.DeploymentStatus': conditions,
  'apps/v1.DeploymentStrategy': retainKeys,
  'apps/v1.ReplicaSetStatus': conditions,
  'apps/v1.StatefulSetStatus': conditions,
  'autoscaling/v2.HorizontalPodAutoscalerStatus': conditions,
  'autoscaling/v1.CrossVersionObjectReference': atomic,
  'batch/v1.JobStatus': { conditions: 'patch map type' },
  'batch/v1.PodFailurePolicyOnExitCodesRequirement': { values: 'apply set' },
  'batch/v1.UncountedTerminatedPods': { failed: 'apply set', succeeded: 'apply set' },
  'certificates.k8s.io/v1.CertificateSigningRequestStatus': { conditions: 'apply map type' },
  'discovery.k8s.io/v1.Endpoint': { addresses: 'apply set' },
  'discovery.k8s.io/v1.EndpointPort': atomic,
  'flowcontrol.apiserver.k8s.io/v1.FlowSchemaStatus': conditions,
  'flowcontrol.apiserver.k8s.io/v1.NonResourcePolicyRule': { nonResourceURLs: 'apply set', verbs: 'apply set' },
  'flowcontrol.apiserver.k8s.io/v1.PriorityLevelConfigurationStatus': conditions,
  'flowcontrol.apiserver.k8s.io/v1.ResourcePolicyRule': {
    apiGroups: 'apply set',
    namespaces: 'apply set',
    resources: 'apply set',
    verbs: 'apply set',
  },
  'networking.k8s.io/v1.ServiceBackendPort': atomic,
  'networking.k8s.io/v1.ServiceCIDRStatus': conditions,
  'node.k8s.io/v1.Scheduling': { nodeSelector: 'atomic' },
  'policy/v1.PodDisruptionBudgetSpec': { selector: 'replace' },
  'policy/v1.PodDisruptionBudgetStatus': conditions,
  'rbac.authorization.k8s.io/v1.RoleRef': atomic,
  'rbac.authorization.k8s.io/v1.Subject': atomic,
  'resource.k8s.io/v1.AllocatedDeviceStatus': { conditions: 'apply map type' },
  'resource.k8s.io/v1.ResourceClaimStatus': {
    devices: 'apply map driver device pool shareID',
    reservedFor: 'map uid',
  },
  'scheduling.k8s.io/v1alpha2.PodGroupStatus': conditions,
  'storage.k8s.io/v1.CSIDriverSpec': { volumeLifecycleModes: 'apply set' },
  'storage.k8s.io/v1.CSINodeSpec': { drivers: 'map name' },
};

/**
 * Members that may be absent and that the Go types write even then, where no default has filled them: times and
 * structs, which Go never takes for empty, and what has no `omitempty`. Structs and plain values are written as they are
 * when nothing is said about them; `null` in front: a pointer or list, of which nothing is there. A list may
 * be required and yet be empty.
 */
export const WRITTEN_UNSET: Readonly<Record<string, readonly string[]>> = {
  'v1.AzureFilePersistentVolumeSource': ['null secretNamespace'],
  'v1.ContainerImage': ['null names'],
  'v1.ContainerStateRunning': ['startedAt'],
  'v1.ContainerStateTerminated': ['startedAt', 'finishedAt'],
  'v1.ContainerStatus': ['state', 'lastState'],
  'v1.Event': ['eventTime', 'firstTimestamp', 'lastTimestamp', 'reportingComponent', 'reportingInstance', 'source'],
  'v1.EventSeries': ['lastObservedTime'],
  'v1.LimitRangeSpec': ['null limits'],
  'v1.NamespaceCondition': ['lastTransitionTime'],
  'v1.NodeCondition': ['lastHeartbeatTime', 'lastTransitionTime'],
  'v1.NodeDaemonEndpoints': ['kubeletEndpoint'],
  'v1.NodeRuntimeHandler': ['name'],
  'v1.NodeStatus': ['daemonEndpoints', 'nodeInfo'],
  'v1.PersistentVolumeClaimCondition': ['lastProbeTime', 'lastTransitionTime'],
  'v1.PersistentVolumeClaimTemplate': ['metadata'],
  'v1.PodCondition': ['lastProbeTime', 'lastTransitionTime'],
  'v1.PodTemplateSpec': ['metadata'],
  'v1.ProjectedVolumeSource': ['null sources'],
  'v1.ReplicationControllerCondition': ['lastTransitionTime'],
  'v1.ResourceFieldSelector': ['divisor'],
  'v1.TypedLocalObjectReference': ['null apiGroup'],
  'v1.TypedObjectReference': ['null apiGroup'],

  'apps/v1.ControllerRevision': ['data'],
  'apps/v1.DaemonSetCondition': ['lastTransitionTime'],
  'apps/v1.DeploymentCondition': ['lastTransitionTime', 'lastUpdateTime'],
  'apps/v1.ReplicaSetCondition': ['lastTransitionTime'],
  'apps/v1.StatefulSetCondition': ['lastTransitionTime'],
  'apps/v1.StatefulSetOrdinals': ['start'],
  'apps/v1.StatefulSetSpec': ['serviceName'],
  'apps/v1.StatefulSetStatus': ['availableReplicas'],
  'autoscaling/v2.HorizontalPodAutoscalerCondition': ['lastTransitionTime'],
  'autoscaling/v2.HorizontalPodAutoscalerStatus': ['null currentMetrics'],
  'batch/v1.JobCondition': ['lastProbeTime', 'lastTransitionTime'],
  'batch/v1.JobTemplateSpec': ['metadata'],
  'batch/v1.PodFailurePolicy': ['null rules'],
  'certificates.k8s.io/v1.CertificateSigningRequestCondition': ['lastTransitionTime', 'lastUpdateTime'],
  'discovery.k8s.io/v1.Endpoint': ['conditions'],
  'discovery.k8s.io/v1.EndpointSlice': ['null endpoints', 'null ports'],
  'flowcontrol.apiserver.k8s.io/v1.FlowSchemaCondition': ['lastTransitionTime'],
  'flowcontrol.apiserver.k8s.io/v1.PriorityLevelConfigurationCondition': ['lastTransitionTime'],
  'flowcontrol.apiserver.k8s.io/v1.ResourcePolicyRule': ['null namespaces'],
  'networking.k8s.io/v1.IngressServiceBackend': ['port'],
  'networking.k8s.io/v1.NetworkPolicySpec': ['podSelector'],
  'policy/v1.PodDisruptionBudgetStatus': ['currentHealthy', 'desiredHealthy', 'disruptionsAllowed', 'expectedPods'],
  'rbac.authorization.k8s.io/v1.ClusterRole': ['null rules'],
  'rbac.authorization.k8s.io/v1.Role': ['null rules'],
  'resource.k8s.io/v1.AllocatedDeviceStatus': ['null conditions'],
  'resource.k8s.io/v1.AllocationResult': ['devices'],
  'resource.k8s.io/v1.CapacityRequestPolicy': ['null default'],
  'resource.k8s.io/v1.DeviceClaim': ['null requests'],
  'resource.k8s.io/v1.ResourceClaimSpec': ['devices'],
  'resource.k8s.io/v1.ResourceClaimTemplateSpec': ['metadata'],
  'scheduling.k8s.io/v1.PriorityClass': ['value'],
  'scheduling.k8s.io/v1alpha2.PodGroupSpec': ['null podGroupTemplateRef'],
  'storage.k8s.io/v1.CSINodeDriver': ['null topologyKeys'],
  'storage.k8s.io/v1.CSINodeSpec': ['null drivers'],
  'storage.k8s.io/v1.VolumeError': ['time'],
};
