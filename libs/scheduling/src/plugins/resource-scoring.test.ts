import { expect, it } from 'vitest';
import { NodeTable } from '../node-table.ts';
import type { DynamicScore } from '../plugin.ts';
import { PodShapes } from '../pod-shape.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { balancedAllocation, LEAST_ALLOCATED, resourceScoring, type ScoringStrategy } from './resource-scoring.ts';

const shapes = new PodShapes();
const { resources } = LEAST_ALLOCATED;

/** Scores of nodes `[cpu, memory in Gi]` with pods on them that take that much, for one that takes 1 CPU and 1 Gi. */
function scoresOf(
  score: DynamicScore,
  nodes: [has: [number, number], taken: [number, number]][],
  requests?: Record<string, string>,
) {
  const table = new NodeTable();
  nodes.forEach(([[cpu, gi], [takenCpu, takenGi]], at) => {
    table.setNode(makeNode(`n${at}`, { allocatable: { cpu: `${cpu}`, memory: `${gi}Gi`, 'example.com/gpu': '4' } }));
    const pod = makePod(`on-${at}`, {}, { cpu: `${takenCpu}`, memory: `${takenGi}Gi`, 'example.com/gpu': `${at}` });
    table.place(`on-${at}`, shapes.footprint(pod), `n${at}`);
  });
  const scores = new Float64Array(nodes.length);
  const shape = shapes.of(makePod('p', {}, requests ?? { cpu: '1', memory: '1Gi' }));
  return score.score(shape, table, Int32Array.from(table.slots), nodes.length, scores) ? [...scores] : null;
}

const NODES: [[number, number], [number, number]][] = [
  [
    [4, 4],
    [0, 0],
  ],
  [
    [4, 4],
    [1, 2],
  ],
  [
    [4, 4],
    [3, 3],
  ],
  [
    [10, 4],
    [0, 0],
  ],
];

it.each<[string, ScoringStrategy, number[]]>([
  ['LeastAllocated', LEAST_ALLOCATED, [75, 37, 0, 82]],
  ['MostAllocated', { type: 'MostAllocated', resources }, [25, 62, 100, 17]],
  [
    'LeastAllocated, of memory alone',
    { type: 'LeastAllocated', resources: [{ name: 'memory', weight: 5 }] },
    [75, 25, 0, 75],
  ],
  [
    'RequestedToCapacityRatio',
    {
      type: 'RequestedToCapacityRatio',
      resources,
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 50, score: 10 },
        { utilization: 100, score: 0 },
      ],
    },
    [50, 75, 0, 35],
  ],
])('scores by %s', (_, strategy, scores) => {
  expect(scoresOf(resourceScoring(strategy), NODES)).toEqual(scores);
});

it('counts an extended resource only for pods that want it', () => {
  const strategy: ScoringStrategy = {
    type: 'MostAllocated',
    resources: [
      { name: 'cpu', weight: 1 },
      { name: 'example.com/gpu', weight: 3 },
    ],
  };
  const score = resourceScoring(strategy);
  expect(scoresOf(score, NODES)).toEqual([25, 50, 100, 10]);
  expect(scoresOf(score, NODES, { cpu: '1', 'example.com/gpu': '1' })).toEqual([25, 50, 81, 77]);
});

it('prefers balance, and has no opinion on pods that ask for nothing', () => {
  expect(scoresOf(balancedAllocation(), NODES)).toEqual([100, 87, 100, 92]);
  expect(scoresOf(balancedAllocation(), NODES, { 'example.com/gpu': '1' })).toBeNull();
});
