import type { TestCluster } from '@periplus/testing';
import { type Template, templatePod } from './pod.ts';
import { jsonRequest } from './raw-https.ts';
import { sendEach } from './send-each.ts';

/** Creates that many pods as fast as the server takes them, called `<prefix>-<number>`. */
export const createPods = (
  cluster: TestCluster,
  count: number,
  { prefix = 'pod', template = {} }: { prefix?: string; template?: Template } = {},
): Promise<void> =>
  sendEach(cluster, count, (at) =>
    jsonRequest('POST', '/api/v1/namespaces/default/pods', templatePod(`${prefix}-${at}`, template)),
  );
