import { setTimeout as sleep } from 'node:timers/promises';
import type { EtcdClient } from '@periplus/etcd';
import { startCluster, type TestCluster } from '@periplus/testing';
import { createObject } from '../create-object.ts';
import { type Figure, figure } from '../figure.ts';
import { benchPod } from '../pod.ts';
import { jsonRequest, RawConnection } from '../raw-https.ts';
import { commandCounts, commandsSince } from './command-counts.ts';
import { cpuSecondsSince, usageOf } from './process-usage.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const NAME = 'web';
const POLL_MS = 100;
const MS_MAX = 600_000;

interface Deployment {
  metadata: { generation: number };
  spec: { replicas: number };
  status: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
  };
}

/** A Deployment scaled from 0 to `replicas`, and then rolled out anew: until its status says that all are ready. */
export async function rollout({ nodes, replicas }: { nodes: number; replicas: number }): Promise<Figure[]> {
  await using cluster = await startCluster(nodes);
  const etcd = cluster.etcd();
  const connection = await RawConnection.open(cluster.admin);
  const change = async (patch: object): Promise<void> => {
    const request = jsonRequest('PATCH', `${DEPLOYMENTS}/${NAME}`, patch, 'application/merge-patch+json');
    const { status, body } = await connection.send(request);
    if (status !== 200) throw new Error(`patch answered ${status}: ${body.toString().slice(0, 300)}`);
    await untilRolledOut(connection);
  };
  const template = templateOf('1');
  const spec = { replicas: 0, selector: { matchLabels: template.metadata.labels }, template };
  await createObject(cluster, DEPLOYMENTS, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME },
    spec,
  });
  await untilRolledOut(connection);
  const of = `of a Deployment, ${replicas} replicas on ${nodes} simulated nodes`;
  const scaling = await measured(`scaling from 0 ${of}`, replicas, { cluster, etcd }, () =>
    change({ spec: { replicas } }),
  );
  const update = await measured(`rolling update ${of}`, replicas, { cluster, etcd }, () =>
    change({ spec: { template: templateOf('2') } }),
  );
  connection.close();
  await etcd.close();
  return [...scaling, ...update];
}

function templateOf(version: string) {
  const { metadata, spec } = benchPod(NAME);
  const { app, tier } = metadata.labels;
  return {
    metadata: { labels: { app, tier }, annotations: { ...metadata.annotations, 'example.com/version': version } },
    spec: { ...spec, terminationGracePeriodSeconds: 0 },
  };
}

async function measured(
  name: string,
  pods: number,
  { cluster, etcd }: { cluster: TestCluster; etcd: EtcdClient },
  work: () => Promise<void>,
): Promise<Figure[]> {
  const nothing = { key: '/periplus/', countOnly: true };
  const commandsBefore = await commandCounts(cluster);
  const usageBefore = usageOf(cluster);
  const { revision } = await etcd.range(nothing);
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const transactions = (await etcd.range(nothing)).revision - revision;
  const commands = await commandsSince(commandsBefore, cluster);
  const sum = Object.values(commands).reduce((total, count) => total + count, 0);
  return [
    figure(`${name}: until all are ready`, 's', [seconds], undefined, {
      cpuSeconds: cpuSecondsSince(usageBefore, cluster),
    }),
    figure(`${name}: commands of controllers per pod`, 'commands', [sum / pods], undefined, { commands }),
    figure(`${name}: etcd transactions per pod`, 'transactions', [transactions / pods]),
  ];
}

async function untilRolledOut(connection: RawConnection): Promise<void> {
  const started = performance.now();
  const request = Buffer.from(`GET ${DEPLOYMENTS}/${NAME} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  for (;;) {
    const { body } = await connection.send(request);
    if (isRolledOut(JSON.parse(body.toString()) as Deployment)) return;
    if (performance.now() - started > MS_MAX) throw new Error(`not rolled out in ${MS_MAX / 1000} s: ${body}`);
    await sleep(POLL_MS);
  }
}

function isRolledOut({ metadata, spec, status }: Deployment): boolean {
  const { observedGeneration = 0, replicas, updatedReplicas, readyReplicas, availableReplicas } = status;
  const counts = [replicas, updatedReplicas, readyReplicas, availableReplicas];
  return observedGeneration >= metadata.generation && counts.every((count = 0) => count === spec.replicas);
}
