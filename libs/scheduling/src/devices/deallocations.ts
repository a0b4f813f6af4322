import type { CommandClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { Decider } from '../decide.ts';
import type { NodeTable } from '../node-table.ts';
import { DYNAMIC_RESOURCES } from '../plugins/dynamic-resources.ts';
import type { PodInfo } from '../pod-info.ts';
import type { SchedulingQueue, Waiting } from '../scheduling-queue.ts';
import { deallocate } from './claim-commands.ts';
import { DevicePlanner, UNAVAILABLE } from './device-planner.ts';
import type { Claim } from './resource-types.ts';

/** What is said of claims when a pod fits nowhere, in the words of the FailedScheduling event. */
export const CLAIMS_SAY = {
  nothing: 'no new claims to deallocate',
  inUse: 'still not schedulable',
  freed: 'deallocation of ResourceClaim completed',
} as const;

const isFreeFor = ({ status }: Claim, uid: string): boolean =>
  (status?.reservedFor ?? []).every((user) => user.uid === uid);

/**
 * A claim that keeps a pod from fitting where it would otherwise, as its devices are elsewhere, and that nobody else
 * uses; null: there is none. Undefined: it is not for its claims that the pod fits nowhere.
 */
function unusedClaim(
  { uid, shape }: PodInfo,
  decider: Decider,
  { nodes, devices }: NodeTable,
): Claim | null | undefined {
  if (!shape.devices) return undefined;
  const planner = new DevicePlanner(shape.devices, devices, decider.profile.deviceLimits);
  if (planner.obstacle !== null) return undefined;
  for (const slot of decider.takenBut(shape, DYNAMIC_RESOURCES)) {
    const node = nodes[slot]!;
    if (planner.plan(node) !== UNAVAILABLE) continue;
    const claim = planner.unavailableOn(node).find((one) => isFreeFor(one, uid) && !devices.isWanted(one));
    if (claim) return claim;
  }
  return null;
}

export interface DeallocationsDeps {
  picture: { readonly table: NodeTable };
  queue: Pick<SchedulingQueue, 'reconsider'>;
  commands: CommandClient;
  log: Logger;
  nowMs(): number;
  /** Aborts when the leadership is over. */
  signal: AbortSignal;
}

/** Takes devices from claims that keep pods from fitting and that nobody uses: they are allocated anew where the pod fits. */
export class Deallocations {
  private readonly deps: DeallocationsDeps;

  constructor(deps: DeallocationsDeps) {
    this.deps = deps;
  }

  /** For a pod that `decider` has just refused, alone or with the gang that waits. Returns what is said of its claims. */
  help(pod: PodInfo, waiting: Waiting, decider: Decider): string {
    const { picture, queue, commands, log, nowMs, signal } = this.deps;
    const claim = decider.profile.deallocates ? unusedClaim(pod, decider, picture.table) : undefined;
    if (!claim) return claim === undefined ? CLAIMS_SAY.nothing : CLAIMS_SAY.inUse;
    commands.send(deallocate(claim), waiting.cause, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.warn({ error, claim: claim.metadata.name }, 'a claim could not be deallocated');
      queue.reconsider(waiting.pod.uid, waiting.cause, nowMs());
    });
    return CLAIMS_SAY.freed;
  }
}
