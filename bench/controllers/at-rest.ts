import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster, type TestCluster } from '@periplus/testing';
import { type Figure, figure } from '../figure.ts';
import { benchPod } from '../pod.ts';
import { jsonRequest } from '../raw-https.ts';
import { untilBound } from '../scheduler/bound.ts';
import { sendEach } from '../send-each.ts';
import { commandCounts, commandsSince } from './command-counts.ts';
import { cpuSecondsSince, usageOf } from './process-usage.ts';

const REPLICA_SETS = '/apis/apps/v1/namespaces/default/replicasets';
const MANAGER = 'controller-manager';
/** All is done when nothing was written for so long. */
const QUIET_MS = 3_000;
const POLL_MS = 250;
const MS_MAX = 600_000;
/** What V8 collects in the half minute after work belongs to the work. */
const SETTLE_MS = 30_000;
const REST_MS = 60_000;
const MEGABYTE = 1e6;
/** About zero: what connections that are kept alive, and looks at the clock, take. */
const CPU_SECONDS_MAX = 0.3;

/**
 * ReplicaSets whose pods all run: what processes use in a minute in which nothing happens, and take of memory. The pods
 * of a set are made for one node: to place so many is what other figures are about.
 */
export async function atRest(of: { nodes: number; sets: number; replicas: number }): Promise<Figure[]> {
  await using cluster = await startCluster(of.nodes);
  const pods = of.sets * of.replicas;
  await sendEach(cluster, of.sets, (at) =>
    jsonRequest('POST', REPLICA_SETS, replicaSet(`set-${at}`, of.replicas, `sim-${at % of.nodes}`)),
  );
  await untilQuiet(cluster, pods);
  await sleep(SETTLE_MS);
  const commandsBefore = await commandCounts(cluster);
  const before = usageOf(cluster);
  await sleep(REST_MS);
  const cpuSeconds = cpuSecondsSince(before, cluster);
  const commands = await commandsSince(commandsBefore, cluster);
  const residentMegabytes = Object.fromEntries(
    Object.entries(usageOf(cluster)).map(([name, { residentBytes }]) => [name, Math.round(residentBytes / MEGABYTE)]),
  );
  const name = `${of.sets} ReplicaSets at rest with ${pods} pods on ${of.nodes} simulated nodes`;
  return [
    figure(
      `${name}: CPU of the controller-manager in a minute`,
      's',
      [cpuSeconds[MANAGER]!],
      { atMost: CPU_SECONDS_MAX },
      { cpuSeconds, commands },
    ),
    figure(`${name}: resident memory of the controller-manager`, 'MB', [residentMegabytes[MANAGER]!], undefined, {
      residentMegabytes,
    }),
  ];
}

function replicaSet(name: string, replicas: number, nodeName: string) {
  const { metadata, spec } = benchPod(name);
  const labels = { app: name, tier: metadata.labels.tier };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations: metadata.annotations }, spec: { ...spec, nodeName } },
    },
  };
}

/** Resolves when all pods run and nobody has written anything for a while. */
async function untilQuiet(cluster: TestCluster, pods: number): Promise<void> {
  const etcd = cluster.etcd();
  const started = performance.now();
  await untilBound(etcd, pods);
  for (let [last, since] = [0, started]; performance.now() - since < QUIET_MS; await sleep(POLL_MS)) {
    const { revision } = await etcd.range({ key: '/periplus/', countOnly: true });
    if (revision !== last) [last, since] = [revision, performance.now()];
    if (performance.now() - started > MS_MAX) throw new Error(`no rest in ${MS_MAX / 1000} s`);
  }
  await etcd.close();
  const { podPhases } = JSON.parse(await cluster.periplus('status', '--json')) as { podPhases: Record<string, number> };
  if (podPhases.Running !== pods) throw new Error(`of ${pods} pods, there are: ${JSON.stringify(podPhases)}`);
}
