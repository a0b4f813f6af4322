import {
  claimConflict,
  isHeldFor,
  matchesRequired,
  matchingVolume,
  NODE_LOCAL_PROVISIONER,
  type Node,
  type StorageClass,
  VOLUME_DIRECTORY_ANNOTATION,
} from '@periplus/api';
import { type DeepReadonly, parseQuantity } from '@periplus/apimachinery';
import type { PodShape } from '../pod-shape.ts';
import { type Claim, isBound, keyOf, type Volume, type VolumeCatalog } from './volume-catalog.ts';

type NodeView = DeepReadonly<Node>;
type Class = DeepReadonly<StorageClass>;

/** In the words of the FailedScheduling event. */
const REASON = {
  unreachable: "node(s) didn't match PersistentVolume's node affinity",
  noVolume: "node(s) didn't find available persistent volumes to bind",
  lostVolume: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const;
const UNBOUND_IMMEDIATE = 'pod has unbound immediate PersistentVolumeClaims';
const AWAITS_CLAIM = 'waiting for ephemeral volume controller to create the persistentvolumeclaim';
/** Stands for nobody who makes volumes. */
const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

/** What has to be done for the claims of a pod before it can run on a node. */
export interface VolumePlan {
  readonly take: readonly { readonly claim: Claim; readonly volume: Volume }[];
  readonly provision: readonly Claim[];
}

const reaches = ({ spec }: Volume, node: NodeView): boolean =>
  matchesRequired({ requiredDuringSchedulingIgnoredDuringExecution: spec.nodeAffinity?.required }, node);

const sizeOf = ({ spec }: Claim) => parseQuantity(spec.resources?.requests?.storage ?? 0);

/** https://kubernetes.io/docs/concepts/storage/storage-classes/#allowed-topologies */
const isAllowed = ({ allowedTopologies = [] }: Class, { metadata }: NodeView): boolean =>
  allowedTopologies.length === 0 ||
  allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? '')),
  );

/** Whether the class can have a volume made for the node. */
function canProvision(ofClass: Class, node: NodeView): boolean {
  const { provisioner } = ofClass;
  if (provisioner === NO_PROVISIONER || !isAllowed(ofClass, node)) return false;
  return (
    provisioner !== NODE_LOCAL_PROVISIONER || node.metadata.annotations?.[VOLUME_DIRECTORY_ANNOTATION] !== undefined
  );
}

/**
 * What the claims of a pod make of nodes: bound ones must reach the pod's node; others get a volume there, or have one
 * made. Good until anything changes. https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
export class ClaimPlanner {
  /** Why the pod can run nowhere for now; null when that depends on the node. */
  readonly obstacle: string | null;
  private readonly catalog: VolumeCatalog;
  private readonly bound: Volume[] = [];
  private readonly open: { claim: Claim; candidates: readonly Volume[] }[] = [];
  private isLost = false;

  constructor(pod: Pick<PodShape, 'claims' | 'claimant'>, catalog: VolumeCatalog) {
    this.catalog = catalog;
    this.obstacle = this.sort(pod);
    this.open.sort((a, b) => sizeOf(a.claim).compare(sizeOf(b.claim)));
  }

  /** The plan for the node, or why there is none. */
  plan(node: NodeView): VolumePlan | string {
    if (this.obstacle !== null) return this.obstacle;
    if (this.isLost) return REASON.lostVolume;
    if (!this.bound.every((volume) => reaches(volume, node))) return REASON.unreachable;
    const take: { claim: Claim; volume: Volume }[] = [];
    const provision: Claim[] = [];
    for (const { claim, candidates } of this.open) {
      const decided = this.catalog.nodeOf(claim);
      if (decided !== undefined && decided !== node.metadata.name) return REASON.noVolume;
      const isUsable = (volume: Volume): boolean =>
        reaches(volume, node) && !take.some((taken) => taken.volume === volume);
      const volume = decided === undefined ? matchingVolume(claim, candidates, isUsable) : undefined;
      if (volume) take.push({ claim, volume });
      else if (canProvision(this.catalog.classOf(claim)!, node)) provision.push(claim);
      else return REASON.noVolume;
    }
    return { take, provision };
  }

  /** Returns the obstacle, as `obstacle`. */
  private sort({ claims, claimant }: Pick<PodShape, 'claims' | 'claimant'>): string | null {
    const { catalog } = this;
    for (const key of claims ?? []) {
      const claim = catalog.claim(key);
      const name = JSON.stringify(key.slice(key.indexOf('/') + 1));
      const isMade = claimant?.claims.includes(key) === true;
      if (!claim) return isMade ? `${AWAITS_CLAIM} ${name}` : `persistentvolumeclaim ${name} not found`;
      if (claim.status?.phase === 'Lost') {
        return `persistentvolumeclaim ${name} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`;
      }
      if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim ${name} is being deleted`;
      const conflict = isMade ? claimConflict(claimant.pod, claim) : undefined;
      if (conflict !== undefined) return conflict;
      if (isBound(claim)) {
        const volume = catalog.volume(claim.spec.volumeName!);
        if (volume) this.bound.push(volume);
        else this.isLost = true;
        continue;
      }
      // What is tied to a volume already is for the controller to bind.
      const waits = catalog.classOf(claim)?.volumeBindingMode === 'WaitForFirstConsumer';
      if (!waits || claim.spec.volumeName) return UNBOUND_IMMEDIATE;
      const candidates = catalog.candidatesFor(claim);
      const isHeld = (volume: Volume): boolean => isHeldFor(volume, claim);
      if (matchingVolume(claim, candidates, isHeld)) return UNBOUND_IMMEDIATE;
      this.open.push({ claim, candidates });
    }
    return null;
  }
}

export const isPlan = (plan: VolumePlan | string): plan is VolumePlan => typeof plan !== 'string';

/** The claims that something is done for. */
export const plannedClaims = ({ take, provision }: VolumePlan): string[] =>
  [...take.map(({ claim }) => claim), ...provision].map(keyOf);
