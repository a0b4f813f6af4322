import { pod } from '@periplus/api';
import { openCommandClient } from '@periplus/client';
import type { TestCluster } from '@periplus/testing';
import { type Template, templatePod } from './pod.ts';
import { jsonRequest } from './raw-https.ts';
import { sendEach } from './send-each.ts';

const PODS = '/api/v1/namespaces/default/pods';
/** Creates asked for at once over the stream. */
const LANES = 256;

export interface PodsOptions {
  prefix?: string;
  template?: Template;
  /** As controllers make pods, by commands on one gRPC stream, or as kubectl does, by requests over HTTPS. */
  over?: 'commands' | 'rest';
}

/** Creates that many pods as fast as the server takes them, called `<prefix>-<number>`. */
export function createPods(
  cluster: TestCluster,
  count: number,
  { prefix = 'pod', template = {}, over = 'commands' }: PodsOptions = {},
): Promise<void> {
  const make = (at: number) => templatePod(`${prefix}-${at}`, template);
  return over === 'rest'
    ? sendEach(cluster, count, (at) => jsonRequest('POST', PODS, make(at)))
    : commandEach(cluster, count, make);
}

async function commandEach(
  cluster: TestCluster,
  count: number,
  make: (at: number) => ReturnType<typeof templatePod>,
): Promise<void> {
  const { admin, settings } = cluster;
  const commands = openCommandClient({ targets: [`${admin.host}:${settings.ports.grpc}`], tls: admin });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const object = make(next++);
      const { namespace, name } = object.metadata;
      await commands.send({ verb: 'create', kind: pod, namespace, name, object }, null);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await commands.close();
}

/** Removes what `createPods` made, at once. */
export const deletePods = (cluster: TestCluster, count: number, prefix: string): Promise<void> =>
  sendEach(cluster, count, (at) => jsonRequest('DELETE', `${PODS}/${prefix}-${at}`, { gracePeriodSeconds: 0 }));
