import type { Node, Pod } from '@periplus/api';
import { Decider } from '../../libs/scheduling/src/decide.ts';
import { NodeTable } from '../../libs/scheduling/src/node-table.ts';
import { podInfo } from '../../libs/scheduling/src/pod-info.ts';
import { PodShapes } from '../../libs/scheduling/src/pod-shape.ts';
import { DEFAULT_PROFILE } from '../../libs/scheduling/src/profile.ts';
import { type Figure, figure } from '../figure.ts';
import { benchPod } from '../pod.ts';

const NODES = 5_000;
const PODS = 10_000;
const RUNS = 5;
const MICROSECONDS_MAX = 50;

/** What one decision of the scheduler costs, without any network: processor time, as machines are shared. */
export async function decisions(): Promise<Figure[]> {
  return [1, 50].map((templates) => {
    const runs = Array.from({ length: RUNS }, () => microsecondsPerDecision(templates));
    const name = `scheduling decision, 5,000 nodes, 10,000 pods of ${templates} template(s)`;
    return figure(name, 'us of processor time', runs, { atMost: MICROSECONDS_MAX });
  });
}

function microsecondsPerDecision(templates: number): number {
  const table = new NodeTable();
  for (let at = 0; at < NODES; at += 1) table.setNode(node(`node-${at}`));
  const decider = new Decider(table, DEFAULT_PROFILE);
  const shapes = new PodShapes();
  // Parsed one by one, as they come from etcd: pods of one template have no parts in common.
  const pods = Array.from({ length: PODS }, (_, at) => pod(at, at % templates));
  const before = process.cpuUsage();
  for (const [at, pod] of pods.entries()) {
    const info = podInfo(pod, shapes, at);
    const decision = decider.decide(info);
    if (decision.node === null) throw new Error(decision.message);
    table.place(info.uid, info.shape, decision.node);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PODS;
}

const node = (name: string): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: {},
    status: { allocatable: { cpu: '32', memory: '256Gi', 'ephemeral-storage': '100Gi', pods: '110' } },
  }) as unknown as Node;

/** Templates differ in what they request and in what they tolerate. */
function pod(at: number, template: number): Pod {
  const pod = JSON.parse(JSON.stringify(benchPod(`pod-${at}`))) as Pod;
  pod.metadata.uid = crypto.randomUUID();
  pod.spec.containers[0]!.resources = { requests: { cpu: `${10 + template}m`, memory: '16Mi' } };
  pod.spec.tolerations = [{ key: 'dedicated', operator: 'Equal', value: `team-${template}`, effect: 'NoSchedule' }];
  return pod;
}
