import { type Node, node } from '@periplus/api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { ttlController, ttlSeconds } from './ttl-controller.ts';

const ANNOTATION = 'node.alpha.kubernetes.io/ttl';
const KEY = { namespace: '', name: '' };

it.each<[number, string | undefined, number]>([
  [1, undefined, 0],
  [100, undefined, 0],
  [101, undefined, 15],
  [101, '0', 15],
  [100, '15', 15],
  [90, '15', 15],
  [89, '15', 0],
  [500, '15', 15],
  [501, '15', 30],
  [2_001, undefined, 300],
  [1_799, '300', 60],
  [5, 'long', 0],
  [5, '7', 0],
])('of %i nodes one that was told %s is told %i', (count, before, seconds) => {
  expect(ttlSeconds(count, before)).toBe(seconds);
});

it('tells a node the same twice when nothing changed', () => {
  fc.assert(
    fc.property(
      fc.nat(3_000),
      fc.option(fc.constantFrom('0', '15', '30', '60', '300'), { nil: undefined }),
      (n, told) => {
        const seconds = ttlSeconds(n, told);
        expect(ttlSeconds(n, String(seconds))).toBe(seconds);
      },
    ),
  );
});

it('tells all nodes when the cluster has grown, some after the others', () => {
  const sim = new Simulation(ttlController);
  const add = (name: string): Node =>
    sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
  const told = (): (string | undefined)[] => [
    ...new Set(
      sim.cluster
        .view()
        .list(node)
        .map(({ metadata }) => metadata.annotations?.[ANNOTATION]),
    ),
  ];
  add('first');
  sim.reconcile(ttlController, KEY);
  expect(told()).toEqual(['0']);
  for (let i = 0; i < 600; i++) add(`n-${i}`);
  expect(ttlController.reconcile(KEY, sim.cluster.view()).steps[0]).toHaveLength(500);
  while (sim.reconcile(ttlController, KEY));
  expect(told()).toEqual(['30']);
});

it('is woken by nodes that come, go or were told something else, and by nothing more', () => {
  const [rule] = ttlController.watches;
  const sim = new Simulation();
  const woken: boolean[] = [];
  sim.cluster.subscribe((_revision, changes) => {
    for (const change of changes) woken.push(rule!.concerns!(change, sim.cluster.view()));
  });
  const put = (more: object, annotations: Record<string, string> = {}) =>
    sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', annotations }, spec: {}, ...more });
  put({});
  put({ spec: { unschedulable: true } });
  put({}, { [ANNOTATION]: '0' });
  put({ spec: { unschedulable: true } }, { [ANNOTATION]: '0' });
  put({}, { [ANNOTATION]: '1' });
  sim.cluster.remove(node, '', 'n');
  expect(woken).toEqual([true, false, true, false, true, true]);
});
