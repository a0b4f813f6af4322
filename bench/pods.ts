import type { TestCluster } from '@periplus/testing';
import { benchPod } from './pod.ts';
import { jsonRequest, RawConnection } from './raw-https.ts';

const CONNECTIONS = 64;

/** Creates that many pods as fast as the server takes them. `spec` overrides the template's members. */
export async function createPods(
  cluster: TestCluster,
  count: number,
  spec: Record<string, unknown> = {},
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await RawConnection.open(cluster.admin);
      while (next < count) {
        const pod = benchPod(`pod-${next}`);
        next += 1;
        const request = jsonRequest('POST', '/api/v1/namespaces/default/pods', {
          ...pod,
          spec: { ...pod.spec, ...spec },
        });
        const { status, body } = await connection.send(request);
        if (status !== 201) throw new Error(`create answered ${status}: ${body.toString().slice(0, 300)}`);
      }
      connection.close();
    }),
  );
}
