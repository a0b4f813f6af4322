import { expect, it } from 'vitest';
import { nodeEvents } from './cluster-events.ts';
import type { ClusterEvent } from './plugin.ts';
import { makeNode } from './testing/objects.ts';

const taints = [{ key: 'a', effect: 'NoSchedule' }];

it.each<[string, object, object, ClusterEvent[]]>([
  ['a heartbeat', { status: { conditions: [1] } }, { status: { conditions: [2] } }, []],
  ['nothing, written in another way', {}, { spec: { taints: [], unschedulable: false } }, []],
  ['what it has', {}, { allocatable: { cpu: '4' } }, ['NodeAllocatable']],
  ['what it can do', {}, { status: { declaredFeatures: ['A'] } }, ['NodeFeatures']],
  ['labels', {}, { labels: { zone: 'a' } }, ['NodeLabels']],
  ['taints', { spec: { taints } }, {}, ['NodeTaints']],
  ['being cordoned', { spec: { unschedulable: true } }, {}, ['NodeUnschedulable']],
  ['several at once', { spec: { unschedulable: true, taints } }, {}, ['NodeTaints', 'NodeUnschedulable']],
])('knows what changed of a node: %s', (_, old, now, events) => {
  expect(nodeEvents(makeNode('n', now), makeNode('n', old))).toEqual(events);
});

it('takes a node that was not there for a new one', () => {
  expect(nodeEvents(makeNode('n'), null)).toEqual(['NodeAdded']);
});
