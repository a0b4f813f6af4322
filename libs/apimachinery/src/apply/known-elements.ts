/*
 * The storage format: what is stored names an element by its place in these lists. Names may be put behind the last of
 * FIELDS or of ITEMS, up to their limits; none may ever be moved, changed or taken out.
 */

/** The fields of the built-in kinds of Kubernetes 1.36. */
const FIELDS = `
  apiVersion kind metadata annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers
  generateName generation labels managedFields fieldsType fieldsV1 manager operation subresource time name namespace
  ownerReferences blockOwnerDeletion controller uid resourceVersion selfLink spec activeDeadlineSeconds affinity
  nodeAffinity preferredDuringSchedulingIgnoredDuringExecution preference matchExpressions key operator values
  matchFields weight requiredDuringSchedulingIgnoredDuringExecution nodeSelectorTerms podAffinity podAffinityTerm
  labelSelector matchLabels matchLabelKeys mismatchLabelKeys namespaceSelector namespaces topologyKey podAntiAffinity
  automountServiceAccountToken containers args command env value valueFrom configMapKeyRef optional fieldRef fieldPath
  fileKeyRef path volumeName resourceFieldRef containerName divisor resource secretKeyRef envFrom configMapRef prefix
  secretRef image imagePullPolicy lifecycle postStart exec httpGet host httpHeaders port scheme sleep seconds
  tcpSocket preStop stopSignal livenessProbe failureThreshold grpc service initialDelaySeconds periodSeconds
  successThreshold terminationGracePeriodSeconds timeoutSeconds ports containerPort hostIP hostPort protocol
  readinessProbe resizePolicy resourceName restartPolicy resources claims request limits requests restartPolicyRules
  action exitCodes securityContext allowPrivilegeEscalation appArmorProfile localhostProfile type capabilities add
  drop privileged procMount readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions level role user
  seccompProfile windowsOptions gmsaCredentialSpec gmsaCredentialSpecName hostProcess runAsUserName startupProbe stdin
  stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices devicePath volumeMounts mountPath
  mountPropagation readOnly recursiveReadOnly subPath subPathExpr workingDir dnsConfig nameservers options searches
  dnsPolicy enableServiceLinks ephemeralContainers targetContainerName hostAliases hostnames ip hostIPC hostNetwork
  hostPID hostUsers hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead
  preemptionPolicy priority priorityClassName readinessGates conditionType resourceClaims resourceClaimName
  resourceClaimTemplateName runtimeClassName schedulerName schedulingGates schedulingGroup podGroupName fsGroup
  fsGroupChangePolicy seLinuxChangePolicy supplementalGroups supplementalGroupsPolicy sysctls serviceAccount
  serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain tolerations effect tolerationSeconds
  topologySpreadConstraints maxSkew minDomains nodeAffinityPolicy nodeTaintsPolicy whenUnsatisfiable volumes
  awsElasticBlockStore fsType partition volumeID azureDisk cachingMode diskName diskURI azureFile secretName shareName
  cephfs monitors secretFile cinder configMap defaultMode items mode csi driver nodePublishSecretRef volumeAttributes
  downwardAPI emptyDir medium sizeLimit ephemeral volumeClaimTemplate accessModes dataSource apiGroup dataSourceRef
  selector storageClassName volumeAttributesClassName volumeMode fc lun targetWWNs wwids flexVolume flocker
  datasetName datasetUUID gcePersistentDisk pdName gitRepo directory repository revision glusterfs endpoints hostPath
  pullPolicy reference iscsi chapAuthDiscovery chapAuthSession initiatorName iqn iscsiInterface portals targetPortal
  nfs server persistentVolumeClaim claimName photonPersistentDisk pdID portworxVolume projected sources
  clusterTrustBundle signerName podCertificate certificateChainPath credentialBundlePath keyPath keyType
  maxExpirationSeconds userAnnotations secret serviceAccountToken audience expirationSeconds quobyte group registry
  tenant volume rbd keyring pool scaleIO gateway protectionDomain sslEnabled storageMode storagePool system storageos
  volumeNamespace vsphereVolume storagePolicyID storagePolicyName volumePath status allocatedResources conditions
  lastProbeTime lastTransitionTime message observedGeneration reason containerStatuses allocatedResourcesStatus health
  resourceID containerID imageID lastState running startedAt terminated exitCode finishedAt signal waiting ready
  restartCount started state linux gid volumeStatus imageRef ephemeralContainerStatuses extendedResourceClaimStatus
  requestMappings requestName hostIPs initContainerStatuses nodeAllocatableResourceClaimStatuses nominatedNodeName
  phase podIP podIPs qosClass resize resourceClaimStatuses startTime count eventTime firstTimestamp involvedObject
  lastTimestamp related reportingComponent reportingInstance series lastObservedTime source component deprecatedCount
  deprecatedFirstTimestamp deprecatedLastTimestamp deprecatedSource note regarding reportingController configSource
  kubeletConfigKey externalID podCIDR podCIDRs providerID taints timeAdded unschedulable addresses address allocatable
  capacity lastHeartbeatTime config active assigned error lastKnownGood daemonEndpoints kubeletEndpoint Port
  declaredFeatures features images names sizeBytes nodeInfo architecture bootID containerRuntimeVersion kernelVersion
  kubeProxyVersion kubeletVersion machineID operatingSystem osImage swap systemUUID runtimeHandlers
  recursiveReadOnlyMounts userNamespaces volumesAttached volumesInUse minReadySeconds paused progressDeadlineSeconds
  replicas revisionHistoryLimit strategy rollingUpdate maxSurge maxUnavailable template availableReplicas
  collisionCount lastUpdateTime readyReplicas terminatingReplicas unavailableReplicas updatedReplicas
  fullyLabeledReplicas allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName
  externalTrafficPolicy healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass
  loadBalancerIP loadBalancerSourceRanges appProtocol nodePort targetPort publishNotReadyAddresses sessionAffinity
  sessionAffinityConfig clientIP trafficDistribution loadBalancer ingress ipMode addressType serving terminating
  deprecatedTopology hints forNodes forZones targetRef zone binaryData data immutable stringData subsets
  notReadyAddresses default defaultRequest max maxLimitRequestRatio min allocatedResourceStatuses
  currentVolumeAttributesClassName modifyVolumeStatus targetVolumeAttributesClassName secretNamespace claimRef
  controllerExpandSecretRef controllerPublishSecretRef nodeExpandSecretRef nodeStageSecretRef volumeHandle
  endpointsNamespace local mountOptions required persistentVolumeReclaimPolicy lastPhaseTransitionTime hard
  scopeSelector scopeName scopes used secrets updateStrategy currentNumberScheduled desiredNumberScheduled
  numberAvailable numberMisscheduled numberReady numberUnavailable updatedNumberScheduled ordinals start
  persistentVolumeClaimRetentionPolicy whenDeleted whenScaled podManagementPolicy serviceName volumeClaimTemplates
  currentReplicas currentRevision updateRevision userInfo extra groups username audiences token authenticated
  nonResourceAttributes verb resourceAttributes fieldSelector rawSelector requirements version allowed denied
  evaluationError incomplete nonResourceRules nonResourceURLs verbs resourceRules apiGroups resourceNames behavior
  scaleDown policies selectPolicy stabilizationWindowSeconds tolerance scaleUp maxReplicas metrics containerResource
  container target averageUtilization averageValue external metric object describedObject pods minReplicas
  scaleTargetRef currentMetrics current desiredReplicas lastScaleTime targetCPUUtilizationPercentage
  currentCPUUtilizationPercentage concurrencyPolicy failedJobsHistoryLimit jobTemplate backoffLimit
  backoffLimitPerIndex completionMode completions managedBy manualSelector maxFailedIndexes parallelism
  podFailurePolicy rules onExitCodes onPodConditions podReplacementPolicy successPolicy succeededCount
  succeededIndexes suspend ttlSecondsAfterFinished schedule startingDeadlineSeconds successfulJobsHistoryLimit
  timeZone lastScheduleTime lastSuccessfulTime completedIndexes completionTime failed failedIndexes succeeded
  uncountedTerminatedPods usages certificate parameters scope defaultBackend number ingressClassName http paths
  backend pathType tls hosts parentRef egress endPort to ipBlock cidr except podSelector from policyTypes cidrs
  minAvailable unhealthyPodEvictionPolicy currentHealthy desiredHealthy disruptedPods disruptionsAllowed expectedPods
  roleRef subjects aggregationRule clusterRoleSelectors attachRequired fsGroupPolicy
  nodeAllocatableUpdatePeriodSeconds podInfoOnMount preventPodSchedulingIfMissing requiresRepublish seLinuxMount
  serviceAccountTokenInSecrets storageCapacity tokenRequests volumeLifecycleModes drivers nodeID topologyKeys
  maximumVolumeSize nodeTopology allowVolumeExpansion allowedTopologies matchLabelExpressions provisioner
  reclaimPolicy volumeBindingMode attacher inlineVolumeSpec persistentVolumeName attachError errorCode attached
  attachmentMetadata detachError driverName description globalDefault acquireTime holderIdentity leaseDurationSeconds
  leaseTransitions preferredHolder renewTime handler podFixed scheduling distinguisherMethod matchingPrecedence
  priorityLevelConfiguration clusterScope exempt lendablePercent nominalConcurrencyShares limited
  borrowingLimitPercent limitResponse queuing handSize queueLengthLimit queues
  devices opaque constraints distinctAttribute matchAttribute exactly adminAccess allocationMode deviceClassName
  selectors cel expression firstAvailable allocation allocationTimestamp results bindingConditions
  bindingFailureConditions consumedCapacity device shareID networkData hardwareAddress interfaceName ips reservedFor
  extendedResourceName allNodes allowMultipleAllocations attributes bool bools int ints string strings versions
  bindsToNode requestPolicy validRange step validValues consumesCounters counterSet counters
  nodeAllocatableResourceMappings allocationMultiplier capacityKey perDeviceNodeSelection resourceSliceCount
  sharedCounters
`;

/** Keys of list items that most objects of their kind have. */
const ITEMS: readonly string[] = [
  'k:{"type":"Ready"}',
  'k:{"type":"Initialized"}',
  'k:{"type":"ContainersReady"}',
  'k:{"type":"PodScheduled"}',
  'k:{"type":"PodReadyToStartContainers"}',
  'k:{"type":"Available"}',
  'k:{"type":"Progressing"}',
  'k:{"type":"MemoryPressure"}',
  'k:{"type":"DiskPressure"}',
  'k:{"type":"PIDPressure"}',
];

/** Where the fields begin: in front of them are `.` and the items. */
const ITEMS_MAX = 63;

/** Elements of sets of fields by their places. Places without an element are for later. */
export const KNOWN_ELEMENTS: readonly (string | undefined)[] = [
  '.',
  ...Array.from({ length: ITEMS_MAX }, (_, i) => ITEMS[i]),
  ...FIELDS.trim()
    .split(/\s+/)
    .map((name) => `f:${name}`),
];
