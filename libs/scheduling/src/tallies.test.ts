import { expect, it } from 'vitest';
import { NodeTable } from './node-table.ts';
import { PodShapes } from './pod-shape.ts';
import { makeNode, makePod } from './testing/objects.ts';

const shapes = new PodShapes();

function cluster(): NodeTable {
  const table = new NodeTable();
  table.setNode(makeNode('a', { labels: { zone: 'one' } }));
  table.setNode(makeNode('b', { labels: { zone: 'one' } }));
  table.setNode(makeNode('c', { labels: { zone: 'two' } }));
  table.setNode(makeNode('d'));
  return table;
}
const place = (table: NodeTable, name: string, node: string) =>
  table.place(`uid-${name}`, shapes.footprint(makePod(name)), node);
const inZones = (table: NodeTable, key = 'all', topologyKey = 'zone') =>
  table.tallies.get(key, () => ({ topologyKey, weigh: () => 1 }));
const around = (table: NodeTable, key?: string, topologyKey?: string) =>
  ['a', 'b', 'c', 'd'].map((node) => inZones(table, key, topologyKey).around(table.slot(node)!));

it('counts the pods of a domain on whichever of its nodes they are', () => {
  const table = cluster();
  for (const [at, node] of ['a', 'b', 'b', 'c', 'd', 'elsewhere'].entries()) place(table, `p${at}`, node);
  expect(around(table)).toEqual([3, 3, 1, 0]);
  expect(inZones(table)).toMatchObject({ domains: 2, total: 4 });
  table.displace('uid-p0');
  place(table, 'p9', 'c');
  expect(around(table)).toEqual([2, 2, 2, 0]);
});

it('follows nodes that come, go and move to another domain', () => {
  const table = cluster();
  for (const [at, node] of ['a', 'b', 'b', 'c', 'd', 'late'].entries()) place(table, `p${at}`, node);
  expect(inZones(table).lowest()).toBe(1);
  table.setNode(makeNode('b', { labels: { zone: 'two' } }));
  expect(around(table)).toEqual([1, 3, 3, 0]);
  table.setNode(makeNode('late', { labels: { zone: 'one' } }));
  expect(around(table)).toEqual([2, 3, 3, 0]);
  table.removeNode('late');
  // Its slot goes to another node.
  table.setNode(makeNode('new', { labels: { zone: 'three' } }));
  expect(around(table)).toEqual([1, 3, 3, 0]);
  expect(inZones(table)).toMatchObject({ domains: 3, total: 4 });
  expect(inZones(table).lowest()).toBe(0);
});

it('counts anew what was not asked for in a long time, and right', () => {
  const table = cluster();
  place(table, 'p', 'a');
  const first = inZones(table, 'first');
  for (let other = 0; other < 2_000; other += 1) inZones(table, `other ${other}`, `key ${other % 100}`);
  place(table, 'q', 'b');
  expect(inZones(table, 'first')).not.toBe(first);
  expect(around(table, 'first')).toEqual([2, 2, 0, 0]);
  expect(inZones(table, 'other 1999')).toBe(inZones(table, 'other 1999'));
});

it('does not count again for a namespace whose labels are what they were', () => {
  const table = cluster();
  place(table, 'p', 'a');
  table.tallies.setNamespace('default', { team: 'a' });
  const tally = inZones(table);
  table.tallies.setNamespace('default', { team: 'a' });
  table.tallies.setNamespace('brand-new', { team: 'b' });
  expect(inZones(table)).toBe(tally);
  table.tallies.setNamespace('default', { team: 'b' });
  expect(inZones(table)).not.toBe(tally);
  expect(around(table)).toEqual([1, 1, 0, 0]);
});
