import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { kvMethods } from '@periplus/proto';
import type { TestCluster } from '@periplus/testing';
import { perSecond } from './together.ts';

const LANES = 64;

/**
 * The baseline of every write figure: single puts of `value` by a plain grpc-js client on the cluster's own etcd,
 * 64 at a time. Returns puts per second.
 */
export async function singlePuts(cluster: TestCluster, value: Buffer, ms: number): Promise<number> {
  const pki = (name: string): Buffer => readFileSync(join(cluster.folder.pki, 'etcd', name));
  const client = new Client(
    `127.0.0.1:${cluster.settings.ports.etcdClient}`,
    credentials.createSsl(pki('ca.crt'), pki('root.key'), pki('root.crt')),
  );
  const { put } = kvMethods;
  try {
    return await perSecond(
      LANES,
      ms,
      (lane, turn) =>
        new Promise((resolve, reject) => {
          const message = { key: `/bench/${lane}/${turn}`, value };
          client.makeUnaryRequest(
            put.path,
            put.requestSerialize,
            put.responseDeserialize,
            message,
            (error: Error | null) => (error ? reject(error) : resolve()),
          );
        }),
    );
  } finally {
    client.close();
  }
}
