import { expect, it } from 'vitest';
import { DEFAULT_PROFILE } from '../profile.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { explain } from './explain.ts';

const nodes = [
  makeNode('small', { allocatable: { cpu: '1' } }),
  makeNode('cordoned', { spec: { unschedulable: true } }),
  makeNode('busy', { allocatable: { cpu: '4' } }),
  makeNode('free', { allocatable: { cpu: '4' } }),
];
const other = makePod('other', { nodeName: 'busy' }, { cpu: '1' });

it('says which filter refuses a pod on which node, and what each score gives to the others', () => {
  const pod = makePod('p', {}, { cpu: '2' });
  const {
    node,
    message,
    nodes: verdicts,
  } = explain(pod, { nodes, namespaces: [], pods: [other, pod] }, DEFAULT_PROFILE);
  expect(node).toBeNull();
  expect(message).toBe('2/4 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.');
  expect(verdicts.map(({ node, refusedBy }) => [node, refusedBy])).toEqual([
    ['free', null],
    ['busy', null],
    ['cordoned', { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'] }],
    ['small', { plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'] }],
  ]);
  const [free, busy] = verdicts;
  expect(free!.total).toBeGreaterThan(busy!.total);
  expect(free!.scores.NodeResourcesFit).toBeGreaterThan(busy!.scores.NodeResourcesFit!);
});

it('takes a pod that has a node for one that has none, and does not count it where it is', () => {
  const pod = makePod('p', { nodeName: 'small' }, { cpu: '1' });
  const { node, nodes: verdicts } = explain(pod, { nodes, namespaces: [], pods: [other, pod] }, DEFAULT_PROFILE);
  expect(node).toBe('small');
  expect(verdicts.filter(({ refusedBy }) => refusedBy === null).map(({ node }) => node)).toContain('small');
});

it('says of no nodes, and of all, how many take it', () => {
  const pod = makePod('p');
  expect(explain(pod, { nodes: [], namespaces: [], pods: [] }, DEFAULT_PROFILE).message).toBe(
    'no nodes available to schedule pods',
  );
  const fine = { nodes: nodes.slice(2), namespaces: [], pods: [] };
  expect(explain(pod, fine, DEFAULT_PROFILE).message).toBe('2/2 nodes are available.');
});
