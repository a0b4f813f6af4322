/**
 * The built-in controllers, a folder each; `builtin-controllers.ts` lists them. All of them are data and pure functions:
 * `simulation.ts` plays with them in memory.
 */

export { tokenEnquiry } from './bootstrap-token/bootstrap-tokens.ts';
export { builtinControllers } from './builtin-controllers.ts';
export { certificateEnquiries } from './certificates/certificate-enquiries.ts';
export type { SigningSettings } from './certificates/csr-signer.ts';
export type { AutoscalerSettings } from './horizontal-pod-autoscaler/hpa-controller.ts';
export type { HeardMetrics, PodUsage } from './horizontal-pod-autoscaler/pod-usage.ts';
export { UsageFeed, type UsageFeedDeps } from './horizontal-pod-autoscaler/usage-feed.ts';
export { type LegacyTokenSettings, secretEnquiry } from './legacy-token/legacy-token-cleaner.ts';
export type { NodeMonitorSettings } from './node/node-controller.ts';
export { checkPodNetworks, type PodNetwork } from './node-ipam/pod-ranges.ts';
export type { RecyclerSettings } from './persistent-volume/recycler-pod.ts';
