import type { TestCluster } from '@periplus/testing';
import { jsonRequest, RawConnection } from './raw-https.ts';

export async function createObject(cluster: TestCluster, path: string, object: object): Promise<void> {
  const connection = await RawConnection.open(cluster.admin);
  const { status, body } = await connection.send(jsonRequest('POST', path, object));
  connection.close();
  if (status !== 201) throw new Error(`create answered ${status}: ${body.toString().slice(0, 300)}`);
}
