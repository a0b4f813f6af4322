import type { TestCluster } from '@periplus/testing';
import { type Template, templatePod } from './pod.ts';
import { jsonRequest } from './raw-https.ts';
import { sendEach } from './send-each.ts';

const PODS = '/api/v1/namespaces/default/pods';

/** Creates that many pods as fast as the server takes them, called `<prefix>-<number>`. */
export const createPods = (
  cluster: TestCluster,
  count: number,
  { prefix = 'pod', template = {} }: { prefix?: string; template?: Template } = {},
): Promise<void> =>
  sendEach(cluster, count, (at) => jsonRequest('POST', PODS, templatePod(`${prefix}-${at}`, template)));

/** Removes what `createPods` made, at once. */
export const deletePods = (cluster: TestCluster, count: number, prefix: string): Promise<void> =>
  sendEach(cluster, count, (at) => jsonRequest('DELETE', `${PODS}/${prefix}-${at}`, { gracePeriodSeconds: 0 }));
