import { type EtcdClient, prefixEnd } from '@periplus/etcd';
import type { TestCluster } from '@periplus/testing';
import { jsonRequest, RawConnection } from '../raw-https.ts';

const CONNECTIONS = 16;
const NODES = '/periplus/registry/core/nodes/';

/** Gives each node labels by its number. */
export async function labelNodes(
  cluster: TestCluster,
  etcd: EtcdClient,
  labelsOf: (at: number) => Record<string, string>,
): Promise<void> {
  const { kvs } = await etcd.range({ key: NODES, rangeEnd: prefixEnd(NODES), keysOnly: true });
  const names = kvs.map(({ key }) => key.slice(NODES.length));
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await RawConnection.open(cluster.admin);
      while (next < names.length) {
        const at = next;
        next += 1;
        const patch = { metadata: { labels: labelsOf(at) } };
        const request = jsonRequest('PATCH', `/api/v1/nodes/${names[at]}`, patch, 'application/merge-patch+json');
        const { status, body } = await connection.send(request);
        if (status !== 200) throw new Error(`patch answered ${status}: ${body.toString().slice(0, 300)}`);
      }
      connection.close();
    }),
  );
}
