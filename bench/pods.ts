import type { TestCluster } from '@periplus/testing';
import { type Template, templatePod } from './pod.ts';
import { jsonRequest, RawConnection } from './raw-https.ts';

const CONNECTIONS = 64;

/** Creates that many pods as fast as the server takes them, called `<prefix>-<number>`. */
export async function createPods(
  cluster: TestCluster,
  count: number,
  { prefix = 'pod', template = {} }: { prefix?: string; template?: Template } = {},
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await RawConnection.open(cluster.admin);
      while (next < count) {
        const pod = templatePod(`${prefix}-${next}`, template);
        next += 1;
        const request = jsonRequest('POST', '/api/v1/namespaces/default/pods', pod);
        const { status, body } = await connection.send(request);
        if (status !== 201) throw new Error(`create answered ${status}: ${body.toString().slice(0, 300)}`);
      }
      connection.close();
    }),
  );
}
