import type { KindRegistry } from '@periplus/api';
import type { Controller } from '@periplus/reconcile';
import { attachDetachController } from './attach-detach/attach-detach-controller.ts';
import { attachedVolumesController } from './attach-detach/attached-volumes-controller.ts';
import { bootstrapSigner } from './bootstrap-token/bootstrap-signer.ts';
import type { TokenEnquiry } from './bootstrap-token/bootstrap-tokens.ts';
import { tokenCleaner } from './bootstrap-token/token-cleaner.ts';
import type { CertificateEnquiries } from './certificates/certificate-enquiries.ts';
import { csrApprover } from './certificates/csr-approver.ts';
import { csrCleaner } from './certificates/csr-cleaner.ts';
import { csrSigner, type SigningSettings } from './certificates/csr-signer.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation/cluster-role-aggregation-controller.ts';
import { cronJobController } from './cron-job/cron-job-controller.ts';
import { daemonSetController } from './daemon-set/daemon-set-controller.ts';
import { deploymentController } from './deployment/deployment-controller.ts';
import { cancelledDeviceEvictionController } from './device-taints/cancelled-device-eviction-controller.ts';
import { deviceTaintEvictionController } from './device-taints/device-taint-eviction-controller.ts';
import { disruptionController } from './disruption/disruption-controller.ts';
import { staleDisruptionController } from './disruption/stale-disruption-controller.ts';
import { endpointSliceController } from './endpoint-slice/endpoint-slice-controller.ts';
import { mirroringController } from './endpoint-slice-mirroring/mirroring-controller.ts';
import { endpointsController } from './endpoints/endpoints-controller.ts';
import { ephemeralVolumeController } from './ephemeral-volume/ephemeral-volume-controller.ts';
import { flowSchemaController } from './flow-schema/flow-schema-controller.ts';
import { garbageCollector } from './garbage-collection/garbage-collector.ts';
import { type AutoscalerSettings, hpaController } from './horizontal-pod-autoscaler/hpa-controller.ts';
import type { PodUsage } from './horizontal-pod-autoscaler/pod-usage.ts';
import { jobController } from './job/job-controller.ts';
import { jobPodReleaseController } from './job/job-pod-release-controller.ts';
import {
  type LegacyTokenSettings,
  legacyTokenCleaner,
  type SecretEnquiry,
} from './legacy-token/legacy-token-cleaner.ts';
import { namespaceController } from './namespace/namespace-controller.ts';
import { cancelledEvictionController } from './node/cancelled-eviction-controller.ts';
import { endedPodController } from './node/ended-pod-controller.ts';
import { type NodeMonitorSettings, nodeController } from './node/node-controller.ts';
import { nodeRegistrationController } from './node/node-registration-controller.ts';
import { outOfServiceController } from './node/out-of-service-controller.ts';
import { podGcController, unscheduledPodController } from './node/pod-gc-controller.ts';
import { taintEvictionController } from './node/taint-eviction-controller.ts';
import { nodeIpamController } from './node-ipam/node-ipam-controller.ts';
import type { PodNetwork } from './node-ipam/pod-ranges.ts';
import { nodeLocalDeleter } from './node-local/node-local-deleter.ts';
import { nodeLocalProvisioner } from './node-local/node-local-provisioner.ts';
import { claimBinder } from './persistent-volume/claim-binder.ts';
import { expansionController } from './persistent-volume/expansion-controller.ts';
import type { RecyclerSettings } from './persistent-volume/recycler-pod.ts';
import { volumePhaseController } from './persistent-volume/volume-phase-controller.ts';
import { replicaSetController, replicationControllerController } from './replica-set/replica-set-controller.ts';
import { claimReleaseController } from './resource-claim/claim-release-controller.ts';
import { podClaimController } from './resource-claim/pod-claim-controller.ts';
import { resourceQuotaController } from './resource-quota/resource-quota-controller.ts';
import { rootCaController } from './root-ca/root-ca-controller.ts';
import { serviceAccountController } from './service-account/service-account-controller.ts';
import { addressCleaner } from './service-addresses/address-cleaner.ts';
import { addressRepairController } from './service-addresses/address-repair-controller.ts';
import { serviceCidrController } from './service-addresses/service-cidr-controller.ts';
import { statefulSetController } from './stateful-set/stateful-set-controller.ts';
import { ttlController } from './ttl/ttl-controller.ts';
import { ttlAfterFinishedController } from './ttl-after-finished/ttl-after-finished-controller.ts';
import { attributesClassProtectionController } from './volume-protection/attributes-class-protection-controller.ts';
import { claimProtectionController } from './volume-protection/claim-protection-controller.ts';
import { volumeProtectionController } from './volume-protection/volume-protection-controller.ts';

