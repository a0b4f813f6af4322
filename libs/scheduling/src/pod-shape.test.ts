import { expect, it } from 'vitest';
import { PodShapes } from './pod-shape.ts';
import { makePod, onlyOn, webContainer } from './testing/objects.ts';

it('gives pods of one template one shape, and others what they have in common', () => {
  const shapes = new PodShapes();
  const shape = shapes.of(makePod('a', { nodeSelector: { disk: 'ssd' } }, { cpu: '1' }));
  expect(shapes.of(makePod('b', { nodeSelector: { disk: 'ssd' } }, { cpu: '1' }))).toBe(shape);
  const larger = shapes.of(makePod('c', { nodeSelector: { disk: 'ssd' } }, { cpu: '2' }));
  expect(larger).not.toBe(shape);
  expect(larger.constraints).toBe(shape.constraints);
  const elsewhere = shapes.of(makePod('d', {}, { cpu: '1' }));
  expect(elsewhere.demand).toBe(shape.demand);
  expect(shapes.footprint(makePod('e', { nodeName: 'n' }, { cpu: '1' })).demand).toBe(shape.demand);
});

it('knows the ports of containers and sidecars, but not of init containers that end', () => {
  const port = (hostPort: number) => [{ containerPort: 1, hostPort, protocol: 'UDP' }];
  const { demand } = new PodShapes().footprint(
    makePod('a', {
      containers: [webContainer('10.0.0.1'), { name: 'b', ports: [{ containerPort: 5 }] }],
      initContainers: [
        { name: 'sidecar', restartPolicy: 'Always', ports: port(81) },
        { name: 'init', ports: port(82) },
      ],
    }),
  );
  expect(demand.hostPorts).toEqual([
    { protocol: 'TCP', port: 80, address: '10.0.0.1' },
    { protocol: 'UDP', port: 81, address: '0.0.0.0' },
  ]);
});

it.each<[string, object | undefined, string[] | null]>([
  ['no affinity', undefined, null],
  ['names', onlyOn('a', 'b'), ['a', 'b']],
  [
    'the names that all requirements of a term allow',
    required([
      ['a', 'b'],
      ['b', 'c'],
    ]),
    ['b'],
  ],
  ['no names where the requirements contradict each other', required([['a'], ['b']]), []],
  ['any, when one of the terms names none', required([['a']], []), null],
])('knows which nodes affinity leaves: %s', (_, affinity, named) => {
  expect(new PodShapes().of(makePod('a', { affinity })).constraints.namedNodes).toEqual(named);
});

function required(...terms: string[][][]): object {
  const nodeSelectorTerms = terms.map((lists) => ({
    matchExpressions: [{ key: 'zone', operator: 'Exists' }],
    matchFields: lists.map((values) => ({ key: 'metadata.name', operator: 'In', values })),
  }));
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}
