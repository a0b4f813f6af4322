/**
 * The kinds of the cluster. `kind.ts` says what a kind is, `define.ts` what most kinds have in common, and
 * each file below `core/`, `apps/`, ... is one kind; `builtin.ts` lists them.
 */
export type { ArraySchema, ObjectSchema, Schema } from '@periplus/apimachinery';
export { type AddressRange, addressRange, addressText, isInRange, isIpv6Range } from './addresses.ts';
export { type ControllerRevision, controllerRevision } from './apps/controller-revision.ts';
export { type DaemonSet, daemonSet } from './apps/daemon-set.ts';
export { type Deployment, deployment } from './apps/deployment.ts';
export { type ReplicaSet, replicaSet } from './apps/replica-set.ts';
export { type StatefulSet, statefulSet } from './apps/stateful-set.ts';
export { type SelfSubjectReview, selfSubjectReview } from './authentication/self-subject-review.ts';
export { type TokenReview, tokenReview } from './authentication/token-review.ts';
export {
  type LocalSubjectAccessReview,
  localSubjectAccessReview,
} from './authorization/local-subject-access-review.ts';
export { type SelfSubjectAccessReview, selfSubjectAccessReview } from './authorization/self-subject-access-review.ts';
export { type SelfSubjectRulesReview, selfSubjectRulesReview } from './authorization/self-subject-rules-review.ts';
export { type SubjectAccessReview, subjectAccessReview } from './authorization/subject-access-review.ts';
export { type HorizontalPodAutoscaler, horizontalPodAutoscaler } from './autoscaling/horizontal-pod-autoscaler.ts';
export {
  type HorizontalPodAutoscalerV1,
  horizontalPodAutoscalerV1,
} from './autoscaling/horizontal-pod-autoscaler-v1.ts';
export { type CronJob, cronJob } from './batch/cron-job.ts';
export { type CronSchedule, type FieldSchedule, parseSchedule } from './batch/cron-schedule.ts';
export { type Interval as IndexInterval, parseIndexes } from './batch/indexes.ts';
export { type Job, job } from './batch/job.ts';
export { timeZoneProblem } from './batch/time-zone.ts';
export { builtinKinds } from './builtin.ts';
export {
  type CertificateSigningRequest,
  certificateSigningRequest,
} from './certificates/certificate-signing-request.ts';
export { type Lease, lease } from './coordination/lease.ts';
export { binding } from './core/binding.ts';
export { type ComponentStatus, componentStatus } from './core/component-status.ts';
export { type ConfigMap, configMap } from './core/config-map.ts';
export { type Endpoints, endpoints } from './core/endpoints.ts';
export { type CoreEvent, coreEvent } from './core/event.ts';
export {
  dayOf,
  INVALID_SINCE,
  LAST_USED,
  SERVICE_ACCOUNT_TOKEN,
  startOfDay,
  TOKEN_TRACKING,
} from './core/legacy-token.ts';
export { type LimitRange, limitRange } from './core/limit-range.ts';
export { type Namespace, namespace } from './core/namespace.ts';
export { type Node, node } from './core/node.ts';
export {
  matchesNodeSelector,
  matchesRequired,
  type NodeAffinity,
  namedNodes,
  preferredWeight,
} from './core/node-affinity.ts';
export { type PersistentVolume, PV_PROTECTION, persistentVolume } from './core/persistent-volume.ts';
export { type PersistentVolumeClaim, PVC_PROTECTION, persistentVolumeClaim } from './core/persistent-volume-claim.ts';
export { type Pod, pod } from './core/pod.ts';
export { claimConflict, claimNameOf, claimNamesOf } from './core/pod-claims.ts';
export { type QosClass, qosClassOf } from './core/pod-qos.ts';
export { references, referencesAny, SECRET_SOURCES } from './core/pod-references.ts';
export {
  CLAIM_PROTECTION,
  isReservedFor,
  resourceClaimConflict,
  resourceClaimNameOf,
  resourceClaimNamesOf,
} from './core/pod-resource-claims.ts';
export { type PodTemplate, podTemplate } from './core/pod-template.ts';
export { type ReplicationController, replicationController } from './core/replication-controller.ts';
export { type ResourceQuota, resourceQuota } from './core/resource-quota.ts';
export { type Secret, secret } from './core/secret.ts';
export { type Service, service } from './core/service.ts';
export { type ServiceAccount, serviceAccount } from './core/service-account.ts';
export { isTolerated, type Taint, tolerates } from './core/toleration.ts';
export { newestOf } from './default-class.ts';
export { defineKind, type KindDefinition } from './define.ts';
export { type Definition, type Definitions, definitions, definitionsDigest } from './definitions.ts';
export { type EndpointSlice, endpointSlice } from './discovery/endpoint-slice.ts';
export { sameValue } from './equality.ts';
export { type Event, event } from './events/event.ts';
export { type FlowSchema, flowSchema } from './flowcontrol/flow-schema.ts';
export { everythingOf, MANDATORY_FLOW_SCHEMAS, MANDATORY_PRIORITY_LEVELS } from './flowcontrol/mandatory.ts';
export {
  type PriorityLevelConfiguration,
  priorityLevelConfiguration,
} from './flowcontrol/priority-level-configuration.ts';
export type { Column, Kind, ScalePaths, UpdatedPart } from './kind.ts';
export { lenientAddress } from './lenient-addresses.ts';
export { type NodeMetrics, nodeMetrics } from './metrics/node-metrics.ts';
export { type PodMetrics, podMetrics } from './metrics/pod-metrics.ts';
export type { ResourceUsage } from './metrics/usage.ts';
export { type Ingress, ingress } from './networking/ingress.ts';
export { type IngressClass, ingressClass, isDefaultIngressClass } from './networking/ingress-class.ts';
export { type IPAddress, ipAddress } from './networking/ip-address.ts';
export { type NetworkPolicy, networkPolicy } from './networking/network-policy.ts';
export {
  addressesOf,
  addressOfService,
  hasAllocatorLabels,
  isAllocatedAddress,
  serviceOfAddress,
} from './networking/service-address.ts';
export {
  DEFAULT_SERVICE_CIDR,
  isReadyServiceCIDR,
  SERVICE_CIDR_PROTECTION,
  type ServiceCIDR,
  serviceCIDR,
} from './networking/service-cidr.ts';
export { type RuntimeClass, runtimeClass } from './node/runtime-class.ts';
export { checkNodeAffinity } from './pod-spec/affinity.ts';
export { type Amounts, amountsOf, podLimits, podRequests } from './pod-spec/pod-resources.ts';
export { type PodDisruptionBudget, podDisruptionBudget } from './policy/pod-disruption-budget.ts';
export { isInScope } from './quota/scopes.ts';
export { quotaUsage, unsaid } from './quota/usage.ts';
export { type ClusterRole, clusterRole } from './rbac/cluster-role.ts';
export { type ClusterRoleBinding, clusterRoleBinding } from './rbac/cluster-role-binding.ts';
export { type Role, role } from './rbac/role.ts';
export { type RoleBinding, roleBinding } from './rbac/role-binding.ts';
export { KindRegistry } from './registry.ts';
export { type DeviceClass, deviceClass } from './resource/device-class.ts';
export {
  CompileError,
  compileDeviceSelector,
  type DeviceSelector,
  EvaluationError,
} from './resource/device-selector.ts';
export { type ResourceClaim, resourceClaim } from './resource/resource-claim.ts';
export { type ResourceClaimTemplate, resourceClaimTemplate } from './resource/resource-claim-template.ts';
export { type ResourceSlice, resourceSlice } from './resource/resource-slice.ts';
export { type Scale, scaleColumns, scaleOf } from './scale.ts';
export { POD_GROUP_SCHEDULED, type PodGroup, podGroup } from './scheduling/pod-group.ts';
export { type PriorityClass, priorityClass, SYSTEM_PRIORITY_CLASSES } from './scheduling/priority-class.ts';
export { type CSIDriver, csiDriver } from './storage/csi-driver.ts';
export { type CSINode, csiNode } from './storage/csi-node.ts';
export { type CSIStorageCapacity, csiStorageCapacity } from './storage/csi-storage-capacity.ts';
export {
  keeperOf,
  NODE_LOCAL_FINALIZER,
  NODE_LOCAL_PROVISIONER,
  VOLUME_DIRECTORY_ANNOTATION,
  VOLUME_NODE_ANNOTATION,
} from './storage/node-local.ts';
export { isDefaultStorageClass, type StorageClass, storageClass } from './storage/storage-class.ts';
export { leavesClassOpen, storageClassOf } from './storage/storage-class-of.ts';
export { CONTROLLER_ATTACHES, type VolumeAttachment, volumeAttachment } from './storage/volume-attachment.ts';
export {
  VAC_PROTECTION,
  type VolumeAttributesClass,
  volumeAttributesClass,
} from './storage/volume-attributes-class.ts';
export {
  annotationOf,
  isHeldFor,
  matchingVolume,
  VOLUME_ANNOTATION,
  volumeMismatch,
} from './storage/volume-binding.ts';
export type { Stored } from './stored.ts';