const signers = ({ readRequest, sign }: CertificateEnquiries, settings: SigningSettings): Controller[] =>
  sign ? [csrSigner({ readRequest, sign }, settings)] : [];

/** Every controller of a cluster. `rootCaPem` is the authority that clients check the api-server against. */
export const builtinControllers = (settings: {
  kinds: KindRegistry;
  rootCaPem: string;
  nodeMonitor: NodeMonitorSettings;
  /** What the autoscaler knows of the use of pods. */
  usage: PodUsage;
  autoscaler: AutoscalerSettings;
  /** Of each family of addresses at most one. None: nodes bring their ranges of pod addresses themselves. */
  podNetworks: readonly PodNetwork[];
  certificates: CertificateEnquiries;
  signing: SigningSettings;
  bootstrapTokens: TokenEnquiry;
  secrets: SecretEnquiry;
  legacyTokens: LegacyTokenSettings;
  recycler: RecyclerSettings;
  /** How many pods that have ended are kept; 0: all. */
  endedPodsKeptMax: number;
}): readonly Controller[] => [
  namespaceController(settings.kinds),
  serviceAccountController,
  rootCaController(settings.rootCaPem),
  clusterRoleAggregationController,
  deploymentController,
  replicaSetController,
  statefulSetController,
  daemonSetController,
  replicationControllerController,
  jobController,
  jobPodReleaseController,
  // Where CronJobs name no time zone they mean this process'.
  cronJobController(Intl.DateTimeFormat().resolvedOptions().timeZone),
  ttlAfterFinishedController,
  hpaController(settings.kinds, settings.usage, settings.autoscaler),
  endpointSliceController,
  endpointsController,
  mirroringController,
  serviceCidrController,
  addressRepairController,
  addressCleaner,
  disruptionController(settings.kinds),
  staleDisruptionController,
  nodeController(settings.nodeMonitor),
  nodeRegistrationController,
  taintEvictionController,
  cancelledEvictionController,
  ttlController,
  podGcController,
  outOfServiceController,
  ...(settings.podNetworks.length > 0 ? [nodeIpamController(settings.podNetworks)] : []),
  csrApprover(settings.certificates),
  ...signers(settings.certificates, settings.signing),
  csrCleaner,
  bootstrapSigner(settings.bootstrapTokens),
  tokenCleaner(settings.bootstrapTokens),
  legacyTokenCleaner(settings.secrets, settings.legacyTokens),
  unscheduledPodController,
  ...(settings.endedPodsKeptMax > 0 ? [endedPodController(settings.endedPodsKeptMax)] : []),
  resourceQuotaController(settings.kinds),
  flowSchemaController,
  ephemeralVolumeController,
  claimBinder,
  volumePhaseController(settings.recycler),
  expansionController,
  attachDetachController,
  attachedVolumesController,
  nodeLocalProvisioner,
  nodeLocalDeleter,
  claimProtectionController,
  volumeProtectionController,
  attributesClassProtectionController,
  podClaimController,
  claimReleaseController,
  deviceTaintEvictionController,
  cancelledDeviceEvictionController,
  garbageCollector(settings.kinds),
];
