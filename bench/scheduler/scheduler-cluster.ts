import type { TestCluster } from '@periplus/testing';
import { startBareCluster } from '../bare-cluster.ts';
import { jsonRequest } from '../raw-https.ts';
import { sendEach } from '../send-each.ts';

/** The nodes of scheduler_perf. */
const CAPACITY = { cpu: '4', memory: '32Gi', pods: '110' };

/**
 * An api-server and a scheduler with that many nodes which, as in scheduler_perf, are objects and nothing else: no
 * kubelet tells of them, and no controller acts on what is bound.
 */
export async function startSchedulerCluster(
  nodes: number,
  labelsOf: (at: number) => Record<string, string> = () => ({}),
): Promise<TestCluster> {
  const cluster = await startBareCluster(['controller-manager', 'node-agent']);
  await sendEach(cluster, nodes, (at) => jsonRequest('POST', '/api/v1/nodes', nodeOf(`node-${at}`, labelsOf(at))));
  // Admission taints each new node until somebody has seen that it is Ready.
  const untaint = { spec: { taints: null } };
  await sendEach(cluster, nodes, (at) =>
    jsonRequest('PATCH', `/api/v1/nodes/node-${at}`, untaint, 'application/merge-patch+json'),
  );
  return cluster;
}

const nodeOf = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } },
  status: { capacity: CAPACITY, allocatable: CAPACITY, conditions: [{ type: 'Ready', status: 'True' }] },
});
