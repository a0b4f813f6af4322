import {
  podDisruptionBudget as budgetKind,
  podGroup as groupKind,
  type Node,
  namespace as namespaceKind,
  node as nodeKind,
  type Pod,
  pod as podKind,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { nodeEvents } from './cluster-events.ts';
import type { Depicted } from './depicted.ts';
import { DEVICE_RESOURCES, isAboutDevices } from './devices/device-catalog.ts';
import { PodGroups } from './gangs/pod-groups.ts';
import { NodeTable } from './node-table.ts';
import type { ClusterChange } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';
import { PodShapes } from './pod-shape.ts';
import { DisruptionBudgets } from './preemption/disruption-budgets.ts';
import { Nominations } from './preemption/nominations.ts';
import { PlacedPods } from './preemption/placed-pods.ts';
import { VOLUME_RESOURCES } from './volumes/volume-catalog.ts';
import { WORKLOAD_RESOURCES } from './workload-selectors.ts';

const resourceOf = ({ group, plural }: { group: string; plural: string }) => ({ group, resource: plural });

export const PODS = resourceOf(podKind);
export const GROUPS = resourceOf(groupKind);
const NODES = resourceOf(nodeKind);
const NAMESPACES = resourceOf(namespaceKind);
const BUDGETS = resourceOf(budgetKind);

/** What pods are seen in the light of, in the order in which a picture is begun. */
export const SURROUNDINGS = [
  NAMESPACES,
  ...WORKLOAD_RESOURCES,
  BUDGETS,
  ...VOLUME_RESOURCES,
  ...DEVICE_RESOURCES,
  NODES,
];

/** What a scheduler has to see of a cluster. */
export const SCHEDULER_RESOURCES = [...SURROUNDINGS, GROUPS, PODS];

export const isOf = ({ key }: Depicted, { group, resource }: typeof PODS): boolean =>
  key.resource === resource && key.group === group;
const nodeOf = ({ object }: Depicted): DeepReadonly<Node> => object as unknown as DeepReadonly<Node>;

/** Containers of a pod that has ended take nothing of their node. */
export const hasEnded = ({ status }: DeepReadonly<Pod>): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** The cluster as decisions see it: what nodes have and who takes it, who is promised what, who belongs with whom. */
export class ClusterPicture {
  readonly table = new NodeTable();
  readonly shapes = new PodShapes();
  readonly placed = new PlacedPods();
  readonly budgets = new DisruptionBudgets();
  readonly groups = new PodGroups();
  readonly nominations = new Nominations(this.table);
  /** Decided, and not yet seen bound. */
  readonly assumed = new Set<string>();

  /** Takes a change of anything but pods and their groups. What it may mean to pods that fit nowhere; null: nothing. */
  take(entry: Depicted, previous: Depicted | null, isGone: boolean): ClusterChange | null {
    const { table, budgets } = this;
    const { name } = entry.key;
    if (isOf(entry, NODES)) return isGone ? this.nodeGone(name) : this.nodeChanged(nodeOf(entry), previous);
    if (isOf(entry, NAMESPACES)) {
      table.tallies.setNamespace(name, isGone ? null : (entry.object.metadata.labels ?? {}));
      return null;
    }
    if (isOf(entry, BUDGETS)) {
      if (isGone) budgets.delete(entry);
      else budgets.set(entry);
      return null;
    }
    if (isAboutDevices(entry)) {
      table.loosened += 1;
      const change = table.devices.apply(entry, isGone);
      return change && { events: ['DevicesChanged'], peer: null, ...change };
    }
    const claim = table.volumes.apply(entry, isGone);
    if (claim !== undefined) {
      table.loosened += 1;
      return { events: ['VolumeChanged'], node: '', peer: null, claim };
    }
    if (isGone) table.workloads.delete(entry);
    else table.workloads.set(entry);
    return null;
  }

  /** Whether a pod that was preempted is still on the node. */
  isBeingLeft(node: string): boolean {
    const { table, placed } = this;
    if (placed.going.size === 0) return false;
    for (const uid of table.podsOn(node).keys()) if (placed.going.has(uid)) return true;
    return false;
  }

  /** A pod counts on its node from the decision on. */
  assume({ pod, uid, shape }: PodInfo, node: string): void {
    this.assumed.add(uid);
    this.placed.set(pod);
    this.table.place(uid, shape, node);
  }

  private nodeGone(node: string): ClusterChange {
    this.table.removeNode(node);
    return { events: ['NodeRemoved'], node, peer: null };
  }

  private nodeChanged(node: DeepReadonly<Node>, previous: Depicted | null): ClusterChange | null {
    const events = nodeEvents(node, previous && nodeOf(previous));
    if (events.length === 0) return null;
    this.table.setNode(node);
    return { events, node: node.metadata.name!, peer: null };
  }
}
