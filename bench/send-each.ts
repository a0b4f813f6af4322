import type { TestCluster } from '@periplus/testing';
import { RawConnection } from './raw-https.ts';

const CONNECTIONS = 64;

/** Sends that many requests as fast as the server answers them. Rejects with the answer of the first that is refused. */
export async function sendEach(cluster: TestCluster, count: number, requestOf: (at: number) => Buffer): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await RawConnection.open(cluster.admin);
      while (next < count) {
        const request = requestOf(next);
        next += 1;
        const { status, body } = await connection.send(request);
        if (status >= 300) throw new Error(`the server answered ${status}: ${body.toString().slice(0, 300)}`);
      }
      connection.close();
    }),
  );
}
