import type { Pod } from '@periplus/api';
import type { Entry } from '@periplus/cache';
import { expect, it } from 'vitest';
import { NodeTable } from '../node-table.ts';
import { PodShapes } from '../pod-shape.ts';
import { SpreadRules, SYSTEM_DEFAULTS } from '../spread-rules.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { preferredTopologySpread } from './pod-topology-spread.ts';

const ZONE = 'topology.kubernetes.io/zone';
const shapes = new PodShapes();

function entryOf(group: string, resource: string, name: string, spec: object): Entry {
  const bytes = Buffer.from(JSON.stringify({ spec }));
  return { key: { group, resource, namespace: 'default', name }, bytes } as unknown as Entry;
}

const webPod = (name: string, owner?: string): Pod => {
  const pod = makePod(name);
  const ownerReferences = owner
    ? [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: 'u', controller: true }]
    : undefined;
  return { ...pod, metadata: { ...pod.metadata, labels: { app: 'web' }, ownerReferences } } as Pod;
};

/** Three pods on `a`, one on `b`; `c` has no zone. */
function cluster(): NodeTable {
  const table = new NodeTable();
  table.setNode(makeNode('a', { labels: { [ZONE]: 'one' } }));
  table.setNode(makeNode('b', { labels: { [ZONE]: 'one' } }));
  table.setNode(makeNode('c'));
  for (const [at, node] of ['a', 'a', 'a', 'b'].entries()) {
    table.place(`u${at}`, shapes.footprint(webPod(`w${at}`)), node);
  }
  return table;
}

function scores(table: NodeTable, pod: Pod, rules = new SpreadRules(SYSTEM_DEFAULTS)): number[] | null {
  const into = new Float64Array(table.size);
  const score = preferredTopologySpread(rules);
  return score.score(shapes.of(pod), table, Int32Array.from(table.slots), table.size, into) ? [...into] : null;
}

it('spreads the pods of a Service or of one controller without being asked to, on nodes without a zone too', () => {
  const table = cluster();
  expect(scores(table, webPod('p', 'web-1'))).toBeNull();
  table.workloads.set(entryOf('apps', 'replicasets', 'web-1', { selector: { matchLabels: { app: 'web' } } }));
  const spread = scores(table, webPod('p', 'web-1'))!;
  // By host log(5) for each pod and 2, by zone log(4) for each pod and 4: 16.4, 13.2 and 2.
  expect(spread).toEqual([12, 31, 100]);
  expect(scores(table, webPod('p'))).toBeNull();
  table.workloads.set(entryOf('', 'services', 'web', { selector: { app: 'web' } }));
  expect(scores(table, webPod('p'))).toEqual(spread);
  table.workloads.set(entryOf('', 'services', 'web', { selector: { app: 'db' } }));
  expect(scores(table, webPod('p'))).toBeNull();
  table.workloads.delete(entryOf('apps', 'replicasets', 'web-1', {}));
  expect(scores(table, webPod('p', 'web-1'))).toBeNull();
});

it('leaves nodes without a zone out when the constraints are of somebody own making', () => {
  const table = cluster();
  table.workloads.set(entryOf('', 'services', 'web', { selector: { app: 'web' } }));
  const rules = new SpreadRules({ ...SYSTEM_DEFAULTS, areSystems: false });
  expect(scores(table, webPod('p'), rules)![2]).toBe(0);
});
