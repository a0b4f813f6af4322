import type { TestCluster } from '@periplus/testing';
import { startBareCluster } from '../bare-cluster.ts';
import { jsonRequest, RawConnection } from '../raw-https.ts';

const CONNECTIONS = 16;
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
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await RawConnection.open(cluster.admin);
      while (next < nodes) {
        const at = next;
        next += 1;
        await createNode(connection, `node-${at}`, labelsOf(at));
      }
      connection.close();
    }),
  );
  return cluster;
}

async function createNode(connection: RawConnection, name: string, labels: Record<string, string>): Promise<void> {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } },
    status: { capacity: CAPACITY, allocatable: CAPACITY, conditions: [{ type: 'Ready', status: 'True' }] },
  };
  // Admission taints each new node until somebody has seen that it is Ready.
  const untaint = { spec: { taints: null } };
  for (const request of [
    jsonRequest('POST', '/api/v1/nodes', node),
    jsonRequest('PATCH', `/api/v1/nodes/${name}`, untaint, 'application/merge-patch+json'),
  ]) {
    const { status, body } = await connection.send(request);
    if (status >= 300) throw new Error(`node ${name}: ${status}: ${body.toString().slice(0, 300)}`);
  }
}
