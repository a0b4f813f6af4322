import { isTolerated, type Taint } from '@periplus/api';
import type { StaticFilter } from '../plugin.ts';

/** What a cordoned node is tainted with, also before its controller has done so. */
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Keeps pods off cordoned nodes (`kubectl cordon`), unless they tolerate that. */
export const nodeUnschedulable: StaticFilter = {
  name: 'NodeUnschedulable',
  wakesOn: ['NodeAdded', 'NodeUnschedulable'],
  filter: ({ tolerations }, node) =>
    !node.spec.unschedulable || isTolerated(CORDONED, tolerations) ? null : 'node(s) were unschedulable',
};
