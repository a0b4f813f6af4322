/**
 * The messages of Kubernetes' protobuf encoding, release 1.36, of what is sent and answered: field numbers and types as
 * facts, one message a line. A field reads `<number><JSON name>:<type><flags>`.
 *
 * Types: s string, b bool, i integer, x bytes, the name of a message (`.Name` in the same package), `[]` before it for
 * a list and `{}` for a map; `^` marks a list that is a message of its own (`items = 1`). A field without a name is
 * written into its parent. Flags: `?` may be absent where a zero value is meant (a pointer in Go), `!` is written
 * even when it is zero (no `omitempty`).
 */
export const MESSAGES = `
admissionregistration/v1.ApplyConfiguration 1expression:s
admissionregistration/v1.AuditAnnotation 1key:s! 2valueExpression:s!
admissionregistration/v1.ExpressionWarning 2fieldRef:s! 3warning:s!
admissionregistration/v1.JSONPatch 1expression:s
admissionregistration/v1.MatchCondition 1name:s! 2expression:s!
admissionregistration/v1.MatchResources 1namespaceSelector:meta/v1.LabelSelector? 2objectSelector:meta/v1.LabelSelector? 3resourceRules:[].NamedRuleWithOperations 4excludeResourceRules:[].NamedRuleWithOperations 7matchPolicy:s?
admissionregistration/v1.MutatingAdmissionPolicy 1metadata:meta/v1.ObjectMeta 2spec:.MutatingAdmissionPolicySpec
admissionregistration/v1.MutatingAdmissionPolicyBinding 1metadata:meta/v1.ObjectMeta 2spec:.MutatingAdmissionPolicyBindingSpec
admissionregistration/v1.MutatingAdmissionPolicyBindingSpec 1policyName:s 2paramRef:.ParamRef? 3matchResources:.MatchResources?
admissionregistration/v1.MutatingAdmissionPolicySpec 1paramKind:.ParamKind? 2matchConstraints:.MatchResources? 3variables:[].Variable 4mutations:[].Mutation 5failurePolicy:s? 6matchConditions:[].MatchCondition 7reinvocationPolicy:s
admissionregistration/v1.MutatingWebhook 1name:s! 2clientConfig:.WebhookClientConfig! 3rules:[].RuleWithOperations 4failurePolicy:s? 9matchPolicy:s? 5namespaceSelector:meta/v1.LabelSelector? 11objectSelector:meta/v1.LabelSelector? 6sideEffects:s?! 7timeoutSeconds:i? 8admissionReviewVersions:[]s! 10reinvocationPolicy:s? 12matchConditions:[].MatchCondition
admissionregistration/v1.MutatingWebhookConfiguration 1metadata:meta/v1.ObjectMeta 2webhooks:[].MutatingWebhook
admissionregistration/v1.Mutation 2patchType:s! 3applyConfiguration:.ApplyConfiguration? 4jsonPatch:.JSONPatch?
admissionregistration/v1.NamedRuleWithOperations 1resourceNames:[]s 2:.RuleWithOperations
admissionregistration/v1.ParamKind 1apiVersion:s 2kind:s
admissionregistration/v1.ParamRef 1name:s 2namespace:s 3selector:meta/v1.LabelSelector? 4parameterNotFoundAction:s?
admissionregistration/v1.Rule 1apiGroups:[]s 2apiVersions:[]s 3resources:[]s 4scope:s?
admissionregistration/v1.RuleWithOperations 1operations:[]s 2:.Rule
admissionregistration/v1.ServiceReference 1namespace:s! 2name:s! 3path:s? 4port:i?
admissionregistration/v1.TypeChecking 1expressionWarnings:[].ExpressionWarning
admissionregistration/v1.ValidatingAdmissionPolicy 1metadata:meta/v1.ObjectMeta 2spec:.ValidatingAdmissionPolicySpec 3status:.ValidatingAdmissionPolicyStatus
admissionregistration/v1.ValidatingAdmissionPolicyBinding 1metadata:meta/v1.ObjectMeta 2spec:.ValidatingAdmissionPolicyBindingSpec
admissionregistration/v1.ValidatingAdmissionPolicyBindingSpec 1policyName:s 2paramRef:.ParamRef? 3matchResources:.MatchResources? 4validationActions:[]s
admissionregistration/v1.ValidatingAdmissionPolicySpec 1paramKind:.ParamKind? 2matchConstraints:.MatchResources? 3validations:[].Validation 4failurePolicy:s? 5auditAnnotations:[].AuditAnnotation 6matchConditions:[].MatchCondition 7variables:[].Variable
admissionregistration/v1.ValidatingAdmissionPolicyStatus 1observedGeneration:i 2typeChecking:.TypeChecking? 3conditions:[]meta/v1.Condition
admissionregistration/v1.ValidatingWebhook 1name:s! 2clientConfig:.WebhookClientConfig! 3rules:[].RuleWithOperations 4failurePolicy:s? 9matchPolicy:s? 5namespaceSelector:meta/v1.LabelSelector? 10objectSelector:meta/v1.LabelSelector? 6sideEffects:s?! 7timeoutSeconds:i? 8admissionReviewVersions:[]s! 11matchConditions:[].MatchCondition
admissionregistration/v1.ValidatingWebhookConfiguration 1metadata:meta/v1.ObjectMeta 2webhooks:[].ValidatingWebhook
admissionregistration/v1.Validation 1expression:s! 2message:s 3reason:s? 4messageExpression:s
admissionregistration/v1.Variable 1name:s! 2expression:s!
admissionregistration/v1.WebhookClientConfig 3url:s? 1service:.ServiceReference? 2caBundle:x
apps/v1.ControllerRevision 1metadata:meta/v1.ObjectMeta 2data:RawExtension 3revision:i!
apps/v1.DaemonSet 1metadata:meta/v1.ObjectMeta 2spec:.DaemonSetSpec 3status:.DaemonSetStatus
apps/v1.DaemonSetCondition 1type:s! 2status:s! 3lastTransitionTime:Time 4reason:s 5message:s
apps/v1.DaemonSetSpec 1selector:meta/v1.LabelSelector?! 2template:core/v1.PodTemplateSpec! 3updateStrategy:.DaemonSetUpdateStrategy 4minReadySeconds:i 6revisionHistoryLimit:i?
apps/v1.DaemonSetStatus 1currentNumberScheduled:i! 2numberMisscheduled:i! 3desiredNumberScheduled:i! 4numberReady:i! 5observedGeneration:i 6updatedNumberScheduled:i 7numberAvailable:i 8numberUnavailable:i 9collisionCount:i? 10conditions:[].DaemonSetCondition
apps/v1.DaemonSetUpdateStrategy 1type:s 2rollingUpdate:.RollingUpdateDaemonSet?
apps/v1.Deployment 1metadata:meta/v1.ObjectMeta 2spec:.DeploymentSpec 3status:.DeploymentStatus
apps/v1.DeploymentCondition 1type:s! 2status:s! 6lastUpdateTime:Time 7lastTransitionTime:Time 4reason:s 5message:s
apps/v1.DeploymentSpec 1replicas:i? 2selector:meta/v1.LabelSelector?! 3template:core/v1.PodTemplateSpec! 4strategy:.DeploymentStrategy 5minReadySeconds:i 6revisionHistoryLimit:i? 7paused:b 9progressDeadlineSeconds:i?
apps/v1.DeploymentStatus 1observedGeneration:i 2replicas:i 3updatedReplicas:i 7readyReplicas:i 4availableReplicas:i 5unavailableReplicas:i 9terminatingReplicas:i? 6conditions:[].DeploymentCondition 8collisionCount:i?
apps/v1.DeploymentStrategy 1type:s 2rollingUpdate:.RollingUpdateDeployment?
apps/v1.ReplicaSet 1metadata:meta/v1.ObjectMeta 2spec:.ReplicaSetSpec 3status:.ReplicaSetStatus
apps/v1.ReplicaSetCondition 1type:s! 2status:s! 3lastTransitionTime:Time 4reason:s 5message:s
apps/v1.ReplicaSetSpec 1replicas:i? 4minReadySeconds:i 2selector:meta/v1.LabelSelector?! 3template:core/v1.PodTemplateSpec
apps/v1.ReplicaSetStatus 1replicas:i! 2fullyLabeledReplicas:i 4readyReplicas:i 5availableReplicas:i 7terminatingReplicas:i? 3observedGeneration:i 6conditions:[].ReplicaSetCondition
apps/v1.RollingUpdateDaemonSet 1maxUnavailable:IntOrString? 2maxSurge:IntOrString?
apps/v1.RollingUpdateDeployment 1maxUnavailable:IntOrString? 2maxSurge:IntOrString?
apps/v1.RollingUpdateStatefulSetStrategy 1partition:i? 2maxUnavailable:IntOrString?
apps/v1.StatefulSet 1metadata:meta/v1.ObjectMeta 2spec:.StatefulSetSpec 3status:.StatefulSetStatus
apps/v1.StatefulSetCondition 1type:s! 2status:s! 3lastTransitionTime:Time 4reason:s 5message:s
apps/v1.StatefulSetOrdinals 1start:i!
apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy 1whenDeleted:s 2whenScaled:s
apps/v1.StatefulSetSpec 1replicas:i? 2selector:meta/v1.LabelSelector?! 3template:core/v1.PodTemplateSpec! 4volumeClaimTemplates:[]core/v1.PersistentVolumeClaim 5serviceName:s! 6podManagementPolicy:s 7updateStrategy:.StatefulSetUpdateStrategy 8revisionHistoryLimit:i? 9minReadySeconds:i 10persistentVolumeClaimRetentionPolicy:.StatefulSetPersistentVolumeClaimRetentionPolicy? 11ordinals:.StatefulSetOrdinals?
apps/v1.StatefulSetStatus 1observedGeneration:i 2replicas:i! 3readyReplicas:i 4currentReplicas:i 5updatedReplicas:i 6currentRevision:s 7updateRevision:s 9collisionCount:i? 10conditions:[].StatefulSetCondition 11availableReplicas:i!
apps/v1.StatefulSetUpdateStrategy 1type:s 2rollingUpdate:.RollingUpdateStatefulSetStrategy?
authentication/v1.BoundObjectReference 1kind:s 2apiVersion:s 3name:s 4uid:s
authentication/v1.SelfSubjectReview 1metadata:meta/v1.ObjectMeta 2status:.SelfSubjectReviewStatus
authentication/v1.SelfSubjectReviewStatus 1userInfo:.UserInfo
authentication/v1.TokenRequest 1metadata:meta/v1.ObjectMeta 2spec:.TokenRequestSpec! 3status:.TokenRequestStatus
authentication/v1.TokenRequestSpec 1audiences:[]s! 4expirationSeconds:i?! 3boundObjectRef:.BoundObjectReference?!
authentication/v1.TokenRequestStatus 1token:s! 2expirationTimestamp:Time!
authentication/v1.TokenReview 1metadata:meta/v1.ObjectMeta 2spec:.TokenReviewSpec! 3status:.TokenReviewStatus
authentication/v1.TokenReviewSpec 1token:s 2audiences:[]s
authentication/v1.TokenReviewStatus 1authenticated:b 2user:.UserInfo 4audiences:[]s 3error:s
authentication/v1.UserInfo 1username:s 2uid:s 3groups:[]s 4extra:{}[]s^
authorization/v1.FieldSelectorAttributes 1rawSelector:s 2requirements:[]meta/v1.FieldSelectorRequirement
authorization/v1.LabelSelectorAttributes 1rawSelector:s 2requirements:[]meta/v1.LabelSelectorRequirement
authorization/v1.LocalSubjectAccessReview 1metadata:meta/v1.ObjectMeta 2spec:.SubjectAccessReviewSpec! 3status:.SubjectAccessReviewStatus
authorization/v1.NonResourceAttributes 1path:s 2verb:s
authorization/v1.NonResourceRule 1verbs:[]s! 2nonResourceURLs:[]s
authorization/v1.ResourceAttributes 1namespace:s 2verb:s 3group:s 4version:s 5resource:s 6subresource:s 7name:s 8fieldSelector:.FieldSelectorAttributes? 9labelSelector:.LabelSelectorAttributes?
authorization/v1.ResourceRule 1verbs:[]s! 2apiGroups:[]s 3resources:[]s 4resourceNames:[]s
authorization/v1.SelfSubjectAccessReview 1metadata:meta/v1.ObjectMeta 2spec:.SelfSubjectAccessReviewSpec! 3status:.SubjectAccessReviewStatus
authorization/v1.SelfSubjectAccessReviewSpec 1resourceAttributes:.ResourceAttributes? 2nonResourceAttributes:.NonResourceAttributes?
authorization/v1.SelfSubjectRulesReview 1metadata:meta/v1.ObjectMeta 2spec:.SelfSubjectRulesReviewSpec! 3status:.SubjectRulesReviewStatus
authorization/v1.SelfSubjectRulesReviewSpec 1namespace:s
authorization/v1.SubjectAccessReview 1metadata:meta/v1.ObjectMeta 2spec:.SubjectAccessReviewSpec! 3status:.SubjectAccessReviewStatus
authorization/v1.SubjectAccessReviewSpec 1resourceAttributes:.ResourceAttributes? 2nonResourceAttributes:.NonResourceAttributes? 3user:s 4groups:[]s 5extra:{}[]s^ 6uid:s
authorization/v1.SubjectAccessReviewStatus 1allowed:b! 4denied:b 2reason:s 3evaluationError:s
authorization/v1.SubjectRulesReviewStatus 1resourceRules:[].ResourceRule! 2nonResourceRules:[].NonResourceRule! 3incomplete:b! 4evaluationError:s
autoscaling/v1.CrossVersionObjectReference 1kind:s! 2name:s! 3apiVersion:s
autoscaling/v1.HorizontalPodAutoscaler 1metadata:meta/v1.ObjectMeta 2spec:.HorizontalPodAutoscalerSpec 3status:.HorizontalPodAutoscalerStatus
autoscaling/v1.HorizontalPodAutoscalerSpec 1scaleTargetRef:.CrossVersionObjectReference! 2minReplicas:i? 3maxReplicas:i! 4targetCPUUtilizationPercentage:i?
autoscaling/v1.HorizontalPodAutoscalerStatus 1observedGeneration:i? 2lastScaleTime:Time? 3currentReplicas:i! 4desiredReplicas:i! 5currentCPUUtilizationPercentage:i?
autoscaling/v1.Scale 1metadata:meta/v1.ObjectMeta 2spec:.ScaleSpec 3status:.ScaleStatus
autoscaling/v1.ScaleSpec 1replicas:i
autoscaling/v1.ScaleStatus 1replicas:i! 2selector:s
autoscaling/v2.ContainerResourceMetricSource 1name:s! 2target:.MetricTarget! 3container:s!
autoscaling/v2.ContainerResourceMetricStatus 1name:s! 2current:.MetricValueStatus! 3container:s!
autoscaling/v2.CrossVersionObjectReference 1kind:s! 2name:s! 3apiVersion:s
autoscaling/v2.ExternalMetricSource 1metric:.MetricIdentifier! 2target:.MetricTarget!
autoscaling/v2.ExternalMetricStatus 1metric:.MetricIdentifier! 2current:.MetricValueStatus!
autoscaling/v2.HPAScalingPolicy 1type:s! 2value:i! 3periodSeconds:i!
autoscaling/v2.HPAScalingRules 3stabilizationWindowSeconds:i? 1selectPolicy:s? 2policies:[].HPAScalingPolicy 4tolerance:Quantity?
autoscaling/v2.HorizontalPodAutoscaler 1metadata:meta/v1.ObjectMeta 2spec:.HorizontalPodAutoscalerSpec 3status:.HorizontalPodAutoscalerStatus
autoscaling/v2.HorizontalPodAutoscalerBehavior 1scaleUp:.HPAScalingRules? 2scaleDown:.HPAScalingRules?
autoscaling/v2.HorizontalPodAutoscalerCondition 1type:s! 2status:s! 3lastTransitionTime:Time 4reason:s 5message:s
autoscaling/v2.HorizontalPodAutoscalerSpec 1scaleTargetRef:.CrossVersionObjectReference! 2minReplicas:i? 3maxReplicas:i! 4metrics:[].MetricSpec 5behavior:.HorizontalPodAutoscalerBehavior?
autoscaling/v2.HorizontalPodAutoscalerStatus 1observedGeneration:i? 2lastScaleTime:Time? 3currentReplicas:i 4desiredReplicas:i! 5currentMetrics:[].MetricStatus! 6conditions:[].HorizontalPodAutoscalerCondition
autoscaling/v2.MetricIdentifier 1name:s! 2selector:meta/v1.LabelSelector?
autoscaling/v2.MetricSpec 1type:s! 2object:.ObjectMetricSource? 3pods:.PodsMetricSource? 4resource:.ResourceMetricSource? 7containerResource:.ContainerResourceMetricSource? 5external:.ExternalMetricSource?
autoscaling/v2.MetricStatus 1type:s! 2object:.ObjectMetricStatus? 3pods:.PodsMetricStatus? 4resource:.ResourceMetricStatus? 7containerResource:.ContainerResourceMetricStatus? 5external:.ExternalMetricStatus?
autoscaling/v2.MetricTarget 1type:s! 2value:Quantity? 3averageValue:Quantity? 4averageUtilization:i?
autoscaling/v2.MetricValueStatus 1value:Quantity? 2averageValue:Quantity? 3averageUtilization:i?
autoscaling/v2.ObjectMetricSource 1describedObject:.CrossVersionObjectReference! 2target:.MetricTarget! 3metric:.MetricIdentifier!
autoscaling/v2.ObjectMetricStatus 1metric:.MetricIdentifier! 2current:.MetricValueStatus! 3describedObject:.CrossVersionObjectReference!
autoscaling/v2.PodsMetricSource 1metric:.MetricIdentifier! 2target:.MetricTarget!
autoscaling/v2.PodsMetricStatus 1metric:.MetricIdentifier! 2current:.MetricValueStatus!
autoscaling/v2.ResourceMetricSource 1name:s! 2target:.MetricTarget!
autoscaling/v2.ResourceMetricStatus 1name:s! 2current:.MetricValueStatus!
batch/v1.CronJob 1metadata:meta/v1.ObjectMeta 2spec:.CronJobSpec 3status:.CronJobStatus
batch/v1.CronJobSpec 1schedule:s! 8timeZone:s? 2startingDeadlineSeconds:i? 3concurrencyPolicy:s 4suspend:b? 5jobTemplate:.JobTemplateSpec! 6successfulJobsHistoryLimit:i? 7failedJobsHistoryLimit:i?
batch/v1.CronJobStatus 1active:[]core/v1.ObjectReference 4lastScheduleTime:Time? 5lastSuccessfulTime:Time?
batch/v1.Job 1metadata:meta/v1.ObjectMeta 2spec:.JobSpec 3status:.JobStatus
batch/v1.JobCondition 1type:s! 2status:s! 3lastProbeTime:Time 4lastTransitionTime:Time 5reason:s 6message:s
batch/v1.JobSpec 1parallelism:i? 2completions:i? 3activeDeadlineSeconds:i? 11podFailurePolicy:.PodFailurePolicy? 16successPolicy:.SuccessPolicy? 7backoffLimit:i? 12backoffLimitPerIndex:i? 13maxFailedIndexes:i? 4selector:meta/v1.LabelSelector? 5manualSelector:b? 6template:core/v1.PodTemplateSpec! 8ttlSecondsAfterFinished:i? 9completionMode:s? 10suspend:b? 14podReplacementPolicy:s? 15managedBy:s?
batch/v1.JobStatus 1conditions:[].JobCondition 2startTime:Time? 3completionTime:Time? 4active:i 5succeeded:i 6failed:i 11terminating:i? 7completedIndexes:s 10failedIndexes:s? 8uncountedTerminatedPods:.UncountedTerminatedPods? 9ready:i?
batch/v1.JobTemplateSpec 1metadata:meta/v1.ObjectMeta 2spec:.JobSpec
batch/v1.PodFailurePolicy 1rules:[].PodFailurePolicyRule!
batch/v1.PodFailurePolicyOnExitCodesRequirement 1containerName:s? 2operator:s! 3values:[]i!
batch/v1.PodFailurePolicyOnPodConditionsPattern 1type:s! 2status:s!
batch/v1.PodFailurePolicyRule 1action:s! 2onExitCodes:.PodFailurePolicyOnExitCodesRequirement? 3onPodConditions:[].PodFailurePolicyOnPodConditionsPattern
batch/v1.SuccessPolicy 1rules:[].SuccessPolicyRule!
batch/v1.SuccessPolicyRule 1succeededIndexes:s? 2succeededCount:i?
batch/v1.UncountedTerminatedPods 1succeeded:[]s 2failed:[]s
certificates/v1.CertificateSigningRequest 1metadata:meta/v1.ObjectMeta 2spec:.CertificateSigningRequestSpec! 3status:.CertificateSigningRequestStatus
certificates/v1.CertificateSigningRequestCondition 1type:s! 6status:s! 2reason:s 3message:s 4lastUpdateTime:Time 5lastTransitionTime:Time
certificates/v1.CertificateSigningRequestSpec 1request:x! 7signerName:s! 8expirationSeconds:i? 5usages:[]s 2username:s 3uid:s 4groups:[]s 6extra:{}[]s^
certificates/v1.CertificateSigningRequestStatus 1conditions:[].CertificateSigningRequestCondition 2certificate:x
coordination/v1.Lease 1metadata:meta/v1.ObjectMeta 2spec:.LeaseSpec
coordination/v1.LeaseSpec 1holderIdentity:s? 2leaseDurationSeconds:i? 3acquireTime:MicroTime? 4renewTime:MicroTime? 5leaseTransitions:i? 6strategy:s? 7preferredHolder:s?
core/v1.AWSElasticBlockStoreVolumeSource 1volumeID:s! 2fsType:s 3partition:i 4readOnly:b
core/v1.Affinity 1nodeAffinity:.NodeAffinity? 2podAffinity:.PodAffinity? 3podAntiAffinity:.PodAntiAffinity?
core/v1.AppArmorProfile 1type:s! 2localhostProfile:s?
core/v1.AttachedVolume 1name:s! 2devicePath:s!
core/v1.AzureDiskVolumeSource 1diskName:s! 2diskURI:s! 3cachingMode:s? 4fsType:s? 5readOnly:b? 6kind:s?
core/v1.AzureFilePersistentVolumeSource 1secretName:s! 2shareName:s! 3readOnly:b 4secretNamespace:s?!
core/v1.AzureFileVolumeSource 1secretName:s! 2shareName:s! 3readOnly:b
core/v1.Binding 1metadata:meta/v1.ObjectMeta 2target:.ObjectReference!
core/v1.CSIPersistentVolumeSource 1driver:s! 2volumeHandle:s! 3readOnly:b 4fsType:s 5volumeAttributes:{}s 6controllerPublishSecretRef:.SecretReference? 7nodeStageSecretRef:.SecretReference? 8nodePublishSecretRef:.SecretReference? 9controllerExpandSecretRef:.SecretReference? 10nodeExpandSecretRef:.SecretReference?
core/v1.CSIVolumeSource 1driver:s! 2readOnly:b? 3fsType:s? 4volumeAttributes:{}s 5nodePublishSecretRef:.LocalObjectReference?
core/v1.Capabilities 1add:[]s 2drop:[]s
core/v1.CephFSPersistentVolumeSource 1monitors:[]s! 2path:s 3user:s 4secretFile:s 5secretRef:.SecretReference? 6readOnly:b
core/v1.CephFSVolumeSource 1monitors:[]s! 2path:s 3user:s 4secretFile:s 5secretRef:.LocalObjectReference? 6readOnly:b
core/v1.CinderPersistentVolumeSource 1volumeID:s! 2fsType:s 3readOnly:b 4secretRef:.SecretReference?
core/v1.CinderVolumeSource 1volumeID:s! 2fsType:s 3readOnly:b 4secretRef:.LocalObjectReference?
core/v1.ClientIPConfig 1timeoutSeconds:i?
core/v1.ClusterTrustBundleProjection 1name:s? 2signerName:s? 3labelSelector:meta/v1.LabelSelector? 5optional:b? 4path:s!
core/v1.ComponentCondition 1type:s! 2status:s! 3message:s 4error:s
core/v1.ComponentStatus 1metadata:meta/v1.ObjectMeta 2conditions:[].ComponentCondition
core/v1.ConfigMap 1metadata:meta/v1.ObjectMeta 4immutable:b? 2data:{}s 3binaryData:{}x
core/v1.ConfigMapEnvSource 1:.LocalObjectReference 2optional:b?
core/v1.ConfigMapKeySelector 1:.LocalObjectReference 2key:s! 3optional:b?
core/v1.ConfigMapNodeConfigSource 1namespace:s! 2name:s! 3uid:s 4resourceVersion:s 5kubeletConfigKey:s!
core/v1.ConfigMapProjection 1:.LocalObjectReference 2items:[].KeyToPath 4optional:b?
core/v1.ConfigMapVolumeSource 1:.LocalObjectReference 2items:[].KeyToPath 3defaultMode:i? 4optional:b?
core/v1.Container 1name:s! 2image:s 3command:[]s 4args:[]s 5workingDir:s 6ports:[].ContainerPort 19envFrom:[].EnvFromSource 7env:[].EnvVar 8resources:.ResourceRequirements 23resizePolicy:[].ContainerResizePolicy 24restartPolicy:s? 25restartPolicyRules:[].ContainerRestartRule 9volumeMounts:[].VolumeMount 21volumeDevices:[].VolumeDevice 10livenessProbe:.Probe? 11readinessProbe:.Probe? 22startupProbe:.Probe? 12lifecycle:.Lifecycle? 13terminationMessagePath:s 20terminationMessagePolicy:s 14imagePullPolicy:s 15securityContext:.SecurityContext? 16stdin:b 17stdinOnce:b 18tty:b
core/v1.ContainerExtendedResourceRequest 1containerName:s! 2resourceName:s! 3requestName:s!
core/v1.ContainerImage 1names:[]s! 2sizeBytes:i
core/v1.ContainerPort 1name:s 2hostPort:i 3containerPort:i! 4protocol:s 5hostIP:s
core/v1.ContainerResizePolicy 1resourceName:s! 2restartPolicy:s!
core/v1.ContainerRestartRule 1action:s 2exitCodes:.ContainerRestartRuleOnExitCodes?
core/v1.ContainerRestartRuleOnExitCodes 1operator:s 2values:[]i
core/v1.ContainerState 1waiting:.ContainerStateWaiting? 2running:.ContainerStateRunning? 3terminated:.ContainerStateTerminated?
core/v1.ContainerStateRunning 1startedAt:Time
core/v1.ContainerStateTerminated 1exitCode:i! 2signal:i 3reason:s 4message:s 5startedAt:Time 6finishedAt:Time 7containerID:s
core/v1.ContainerStateWaiting 1reason:s 2message:s
core/v1.ContainerStatus 1name:s! 2state:.ContainerState 3lastState:.ContainerState 4ready:b! 5restartCount:i! 6image:s! 7imageID:s! 8containerID:s 9started:b? 10allocatedResources:{}Quantity 11resources:.ResourceRequirements? 12volumeMounts:[].VolumeMountStatus 13user:.ContainerUser? 14allocatedResourcesStatus:[].ResourceStatus 15stopSignal:s?
core/v1.ContainerUser 1linux:.LinuxContainerUser?
core/v1.DaemonEndpoint 1Port:i!
core/v1.DownwardAPIProjection 1items:[].DownwardAPIVolumeFile
core/v1.DownwardAPIVolumeFile 1path:s! 2fieldRef:.ObjectFieldSelector? 3resourceFieldRef:.ResourceFieldSelector? 4mode:i?
core/v1.DownwardAPIVolumeSource 1items:[].DownwardAPIVolumeFile 2defaultMode:i?
core/v1.EmptyDirVolumeSource 1medium:s 2sizeLimit:Quantity?
core/v1.EndpointAddress 1ip:s! 3hostname:s 4nodeName:s? 2targetRef:.ObjectReference?
core/v1.EndpointPort 1name:s 2port:i! 3protocol:s 4appProtocol:s?
core/v1.EndpointSubset 1addresses:[].EndpointAddress 2notReadyAddresses:[].EndpointAddress 3ports:[].EndpointPort
core/v1.Endpoints 1metadata:meta/v1.ObjectMeta 2subsets:[].EndpointSubset
core/v1.EnvFromSource 1prefix:s 2configMapRef:.ConfigMapEnvSource? 3secretRef:.SecretEnvSource?
core/v1.EnvVar 1name:s! 2value:s 3valueFrom:.EnvVarSource?
core/v1.EnvVarSource 1fieldRef:.ObjectFieldSelector? 2resourceFieldRef:.ResourceFieldSelector? 3configMapKeyRef:.ConfigMapKeySelector? 4secretKeyRef:.SecretKeySelector? 5fileKeyRef:.FileKeySelector?
core/v1.EphemeralContainer 1:.EphemeralContainerCommon 2targetContainerName:s
core/v1.EphemeralContainerCommon 1name:s! 2image:s 3command:[]s 4args:[]s 5workingDir:s 6ports:[].ContainerPort 19envFrom:[].EnvFromSource 7env:[].EnvVar 8resources:.ResourceRequirements 23resizePolicy:[].ContainerResizePolicy 24restartPolicy:s? 25restartPolicyRules:[].ContainerRestartRule 9volumeMounts:[].VolumeMount 21volumeDevices:[].VolumeDevice 10livenessProbe:.Probe? 11readinessProbe:.Probe? 22startupProbe:.Probe? 12lifecycle:.Lifecycle? 13terminationMessagePath:s 20terminationMessagePolicy:s 14imagePullPolicy:s 15securityContext:.SecurityContext? 16stdin:b 17stdinOnce:b 18tty:b
core/v1.EphemeralVolumeSource 1volumeClaimTemplate:.PersistentVolumeClaimTemplate?
core/v1.Event 1metadata:meta/v1.ObjectMeta! 2involvedObject:.ObjectReference! 3reason:s 4message:s 5source:.EventSource 6firstTimestamp:Time 7lastTimestamp:Time 8count:i 9type:s 10eventTime:MicroTime 11series:.EventSeries? 12action:s 13related:.ObjectReference? 14reportingComponent:s! 15reportingInstance:s!
core/v1.EventSeries 1count:i 2lastObservedTime:MicroTime
core/v1.EventSource 1component:s 2host:s
core/v1.ExecAction 1command:[]s
core/v1.FCVolumeSource 1targetWWNs:[]s 2lun:i? 3fsType:s 4readOnly:b 5wwids:[]s
core/v1.FileKeySelector 1volumeName:s! 2path:s! 3key:s! 4optional:b?
core/v1.FlexPersistentVolumeSource 1driver:s! 2fsType:s 3secretRef:.SecretReference? 4readOnly:b 5options:{}s
core/v1.FlexVolumeSource 1driver:s! 2fsType:s 3secretRef:.LocalObjectReference? 4readOnly:b 5options:{}s
core/v1.FlockerVolumeSource 1datasetName:s 2datasetUUID:s
core/v1.GCEPersistentDiskVolumeSource 1pdName:s! 2fsType:s 3partition:i 4readOnly:b
core/v1.GRPCAction 1port:i! 2service:s?!
core/v1.GitRepoVolumeSource 1repository:s! 2revision:s 3directory:s
core/v1.GlusterfsPersistentVolumeSource 1endpoints:s! 2path:s! 3readOnly:b 4endpointsNamespace:s?
core/v1.GlusterfsVolumeSource 1endpoints:s! 2path:s! 3readOnly:b
core/v1.HTTPGetAction 1path:s 2port:IntOrString! 3host:s 4scheme:s 5httpHeaders:[].HTTPHeader
core/v1.HTTPHeader 1name:s! 2value:s!
core/v1.HostAlias 1ip:s! 2hostnames:[]s
core/v1.HostIP 1ip:s!
core/v1.HostPathVolumeSource 1path:s! 2type:s?
core/v1.ISCSIPersistentVolumeSource 1targetPortal:s! 2iqn:s! 3lun:i! 4iscsiInterface:s 5fsType:s 6readOnly:b 7portals:[]s 8chapAuthDiscovery:b 11chapAuthSession:b 10secretRef:.SecretReference? 12initiatorName:s?
core/v1.ISCSIVolumeSource 1targetPortal:s! 2iqn:s! 3lun:i! 4iscsiInterface:s 5fsType:s 6readOnly:b 7portals:[]s 8chapAuthDiscovery:b 11chapAuthSession:b 10secretRef:.LocalObjectReference? 12initiatorName:s?
core/v1.ImageVolumeSource 1reference:s 2pullPolicy:s
core/v1.ImageVolumeStatus 1imageRef:s
core/v1.KeyToPath 1key:s! 2path:s! 3mode:i?
core/v1.Lifecycle 1postStart:.LifecycleHandler? 2preStop:.LifecycleHandler? 3stopSignal:s?
core/v1.LifecycleHandler 1exec:.ExecAction? 2httpGet:.HTTPGetAction? 3tcpSocket:.TCPSocketAction? 4sleep:.SleepAction?
core/v1.LimitRange 1metadata:meta/v1.ObjectMeta 2spec:.LimitRangeSpec
core/v1.LimitRangeItem 1type:s! 2max:{}Quantity 3min:{}Quantity 4default:{}Quantity 5defaultRequest:{}Quantity 6maxLimitRequestRatio:{}Quantity
core/v1.LimitRangeSpec 1limits:[].LimitRangeItem!
core/v1.LinuxContainerUser 1uid:i! 2gid:i! 3supplementalGroups:[]i
core/v1.LoadBalancerIngress 1ip:s 2hostname:s 3ipMode:s? 4ports:[].PortStatus
core/v1.LoadBalancerStatus 1ingress:[].LoadBalancerIngress
core/v1.LocalObjectReference 1name:s
core/v1.LocalVolumeSource 1path:s! 2fsType:s?
core/v1.ModifyVolumeStatus 1targetVolumeAttributesClassName:s 2status:s!
core/v1.NFSVolumeSource 1server:s! 2path:s! 3readOnly:b
core/v1.Namespace 1metadata:meta/v1.ObjectMeta 2spec:.NamespaceSpec 3status:.NamespaceStatus
core/v1.NamespaceCondition 1type:s! 2status:s! 4lastTransitionTime:Time 5reason:s 6message:s
core/v1.NamespaceSpec 1finalizers:[]s
core/v1.NamespaceStatus 1phase:s 2conditions:[].NamespaceCondition
core/v1.Node 1metadata:meta/v1.ObjectMeta 2spec:.NodeSpec 3status:.NodeStatus
core/v1.NodeAddress 1type:s! 2address:s!
core/v1.NodeAffinity 1requiredDuringSchedulingIgnoredDuringExecution:.NodeSelector? 2preferredDuringSchedulingIgnoredDuringExecution:[].PreferredSchedulingTerm
core/v1.NodeAllocatableResourceClaimStatus 1resourceClaimName:s! 2containers:[]s 3resources:{}Quantity!
core/v1.NodeCondition 1type:s! 2status:s! 3lastHeartbeatTime:Time 4lastTransitionTime:Time 5reason:s 6message:s
core/v1.NodeConfigSource 2configMap:.ConfigMapNodeConfigSource?
core/v1.NodeConfigStatus 1assigned:.NodeConfigSource? 2active:.NodeConfigSource? 3lastKnownGood:.NodeConfigSource? 4error:s
core/v1.NodeDaemonEndpoints 1kubeletEndpoint:.DaemonEndpoint
core/v1.NodeFeatures 1supplementalGroupsPolicy:b?
core/v1.NodeRuntimeHandler 1name:s! 2features:.NodeRuntimeHandlerFeatures?
core/v1.NodeRuntimeHandlerFeatures 1recursiveReadOnlyMounts:b? 2userNamespaces:b?
core/v1.NodeSelector 1nodeSelectorTerms:[].NodeSelectorTerm!
core/v1.NodeSelectorRequirement 1key:s! 2operator:s! 3values:[]s
core/v1.NodeSelectorTerm 1matchExpressions:[].NodeSelectorRequirement 2matchFields:[].NodeSelectorRequirement
core/v1.NodeSpec 1podCIDR:s 7podCIDRs:[]s 3providerID:s 4unschedulable:b 5taints:[].Taint 6configSource:.NodeConfigSource? 2externalID:s
core/v1.NodeStatus 1capacity:{}Quantity 2allocatable:{}Quantity 3phase:s 4conditions:[].NodeCondition 5addresses:[].NodeAddress 6daemonEndpoints:.NodeDaemonEndpoints 7nodeInfo:.NodeSystemInfo 8images:[].ContainerImage 9volumesInUse:[]s 10volumesAttached:[].AttachedVolume 11config:.NodeConfigStatus? 12runtimeHandlers:[].NodeRuntimeHandler 13features:.NodeFeatures? 14declaredFeatures:[]s
core/v1.NodeSwapStatus 1capacity:i?
core/v1.NodeSystemInfo 1machineID:s! 2systemUUID:s! 3bootID:s! 4kernelVersion:s! 5osImage:s! 6containerRuntimeVersion:s! 7kubeletVersion:s! 8kubeProxyVersion:s! 9operatingSystem:s! 10architecture:s! 11swap:.NodeSwapStatus?
core/v1.ObjectFieldSelector 1apiVersion:s 2fieldPath:s!
core/v1.ObjectReference 1kind:s 2namespace:s 3name:s 4uid:s 5apiVersion:s 6resourceVersion:s 7fieldPath:s
core/v1.PersistentVolume 1metadata:meta/v1.ObjectMeta 2spec:.PersistentVolumeSpec 3status:.PersistentVolumeStatus
core/v1.PersistentVolumeClaim 1metadata:meta/v1.ObjectMeta 2spec:.PersistentVolumeClaimSpec 3status:.PersistentVolumeClaimStatus
core/v1.PersistentVolumeClaimCondition 1type:s! 2status:s! 3lastProbeTime:Time 4lastTransitionTime:Time 5reason:s 6message:s
core/v1.PersistentVolumeClaimSpec 1accessModes:[]s 4selector:meta/v1.LabelSelector? 2resources:.VolumeResourceRequirements 3volumeName:s 5storageClassName:s? 6volumeMode:s? 7dataSource:.TypedLocalObjectReference? 8dataSourceRef:.TypedObjectReference? 9volumeAttributesClassName:s?
core/v1.PersistentVolumeClaimStatus 1phase:s 2accessModes:[]s 3capacity:{}Quantity 4conditions:[].PersistentVolumeClaimCondition 5allocatedResources:{}Quantity 7allocatedResourceStatuses:{}s 8currentVolumeAttributesClassName:s? 9modifyVolumeStatus:.ModifyVolumeStatus?
core/v1.PersistentVolumeClaimTemplate 1metadata:meta/v1.ObjectMeta 2spec:.PersistentVolumeClaimSpec!
core/v1.PersistentVolumeClaimVolumeSource 1claimName:s! 2readOnly:b
core/v1.PersistentVolumeSource 1gcePersistentDisk:.GCEPersistentDiskVolumeSource? 2awsElasticBlockStore:.AWSElasticBlockStoreVolumeSource? 3hostPath:.HostPathVolumeSource? 4glusterfs:.GlusterfsPersistentVolumeSource? 5nfs:.NFSVolumeSource? 6rbd:.RBDPersistentVolumeSource? 7iscsi:.ISCSIPersistentVolumeSource? 8cinder:.CinderPersistentVolumeSource? 9cephfs:.CephFSPersistentVolumeSource? 10fc:.FCVolumeSource? 11flocker:.FlockerVolumeSource? 12flexVolume:.FlexPersistentVolumeSource? 13azureFile:.AzureFilePersistentVolumeSource? 14vsphereVolume:.VsphereVirtualDiskVolumeSource? 15quobyte:.QuobyteVolumeSource? 16azureDisk:.AzureDiskVolumeSource? 17photonPersistentDisk:.PhotonPersistentDiskVolumeSource? 18portworxVolume:.PortworxVolumeSource? 19scaleIO:.ScaleIOPersistentVolumeSource? 20local:.LocalVolumeSource? 21storageos:.StorageOSPersistentVolumeSource? 22csi:.CSIPersistentVolumeSource?
core/v1.PersistentVolumeSpec 1capacity:{}Quantity 2:.PersistentVolumeSource 3accessModes:[]s 4claimRef:.ObjectReference? 5persistentVolumeReclaimPolicy:s 6storageClassName:s 7mountOptions:[]s 8volumeMode:s? 9nodeAffinity:.VolumeNodeAffinity? 10volumeAttributesClassName:s?
core/v1.PersistentVolumeStatus 1phase:s 2message:s 3reason:s 4lastPhaseTransitionTime:Time?
core/v1.PhotonPersistentDiskVolumeSource 1pdID:s! 2fsType:s
core/v1.Pod 1metadata:meta/v1.ObjectMeta 2spec:.PodSpec 3status:.PodStatus
core/v1.PodAffinity 1requiredDuringSchedulingIgnoredDuringExecution:[].PodAffinityTerm 2preferredDuringSchedulingIgnoredDuringExecution:[].WeightedPodAffinityTerm
core/v1.PodAffinityTerm 1labelSelector:meta/v1.LabelSelector? 2namespaces:[]s 3topologyKey:s! 4namespaceSelector:meta/v1.LabelSelector? 5matchLabelKeys:[]s 6mismatchLabelKeys:[]s
core/v1.PodAntiAffinity 1requiredDuringSchedulingIgnoredDuringExecution:[].PodAffinityTerm 2preferredDuringSchedulingIgnoredDuringExecution:[].WeightedPodAffinityTerm
core/v1.PodCertificateProjection 1signerName:s 2keyType:s 3maxExpirationSeconds:i? 4credentialBundlePath:s 5keyPath:s 6certificateChainPath:s 7userAnnotations:{}s
core/v1.PodCondition 1type:s! 7observedGeneration:i 2status:s! 3lastProbeTime:Time 4lastTransitionTime:Time 5reason:s 6message:s
core/v1.PodDNSConfig 1nameservers:[]s 2searches:[]s 3options:[].PodDNSConfigOption
core/v1.PodDNSConfigOption 1name:s 2value:s?
core/v1.PodExtendedResourceClaimStatus 1requestMappings:[].ContainerExtendedResourceRequest! 2resourceClaimName:s!
core/v1.PodIP 1ip:s!
core/v1.PodOS 1name:s!
core/v1.PodReadinessGate 1conditionType:s!
core/v1.PodResourceClaim 1name:s! 3resourceClaimName:s? 4resourceClaimTemplateName:s?
core/v1.PodResourceClaimStatus 1name:s! 2resourceClaimName:s?
core/v1.PodSchedulingGate 1name:s!
core/v1.PodSchedulingGroup 1podGroupName:s?
core/v1.PodSecurityContext 1seLinuxOptions:.SELinuxOptions? 8windowsOptions:.WindowsSecurityContextOptions? 2runAsUser:i? 6runAsGroup:i? 3runAsNonRoot:b? 4supplementalGroups:[]i 12supplementalGroupsPolicy:s? 5fsGroup:i? 7sysctls:[].Sysctl 9fsGroupChangePolicy:s? 10seccompProfile:.SeccompProfile? 11appArmorProfile:.AppArmorProfile? 13seLinuxChangePolicy:s?
core/v1.PodSpec 1volumes:[].Volume 20initContainers:[].Container 2containers:[].Container! 34ephemeralContainers:[].EphemeralContainer 3restartPolicy:s 4terminationGracePeriodSeconds:i? 5activeDeadlineSeconds:i? 6dnsPolicy:s 7nodeSelector:{}s 8serviceAccountName:s 9serviceAccount:s 21automountServiceAccountToken:b? 10nodeName:s 11hostNetwork:b 12hostPID:b 13hostIPC:b 27shareProcessNamespace:b? 14securityContext:.PodSecurityContext? 15imagePullSecrets:[].LocalObjectReference 16hostname:s 17subdomain:s 18affinity:.Affinity? 19schedulerName:s 22tolerations:[].Toleration 23hostAliases:[].HostAlias 24priorityClassName:s 25priority:i? 26dnsConfig:.PodDNSConfig? 28readinessGates:[].PodReadinessGate 29runtimeClassName:s? 30enableServiceLinks:b? 31preemptionPolicy:s? 32overhead:{}Quantity 33topologySpreadConstraints:[].TopologySpreadConstraint 35setHostnameAsFQDN:b? 36os:.PodOS? 37hostUsers:b? 38schedulingGates:[].PodSchedulingGate 39resourceClaims:[].PodResourceClaim 40resources:.ResourceRequirements? 41hostnameOverride:s? 43schedulingGroup:.PodSchedulingGroup?
core/v1.PodStatus 17observedGeneration:i 1phase:s 2conditions:[].PodCondition 3message:s 4reason:s 11nominatedNodeName:s 5hostIP:s 16hostIPs:[].HostIP 6podIP:s 12podIPs:[].PodIP 7startTime:Time? 10initContainerStatuses:[].ContainerStatus 8containerStatuses:[].ContainerStatus 9qosClass:s 13ephemeralContainerStatuses:[].ContainerStatus 14resize:s 15resourceClaimStatuses:[].PodResourceClaimStatus 18extendedResourceClaimStatus:.PodExtendedResourceClaimStatus? 19allocatedResources:{}Quantity 20resources:.ResourceRequirements? 21nodeAllocatableResourceClaimStatuses:[].NodeAllocatableResourceClaimStatus
core/v1.PodStatusResult 1metadata:meta/v1.ObjectMeta 2status:.PodStatus
core/v1.PodTemplate 1metadata:meta/v1.ObjectMeta 2template:.PodTemplateSpec
core/v1.PodTemplateSpec 1metadata:meta/v1.ObjectMeta 2spec:.PodSpec
core/v1.PortStatus 1port:i! 2protocol:s! 3error:s?
core/v1.PortworxVolumeSource 1volumeID:s! 2fsType:s 3readOnly:b
core/v1.PreferredSchedulingTerm 1weight:i! 2preference:.NodeSelectorTerm!
core/v1.Probe 1:.ProbeHandler 2initialDelaySeconds:i 3timeoutSeconds:i 4periodSeconds:i 5successThreshold:i 6failureThreshold:i 7terminationGracePeriodSeconds:i?
core/v1.ProbeHandler 1exec:.ExecAction? 2httpGet:.HTTPGetAction? 3tcpSocket:.TCPSocketAction? 4grpc:.GRPCAction?
core/v1.ProjectedVolumeSource 1sources:[].VolumeProjection! 2defaultMode:i?
core/v1.QuobyteVolumeSource 1registry:s! 2volume:s! 3readOnly:b 4user:s 5group:s 6tenant:s
core/v1.RBDPersistentVolumeSource 1monitors:[]s! 2image:s! 3fsType:s 4pool:s 5user:s 6keyring:s 7secretRef:.SecretReference? 8readOnly:b
core/v1.RBDVolumeSource 1monitors:[]s! 2image:s! 3fsType:s 4pool:s 5user:s 6keyring:s 7secretRef:.LocalObjectReference? 8readOnly:b
core/v1.ReplicationController 1metadata:meta/v1.ObjectMeta 2spec:.ReplicationControllerSpec 3status:.ReplicationControllerStatus
core/v1.ReplicationControllerCondition 1type:s! 2status:s! 3lastTransitionTime:Time 4reason:s 5message:s
core/v1.ReplicationControllerSpec 1replicas:i? 4minReadySeconds:i 2selector:{}s 3template:.PodTemplateSpec?
core/v1.ReplicationControllerStatus 1replicas:i! 2fullyLabeledReplicas:i 4readyReplicas:i 5availableReplicas:i 3observedGeneration:i 6conditions:[].ReplicationControllerCondition
core/v1.ResourceClaim 1name:s! 2request:s
core/v1.ResourceFieldSelector 1containerName:s 2resource:s! 3divisor:Quantity
core/v1.ResourceHealth 1resourceID:s! 2health:s 6message:s?
core/v1.ResourceQuota 1metadata:meta/v1.ObjectMeta 2spec:.ResourceQuotaSpec 3status:.ResourceQuotaStatus
core/v1.ResourceQuotaSpec 1hard:{}Quantity 2scopes:[]s 3scopeSelector:.ScopeSelector?
core/v1.ResourceQuotaStatus 1hard:{}Quantity 2used:{}Quantity
core/v1.ResourceRequirements 1limits:{}Quantity 2requests:{}Quantity 3claims:[].ResourceClaim
core/v1.ResourceStatus 1name:s! 2resources:[].ResourceHealth
core/v1.SELinuxOptions 1user:s 2role:s 3type:s 4level:s
core/v1.ScaleIOPersistentVolumeSource 1gateway:s! 2system:s! 3secretRef:.SecretReference?! 4sslEnabled:b 5protectionDomain:s 6storagePool:s 7storageMode:s 8volumeName:s 9fsType:s 10readOnly:b
core/v1.ScaleIOVolumeSource 1gateway:s! 2system:s! 3secretRef:.LocalObjectReference?! 4sslEnabled:b 5protectionDomain:s 6storagePool:s 7storageMode:s 8volumeName:s 9fsType:s 10readOnly:b
core/v1.ScopeSelector 1matchExpressions:[].ScopedResourceSelectorRequirement
core/v1.ScopedResourceSelectorRequirement 1scopeName:s! 2operator:s! 3values:[]s
core/v1.SeccompProfile 1type:s! 2localhostProfile:s?
core/v1.Secret 1metadata:meta/v1.ObjectMeta 5immutable:b? 2data:{}x 4stringData:{}s 3type:s
core/v1.SecretEnvSource 1:.LocalObjectReference 2optional:b?
core/v1.SecretKeySelector 1:.LocalObjectReference 2key:s! 3optional:b?
core/v1.SecretProjection 1:.LocalObjectReference 2items:[].KeyToPath 4optional:b?
core/v1.SecretReference 1name:s 2namespace:s
core/v1.SecretVolumeSource 1secretName:s 2items:[].KeyToPath 3defaultMode:i? 4optional:b?
core/v1.SecurityContext 1capabilities:.Capabilities? 2privileged:b? 3seLinuxOptions:.SELinuxOptions? 10windowsOptions:.WindowsSecurityContextOptions? 4runAsUser:i? 8runAsGroup:i? 5runAsNonRoot:b? 6readOnlyRootFilesystem:b? 7allowPrivilegeEscalation:b? 9procMount:s? 11seccompProfile:.SeccompProfile? 12appArmorProfile:.AppArmorProfile?
core/v1.Service 1metadata:meta/v1.ObjectMeta 2spec:.ServiceSpec 3status:.ServiceStatus
core/v1.ServiceAccount 1metadata:meta/v1.ObjectMeta 2secrets:[].ObjectReference 3imagePullSecrets:[].LocalObjectReference 4automountServiceAccountToken:b?
core/v1.ServiceAccountTokenProjection 1audience:s 2expirationSeconds:i? 3path:s!
core/v1.ServicePort 1name:s 2protocol:s 6appProtocol:s? 3port:i! 4targetPort:IntOrString 5nodePort:i
core/v1.ServiceSpec 1ports:[].ServicePort 2selector:{}s 3clusterIP:s 18clusterIPs:[]s 4type:s 5externalIPs:[]s 7sessionAffinity:s 8loadBalancerIP:s 9loadBalancerSourceRanges:[]s 10externalName:s 11externalTrafficPolicy:s 12healthCheckNodePort:i 13publishNotReadyAddresses:b 14sessionAffinityConfig:.SessionAffinityConfig? 19ipFamilies:[]s 17ipFamilyPolicy:s? 20allocateLoadBalancerNodePorts:b? 21loadBalancerClass:s? 22internalTrafficPolicy:s? 23trafficDistribution:s?
core/v1.ServiceStatus 1loadBalancer:.LoadBalancerStatus 2conditions:[]meta/v1.Condition
core/v1.SessionAffinityConfig 1clientIP:.ClientIPConfig?
core/v1.SleepAction 1seconds:i!
core/v1.StorageOSPersistentVolumeSource 1volumeName:s 2volumeNamespace:s 3fsType:s 4readOnly:b 5secretRef:.ObjectReference?
core/v1.StorageOSVolumeSource 1volumeName:s 2volumeNamespace:s 3fsType:s 4readOnly:b 5secretRef:.LocalObjectReference?
core/v1.Sysctl 1name:s! 2value:s!
core/v1.TCPSocketAction 1port:IntOrString! 2host:s
core/v1.Taint 1key:s! 2value:s 3effect:s! 4timeAdded:Time?
core/v1.Toleration 1key:s 2operator:s 3value:s 4effect:s 5tolerationSeconds:i?
core/v1.TopologySelectorLabelRequirement 1key:s! 2values:[]s!
core/v1.TopologySelectorTerm 1matchLabelExpressions:[].TopologySelectorLabelRequirement
core/v1.TopologySpreadConstraint 1maxSkew:i! 2topologyKey:s! 3whenUnsatisfiable:s! 4labelSelector:meta/v1.LabelSelector? 5minDomains:i? 6nodeAffinityPolicy:s? 7nodeTaintsPolicy:s? 8matchLabelKeys:[]s
core/v1.TypedLocalObjectReference 1apiGroup:s?! 2kind:s! 3name:s!
core/v1.TypedObjectReference 1apiGroup:s?! 2kind:s! 3name:s! 4namespace:s?
core/v1.Volume 1name:s! 2:.VolumeSource
core/v1.VolumeDevice 1name:s! 2devicePath:s!
core/v1.VolumeMount 1name:s! 2readOnly:b 7recursiveReadOnly:s? 3mountPath:s! 4subPath:s 5mountPropagation:s? 6subPathExpr:s
core/v1.VolumeMountStatus 1name:s! 2mountPath:s! 3readOnly:b 4recursiveReadOnly:s? 5volumeStatus:.VolumeStatus?
core/v1.VolumeNodeAffinity 1required:.NodeSelector?
core/v1.VolumeProjection 1secret:.SecretProjection? 2downwardAPI:.DownwardAPIProjection? 3configMap:.ConfigMapProjection? 4serviceAccountToken:.ServiceAccountTokenProjection? 5clusterTrustBundle:.ClusterTrustBundleProjection? 6podCertificate:.PodCertificateProjection?
core/v1.VolumeResourceRequirements 1limits:{}Quantity 2requests:{}Quantity
core/v1.VolumeSource 1hostPath:.HostPathVolumeSource? 2emptyDir:.EmptyDirVolumeSource? 3gcePersistentDisk:.GCEPersistentDiskVolumeSource? 4awsElasticBlockStore:.AWSElasticBlockStoreVolumeSource? 5gitRepo:.GitRepoVolumeSource? 6secret:.SecretVolumeSource? 7nfs:.NFSVolumeSource? 8iscsi:.ISCSIVolumeSource? 9glusterfs:.GlusterfsVolumeSource? 10persistentVolumeClaim:.PersistentVolumeClaimVolumeSource? 11rbd:.RBDVolumeSource? 12flexVolume:.FlexVolumeSource? 13cinder:.CinderVolumeSource? 14cephfs:.CephFSVolumeSource? 15flocker:.FlockerVolumeSource? 16downwardAPI:.DownwardAPIVolumeSource? 17fc:.FCVolumeSource? 18azureFile:.AzureFileVolumeSource? 19configMap:.ConfigMapVolumeSource? 20vsphereVolume:.VsphereVirtualDiskVolumeSource? 21quobyte:.QuobyteVolumeSource? 22azureDisk:.AzureDiskVolumeSource? 23photonPersistentDisk:.PhotonPersistentDiskVolumeSource? 26projected:.ProjectedVolumeSource? 24portworxVolume:.PortworxVolumeSource? 25scaleIO:.ScaleIOVolumeSource? 27storageos:.StorageOSVolumeSource? 28csi:.CSIVolumeSource? 29ephemeral:.EphemeralVolumeSource? 30image:.ImageVolumeSource?
core/v1.VolumeStatus 1image:.ImageVolumeStatus?
core/v1.VsphereVirtualDiskVolumeSource 1volumePath:s! 2fsType:s 3storagePolicyName:s 4storagePolicyID:s
core/v1.WeightedPodAffinityTerm 1weight:i! 2podAffinityTerm:.PodAffinityTerm!
core/v1.WindowsSecurityContextOptions 1gmsaCredentialSpecName:s? 2gmsaCredentialSpec:s? 3runAsUserName:s? 4hostProcess:b?
discovery/v1.Endpoint 1addresses:[]s! 2conditions:.EndpointConditions 3hostname:s? 4targetRef:core/v1.ObjectReference? 5deprecatedTopology:{}s 6nodeName:s? 7zone:s? 8hints:.EndpointHints?
discovery/v1.EndpointConditions 1ready:b? 2serving:b? 3terminating:b?
discovery/v1.EndpointHints 1forZones:[].ForZone 2forNodes:[].ForNode
discovery/v1.EndpointPort 1name:s? 2protocol:s? 3port:i? 4appProtocol:s?
discovery/v1.EndpointSlice 1metadata:meta/v1.ObjectMeta 4addressType:s! 2endpoints:[].Endpoint! 3ports:[].EndpointPort!
discovery/v1.ForNode 1name:s!
discovery/v1.ForZone 1name:s!
events/v1.Event 1metadata:meta/v1.ObjectMeta! 2eventTime:MicroTime! 3series:.EventSeries? 4reportingController:s 5reportingInstance:s 6action:s 7reason:s 8regarding:core/v1.ObjectReference 9related:core/v1.ObjectReference? 10note:s 11type:s 12deprecatedSource:core/v1.EventSource 13deprecatedFirstTimestamp:Time 14deprecatedLastTimestamp:Time 15deprecatedCount:i
events/v1.EventSeries 1count:i! 2lastObservedTime:MicroTime!
flowcontrol/v1.ExemptPriorityLevelConfiguration 1nominalConcurrencyShares:i? 2lendablePercent:i?
flowcontrol/v1.FlowDistinguisherMethod 1type:s!
flowcontrol/v1.FlowSchema 1metadata:meta/v1.ObjectMeta 2spec:.FlowSchemaSpec 3status:.FlowSchemaStatus
flowcontrol/v1.FlowSchemaCondition 1type:s 2status:s 3lastTransitionTime:Time 4reason:s 5message:s
flowcontrol/v1.FlowSchemaSpec 1priorityLevelConfiguration:.PriorityLevelConfigurationReference! 2matchingPrecedence:i! 3distinguisherMethod:.FlowDistinguisherMethod? 4rules:[].PolicyRulesWithSubjects
flowcontrol/v1.FlowSchemaStatus 1conditions:[].FlowSchemaCondition
flowcontrol/v1.GroupSubject 1name:s!
flowcontrol/v1.LimitResponse 1type:s! 2queuing:.QueuingConfiguration?
flowcontrol/v1.LimitedPriorityLevelConfiguration 1nominalConcurrencyShares:i?! 2limitResponse:.LimitResponse 3lendablePercent:i? 4borrowingLimitPercent:i?
flowcontrol/v1.NonResourcePolicyRule 1verbs:[]s! 6nonResourceURLs:[]s!
flowcontrol/v1.PolicyRulesWithSubjects 1subjects:[].Subject! 2resourceRules:[].ResourcePolicyRule 3nonResourceRules:[].NonResourcePolicyRule
flowcontrol/v1.PriorityLevelConfiguration 1metadata:meta/v1.ObjectMeta 2spec:.PriorityLevelConfigurationSpec 3status:.PriorityLevelConfigurationStatus
flowcontrol/v1.PriorityLevelConfigurationCondition 1type:s 2status:s 3lastTransitionTime:Time 4reason:s 5message:s
flowcontrol/v1.PriorityLevelConfigurationReference 1name:s!
flowcontrol/v1.PriorityLevelConfigurationSpec 1type:s! 2limited:.LimitedPriorityLevelConfiguration? 3exempt:.ExemptPriorityLevelConfiguration?
flowcontrol/v1.PriorityLevelConfigurationStatus 1conditions:[].PriorityLevelConfigurationCondition
flowcontrol/v1.QueuingConfiguration 1queues:i! 2handSize:i! 3queueLengthLimit:i!
flowcontrol/v1.ResourcePolicyRule 1verbs:[]s! 2apiGroups:[]s! 3resources:[]s! 4clusterScope:b 5namespaces:[]s!
flowcontrol/v1.ServiceAccountSubject 1namespace:s! 2name:s!
flowcontrol/v1.Subject 1kind:s! 2user:.UserSubject? 3group:.GroupSubject? 4serviceAccount:.ServiceAccountSubject?
flowcontrol/v1.UserSubject 1name:s!
meta/v1.Condition 1type:s! 2status:s! 3observedGeneration:i 4lastTransitionTime:Time! 5reason:s! 6message:s!
meta/v1.DeleteOptions 1gracePeriodSeconds:i? 2preconditions:.Preconditions? 3orphanDependents:b? 4propagationPolicy:s? 5dryRun:[]s 6ignoreStoreReadErrorWithClusterBreakingPotential:b?
meta/v1.FieldSelectorRequirement 1key:s! 2operator:s! 3values:[]s
meta/v1.LabelSelector 1matchLabels:{}s 2matchExpressions:[].LabelSelectorRequirement
meta/v1.LabelSelectorRequirement 1key:s! 2operator:s! 3values:[]s
meta/v1.ListMeta 1selfLink:s 2resourceVersion:s 3continue:s 4remainingItemCount:i?
meta/v1.ManagedFieldsEntry 1manager:s 2operation:s 3apiVersion:s 4time:Time? 6fieldsType:s 7fieldsV1:FieldsV1? 8subresource:s
meta/v1.ObjectMeta 1name:s 2generateName:s 3namespace:s 4selfLink:s 5uid:s 6resourceVersion:s 7generation:i 8creationTimestamp:Time 9deletionTimestamp:Time? 10deletionGracePeriodSeconds:i? 11labels:{}s 12annotations:{}s 13ownerReferences:[].OwnerReference 14finalizers:[]s 17managedFields:[].ManagedFieldsEntry
meta/v1.OwnerReference 5apiVersion:s! 1kind:s! 3name:s! 4uid:s! 6controller:b? 7blockOwnerDeletion:b?
meta/v1.PartialObjectMetadata 1metadata:meta/v1.ObjectMeta
meta/v1.Preconditions 1uid:s? 2resourceVersion:s?
meta/v1.Status 1metadata:.ListMeta 2status:s 3message:s 4reason:s 5details:.StatusDetails? 6code:i
meta/v1.StatusCause 1reason:s 2message:s 3field:s
meta/v1.StatusDetails 1name:s 2group:s 3kind:s 6uid:s 4causes:[].StatusCause 5retryAfterSeconds:i
networking/v1.HTTPIngressPath 1path:s 3pathType:s?! 2backend:.IngressBackend!
networking/v1.HTTPIngressRuleValue 1paths:[].HTTPIngressPath!
networking/v1.IPAddress 1metadata:meta/v1.ObjectMeta 2spec:.IPAddressSpec
networking/v1.IPAddressSpec 1parentRef:.ParentReference?
networking/v1.IPBlock 1cidr:s! 2except:[]s
networking/v1.Ingress 1metadata:meta/v1.ObjectMeta 2spec:.IngressSpec 3status:.IngressStatus
networking/v1.IngressBackend 4service:.IngressServiceBackend? 3resource:core/v1.TypedLocalObjectReference?
networking/v1.IngressClass 1metadata:meta/v1.ObjectMeta 2spec:.IngressClassSpec
networking/v1.IngressClassParametersReference 1apiGroup:s? 2kind:s! 3name:s! 4scope:s?! 5namespace:s?
networking/v1.IngressClassSpec 1controller:s 2parameters:.IngressClassParametersReference?
networking/v1.IngressLoadBalancerIngress 1ip:s 2hostname:s 4ports:[].IngressPortStatus
networking/v1.IngressLoadBalancerStatus 1ingress:[].IngressLoadBalancerIngress
networking/v1.IngressPortStatus 1port:i! 2protocol:s! 3error:s?
networking/v1.IngressRule 1host:s 2:.IngressRuleValue
networking/v1.IngressRuleValue 1http:.HTTPIngressRuleValue?
networking/v1.IngressServiceBackend 1name:s! 2port:.ServiceBackendPort
networking/v1.IngressSpec 4ingressClassName:s? 1defaultBackend:.IngressBackend? 2tls:[].IngressTLS 3rules:[].IngressRule
networking/v1.IngressStatus 1loadBalancer:.IngressLoadBalancerStatus
networking/v1.IngressTLS 1hosts:[]s 2secretName:s
networking/v1.NetworkPolicy 1metadata:meta/v1.ObjectMeta 2spec:.NetworkPolicySpec
networking/v1.NetworkPolicyEgressRule 1ports:[].NetworkPolicyPort 2to:[].NetworkPolicyPeer
networking/v1.NetworkPolicyIngressRule 1ports:[].NetworkPolicyPort 2from:[].NetworkPolicyPeer
networking/v1.NetworkPolicyPeer 1podSelector:meta/v1.LabelSelector? 2namespaceSelector:meta/v1.LabelSelector? 3ipBlock:.IPBlock?
networking/v1.NetworkPolicyPort 1protocol:s? 2port:IntOrString? 3endPort:i?
networking/v1.NetworkPolicySpec 1podSelector:meta/v1.LabelSelector! 2ingress:[].NetworkPolicyIngressRule 3egress:[].NetworkPolicyEgressRule 4policyTypes:[]s
networking/v1.ParentReference 1group:s 2resource:s 3namespace:s 4name:s
networking/v1.ServiceBackendPort 1name:s 2number:i
networking/v1.ServiceCIDR 1metadata:meta/v1.ObjectMeta 2spec:.ServiceCIDRSpec 3status:.ServiceCIDRStatus
networking/v1.ServiceCIDRSpec 1cidrs:[]s
networking/v1.ServiceCIDRStatus 1conditions:[]meta/v1.Condition
node/v1.Overhead 1podFixed:{}Quantity
node/v1.RuntimeClass 1metadata:meta/v1.ObjectMeta 2handler:s! 3overhead:.Overhead? 4scheduling:.Scheduling?
node/v1.Scheduling 1nodeSelector:{}s 2tolerations:[]core/v1.Toleration
policy/v1.Eviction 1metadata:meta/v1.ObjectMeta 2deleteOptions:meta/v1.DeleteOptions?
policy/v1.PodDisruptionBudget 1metadata:meta/v1.ObjectMeta 2spec:.PodDisruptionBudgetSpec 3status:.PodDisruptionBudgetStatus
policy/v1.PodDisruptionBudgetSpec 1minAvailable:IntOrString? 2selector:meta/v1.LabelSelector? 3maxUnavailable:IntOrString? 4unhealthyPodEvictionPolicy:s?
policy/v1.PodDisruptionBudgetStatus 1observedGeneration:i 2disruptedPods:{}Time 3disruptionsAllowed:i! 4currentHealthy:i! 5desiredHealthy:i! 6expectedPods:i! 7conditions:[]meta/v1.Condition
rbac/v1.AggregationRule 1clusterRoleSelectors:[]meta/v1.LabelSelector
rbac/v1.ClusterRole 1metadata:meta/v1.ObjectMeta 2rules:[].PolicyRule! 3aggregationRule:.AggregationRule?
rbac/v1.ClusterRoleBinding 1metadata:meta/v1.ObjectMeta 2subjects:[].Subject 3roleRef:.RoleRef!
rbac/v1.PolicyRule 1verbs:[]s! 2apiGroups:[]s 3resources:[]s 4resourceNames:[]s 5nonResourceURLs:[]s
rbac/v1.Role 1metadata:meta/v1.ObjectMeta 2rules:[].PolicyRule!
rbac/v1.RoleBinding 1metadata:meta/v1.ObjectMeta 2subjects:[].Subject 3roleRef:.RoleRef!
rbac/v1.RoleRef 1apiGroup:s! 2kind:s! 3name:s!
rbac/v1.Subject 1kind:s! 2apiGroup:s 3name:s! 4namespace:s
resource/v1.AllocatedDeviceStatus 1driver:s! 2pool:s! 3device:s! 7shareID:s? 4conditions:[]meta/v1.Condition! 5data:RawExtension? 6networkData:.NetworkDeviceData?
resource/v1.AllocationResult 1devices:.DeviceAllocationResult 3nodeSelector:core/v1.NodeSelector? 5allocationTimestamp:Time?
resource/v1.CELDeviceSelector 1expression:s!
resource/v1.CapacityRequestPolicy 1default:Quantity?! 3validValues:[]Quantity 4validRange:.CapacityRequestPolicyRange?
resource/v1.CapacityRequestPolicyRange 1min:Quantity? 2max:Quantity? 3step:Quantity?
resource/v1.CapacityRequirements 1requests:{}Quantity
resource/v1.Counter 1value:Quantity!
resource/v1.CounterSet 1name:s! 2counters:{}.Counter
resource/v1.Device 1name:s! 2attributes:{}.DeviceAttribute 3capacity:{}.DeviceCapacity 4consumesCounters:[].DeviceCounterConsumption 5nodeName:s? 6nodeSelector:core/v1.NodeSelector? 7allNodes:b? 8taints:[].DeviceTaint 9bindsToNode:b? 10bindingConditions:[]s 11bindingFailureConditions:[]s 12allowMultipleAllocations:b? 13nodeAllocatableResourceMappings:{}.NodeAllocatableResourceMapping
resource/v1.DeviceAllocationConfiguration 1source:s! 2requests:[]s 3:.DeviceConfiguration
resource/v1.DeviceAllocationResult 1results:[].DeviceRequestAllocationResult 2config:[].DeviceAllocationConfiguration
resource/v1.DeviceAttribute 2int:i? 3bool:b? 4string:s? 5version:s? 6ints:[]i 7bools:[]b 8strings:[]s 9versions:[]s
resource/v1.DeviceCapacity 1value:Quantity! 2requestPolicy:.CapacityRequestPolicy?
resource/v1.DeviceClaim 1requests:[].DeviceRequest! 2constraints:[].DeviceConstraint 3config:[].DeviceClaimConfiguration
resource/v1.DeviceClaimConfiguration 1requests:[]s 2:.DeviceConfiguration
resource/v1.DeviceClass 1metadata:meta/v1.ObjectMeta 2spec:.DeviceClassSpec!
resource/v1.DeviceClassConfiguration 1:.DeviceConfiguration
resource/v1.DeviceClassSpec 1selectors:[].DeviceSelector 2config:[].DeviceClassConfiguration 4extendedResourceName:s?
resource/v1.DeviceConfiguration 1opaque:.OpaqueDeviceConfiguration?
resource/v1.DeviceConstraint 1requests:[]s 2matchAttribute:s? 3distinctAttribute:s?
resource/v1.DeviceCounterConsumption 1counterSet:s! 2counters:{}.Counter
resource/v1.DeviceRequest 1name:s! 2exactly:.ExactDeviceRequest? 3firstAvailable:[].DeviceSubRequest
resource/v1.DeviceRequestAllocationResult 1request:s! 2driver:s! 3pool:s! 4device:s! 5adminAccess:b? 6tolerations:[].DeviceToleration 7bindingConditions:[]s 8bindingFailureConditions:[]s 9shareID:s? 10consumedCapacity:{}Quantity
resource/v1.DeviceSelector 1cel:.CELDeviceSelector?
resource/v1.DeviceSubRequest 1name:s! 2deviceClassName:s! 3selectors:[].DeviceSelector 4allocationMode:s 5count:i 6tolerations:[].DeviceToleration 7capacity:.CapacityRequirements?
resource/v1.DeviceTaint 1key:s! 2value:s 3effect:s! 4timeAdded:Time?
resource/v1.DeviceToleration 1key:s 2operator:s 3value:s 4effect:s 5tolerationSeconds:i?
resource/v1.ExactDeviceRequest 1deviceClassName:s! 2selectors:[].DeviceSelector 3allocationMode:s 4count:i 5adminAccess:b? 6tolerations:[].DeviceToleration 7capacity:.CapacityRequirements?
resource/v1.NetworkDeviceData 1interfaceName:s 2ips:[]s 3hardwareAddress:s
resource/v1.NodeAllocatableResourceMapping 1capacityKey:s? 2allocationMultiplier:Quantity?
resource/v1.OpaqueDeviceConfiguration 1driver:s! 2parameters:RawExtension!
resource/v1.ResourceClaim 1metadata:meta/v1.ObjectMeta 2spec:.ResourceClaimSpec! 3status:.ResourceClaimStatus
resource/v1.ResourceClaimConsumerReference 1apiGroup:s 3resource:s! 4name:s! 5uid:s!
resource/v1.ResourceClaimSpec 1devices:.DeviceClaim!
resource/v1.ResourceClaimStatus 1allocation:.AllocationResult? 2reservedFor:[].ResourceClaimConsumerReference 4devices:[].AllocatedDeviceStatus
resource/v1.ResourceClaimTemplate 1metadata:meta/v1.ObjectMeta 2spec:.ResourceClaimTemplateSpec!
resource/v1.ResourceClaimTemplateSpec 1metadata:meta/v1.ObjectMeta 2spec:.ResourceClaimSpec!
resource/v1.ResourcePool 1name:s! 2generation:i! 3resourceSliceCount:i!
resource/v1.ResourceSlice 1metadata:meta/v1.ObjectMeta 2spec:.ResourceSliceSpec!
resource/v1.ResourceSliceSpec 1driver:s! 2pool:.ResourcePool! 3nodeName:s? 4nodeSelector:core/v1.NodeSelector? 5allNodes:b? 6devices:[].Device 7perDeviceNodeSelection:b? 8sharedCounters:[].CounterSet
scheduling/v1.PriorityClass 1metadata:meta/v1.ObjectMeta 2value:i! 3globalDefault:b 4description:s 5preemptionPolicy:s?
scheduling/v1alpha2.BasicSchedulingPolicy
scheduling/v1alpha2.GangSchedulingPolicy 1minCount:i!
scheduling/v1alpha2.PodGroup 1metadata:meta/v1.ObjectMeta 2spec:.PodGroupSpec 3status:.PodGroupStatus
scheduling/v1alpha2.PodGroupSchedulingPolicy 1basic:.BasicSchedulingPolicy? 2gang:.GangSchedulingPolicy?
scheduling/v1alpha2.PodGroupSpec 1podGroupTemplateRef:.PodGroupTemplateReference? 2schedulingPolicy:.PodGroupSchedulingPolicy!
scheduling/v1alpha2.PodGroupStatus 1conditions:[]meta/v1.Condition
scheduling/v1alpha2.PodGroupTemplateReference 1workload:.WorkloadPodGroupTemplateReference?
scheduling/v1alpha2.WorkloadPodGroupTemplateReference 1workloadName:s! 2podGroupTemplateName:s!
storage/v1.CSIDriver 1metadata:meta/v1.ObjectMeta 2spec:.CSIDriverSpec!
storage/v1.CSIDriverSpec 1attachRequired:b? 2podInfoOnMount:b? 3volumeLifecycleModes:[]s 4storageCapacity:b? 5fsGroupPolicy:s? 6tokenRequests:[].TokenRequest 7requiresRepublish:b? 8seLinuxMount:b? 9nodeAllocatableUpdatePeriodSeconds:i? 10serviceAccountTokenInSecrets:b? 11preventPodSchedulingIfMissing:b?
storage/v1.CSINode 1metadata:meta/v1.ObjectMeta 2spec:.CSINodeSpec!
storage/v1.CSINodeDriver 1name:s! 2nodeID:s! 3topologyKeys:[]s! 4allocatable:.VolumeNodeResources?
storage/v1.CSINodeSpec 1drivers:[].CSINodeDriver!
storage/v1.CSIStorageCapacity 1metadata:meta/v1.ObjectMeta 2nodeTopology:meta/v1.LabelSelector? 3storageClassName:s! 4capacity:Quantity? 5maximumVolumeSize:Quantity?
storage/v1.StorageClass 1metadata:meta/v1.ObjectMeta 2provisioner:s! 3parameters:{}s 4reclaimPolicy:s? 5mountOptions:[]s 6allowVolumeExpansion:b? 7volumeBindingMode:s? 8allowedTopologies:[]core/v1.TopologySelectorTerm
storage/v1.TokenRequest 1audience:s! 2expirationSeconds:i?
storage/v1.VolumeAttachment 1metadata:meta/v1.ObjectMeta 2spec:.VolumeAttachmentSpec! 3status:.VolumeAttachmentStatus
storage/v1.VolumeAttachmentSource 1persistentVolumeName:s? 2inlineVolumeSpec:core/v1.PersistentVolumeSpec?
storage/v1.VolumeAttachmentSpec 1attacher:s! 2source:.VolumeAttachmentSource! 3nodeName:s!
storage/v1.VolumeAttachmentStatus 1attached:b! 2attachmentMetadata:{}s 3attachError:.VolumeError? 4detachError:.VolumeError?
storage/v1.VolumeAttributesClass 1metadata:meta/v1.ObjectMeta 2driverName:s! 3parameters:{}s
storage/v1.VolumeError 1time:Time 2message:s 3errorCode:i?
storage/v1.VolumeNodeResources 1count:i?
`;
