import {
  annotationOf,
  type Kind,
  type Node,
  persistentVolume,
  persistentVolumeClaim,
  VOLUME_ANNOTATION,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { ClusterCache } from '@periplus/cache';
import type { Command, CommandCause, CommandClient } from '@periplus/client';
import { ClaimWatch } from '../claim-watch.ts';
import type { PodShape } from '../pod-shape.ts';
import { ClaimPlanner, isPlan, plannedClaims, type VolumePlan } from './claim-planner.ts';
import { type Claim, isBound, keyOf, type Volume, type VolumeCatalog } from './volume-catalog.ts';

/** The volume is held for the claim: the controller makes them one another's. */
function take(volume: Volume, { apiVersion, kind, metadata }: Claim): Command {
  const { namespace, name, uid, resourceVersion } = metadata;
  return {
    ...{ verb: 'patch', kind: persistentVolume as unknown as Kind, namespace: '', name: volume.metadata.name! },
    ...{ ifUid: volume.metadata.uid, ifResourceVersion: volume.metadata.resourceVersion, type: 'merge' },
    patch: {
      metadata: { annotations: { [VOLUME_ANNOTATION.boundByController]: 'yes' } },
      spec: { claimRef: { apiVersion, kind, namespace, name, uid, resourceVersion } },
    },
  };
}

const selectNode = ({ metadata }: Claim, node: string): Command => ({
  ...{ verb: 'patch', kind: persistentVolumeClaim as unknown as Kind, type: 'merge', ifUid: metadata.uid },
  ...{ namespace: metadata.namespace!, name: metadata.name! },
  patch: { metadata: { annotations: { [VOLUME_ANNOTATION.selectedNode]: node } } },
});

export interface VolumeBinderDeps {
  catalog: VolumeCatalog;
  commands: CommandClient;
  cache: Pick<ClusterCache, 'waitFor'>;
}

/** Has the claims of a pod bound on the node that was chosen for it, before the pod itself is bound. */
export class VolumeBinder {
  private readonly deps: VolumeBinderDeps;
  private readonly watch = new ClaimWatch();

  constructor(deps: VolumeBinderDeps) {
    this.deps = deps;
  }

  /**
   * Decides what is to be done on the node, and keeps it from others. Null: nothing. Throws when it can't be done any
   * more: another pod of the same gang was faster.
   */
  assume(pod: PodShape, node: DeepReadonly<Node>): VolumePlan | null {
    const { catalog } = this.deps;
    const plan = new ClaimPlanner(pod, catalog).plan(node);
    if (!isPlan(plan)) throw new Error(plan);
    if (plannedClaims(plan).length === 0) return null;
    for (const { claim, volume } of plan.take) catalog.reserve(volume.metadata.name!, keyOf(claim));
    for (const claim of plan.provision) catalog.select(keyOf(claim), node.metadata.name!);
    return plan;
  }

  /** Resolves when all claims of the plan are bound. Rejects when that fails, or takes longer than `msMax`. */
  async bind(
    plan: VolumePlan,
    { node, msMax }: { node: string; msMax: number },
    cause: CommandCause | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { catalog, commands, cache } = this.deps;
    const wanted = [
      ...plan.take.map(({ claim, volume }) => take(volume, claim)),
      ...plan.provision.map((claim) => selectNode(claim, node)),
    ];
    try {
      const outcomes = await Promise.all(wanted.map((command) => commands.send(command, cause, signal)));
      await cache.waitFor(Math.max(...outcomes.map(({ revision }) => revision)), signal);
      await this.untilBound(plan, msMax, signal);
    } finally {
      for (const key of plannedClaims(plan)) catalog.settle(key);
    }
  }

  /** A claim has changed, or its volume has. */
  look(claim: string): void {
    this.watch.look(claim);
  }

  private async untilBound(plan: VolumePlan, msMax: number, signal: AbortSignal): Promise<void> {
    const keys = plannedClaims(plan);
    const areBound = (): boolean => {
      const problem = this.problem(plan);
      if (problem) throw new Error(problem);
      return keys.every((key) => this.isDone(key));
    };
    try {
      await this.watch.until(keys, areBound, msMax, signal);
    } catch (error) {
      throw new Error(`binding volumes: ${(error as Error).message}`, { cause: error });
    }
  }

  private isDone(key: string): boolean {
    const claim = this.deps.catalog.claim(key);
    return claim !== undefined && isBound(claim) && this.deps.catalog.volume(claim.spec.volumeName!) !== undefined;
  }

  /** Why the plan can't come true any more. */
  private problem({ take: taken, provision }: VolumePlan): string | undefined {
    const { catalog } = this.deps;
    for (const before of [...taken.map(({ claim }) => claim), ...provision]) {
      const { name, uid } = before.metadata;
      const claim = catalog.claim(keyOf(before));
      if (claim?.metadata.uid !== uid) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
      const isGivenBack = provision.includes(before) && annotationOf(claim!, 'selectedNode') === undefined;
      if (isGivenBack && !isBound(claim!)) return `provisioning failed for PVC ${JSON.stringify(name)}`;
    }
    return undefined;
  }
}
