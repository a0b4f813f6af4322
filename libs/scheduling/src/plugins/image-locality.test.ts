import { expect, it } from 'vitest';
import { NodeTable } from '../node-table.ts';
import { PodShapes } from '../pod-shape.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { imageLocality } from './image-locality.ts';

const MIB = 2 ** 20;
const having = (name: string, images: Record<string, number>) =>
  makeNode(name, {
    status: { images: Object.entries(images).map(([image, mib]) => ({ names: [image], sizeBytes: mib * MIB })) },
  });

function scores(table: NodeTable, ...images: string[]): number[] | null {
  const containers = images.map((image, at) => ({ name: `c${at}`, image }));
  const into = new Float64Array(table.size);
  const shape = new PodShapes().of(makePod('p', { containers }));
  return imageLocality.score(shape, table, Int32Array.from(table.slots), table.size, into) ? [...into] : null;
}

it('prefers nodes that have large images of the pod, the more of them the more nodes have them', () => {
  const table = new NodeTable();
  table.setNode(having('a', { 'web:latest': 1_000, 'db:1': 100 }));
  table.setNode(having('b', { 'web:latest': 1_000 }));
  table.setNode(having('c', { 'db:2': 2_000 }));
  table.setNode(having('d', {}));
  expect(scores(table, 'web')).toEqual([48, 48, 0, 0]);
  expect(scores(table, 'web:latest', 'db:2')).toEqual([24, 24, 24, 0]);
  expect(scores(table, 'unheard-of')).toBeNull();
});

it('follows what nodes have', () => {
  const table = new NodeTable();
  table.setNode(having('a', { 'web:1': 1_000 }));
  table.setNode(having('b', { 'web:1': 1_000 }));
  expect(scores(table, 'web:1')).toEqual([100, 100]);
  table.setNode(having('b', {}));
  expect(scores(table, 'web:1')).toEqual([48, 0]);
  table.removeNode('a');
  expect(scores(table, 'web:1')).toBeNull();
});
