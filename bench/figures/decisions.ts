import type { Node, Pod } from '@periplus/api';
import { Decider } from '../../libs/scheduling/src/decide.ts';
import { NodeTable } from '../../libs/scheduling/src/node-table.ts';
import { podInfo } from '../../libs/scheduling/src/pod-info.ts';
import { PodShapes } from '../../libs/scheduling/src/pod-shape.ts';
import { DEFAULT_PROFILE } from '../../libs/scheduling/src/profile.ts';
import { type Figure, figure } from '../figure.ts';
import { benchPod, type Template, templatePod } from '../pod.ts';
import { nodeLabels, SHAPES, type Shape } from '../scheduler/shapes.ts';

const NODES = 5_000;
const RUNS = 3;
/** Of processor time: pods that ask for nothing special, and ones that look at the pods around. */
const PLAIN_MICROSECONDS_MAX = 50;
const COMPANY_MICROSECONDS_MAX = 100;
/** More templates than one, which share no answers. */
const TEMPLATES = 50;

/** What one decision of the scheduler costs, without any network: processor time, as machines are shared. */
export async function decisions(): Promise<Figure[]> {
  const templates = Array.from({ length: TEMPLATES }, (_, number) => teamTemplate(number));
  const measured = SHAPES.map((shape) => ({ shape, templates: [shape.template] }));
  return [...measured, { shape: { ...SHAPES[0]!, name: `basic, ${TEMPLATES} templates` }, templates }].map(
    ({ shape, templates }) => {
      const runs = Array.from({ length: RUNS }, () => microsecondsPerDecision(shape, templates));
      const atMost = /basic|node-affinity/.test(shape.name) ? PLAIN_MICROSECONDS_MAX : COMPANY_MICROSECONDS_MAX;
      const name = `scheduling decision, ${shape.name}, ${NODES} nodes, ${shape.pods} pods`;
      return figure(name, 'us of processor time', runs, { atMost });
    },
  );
}

function microsecondsPerDecision(shape: Shape, templates: readonly Template[]): number {
  const table = new NodeTable();
  for (let at = 0; at < NODES; at += 1) table.setNode(node(`node-${at}`, nodeLabels(shape, at)));
  const decider = new Decider(table, DEFAULT_PROFILE);
  const shapes = new PodShapes();
  let created = 0;
  const schedule = (pods: readonly Pod[]): void => {
    for (const pod of pods) {
      const info = podInfo(pod, shapes, created);
      created += 1;
      const decision = decider.decide(info);
      if (decision.node === null) throw new Error(decision.message);
      table.place(info.uid, info.shape, decision.node);
    }
  };
  for (const { pods, template } of shape.before) schedule(podsOf(pods, [template]));
  const pods = podsOf(shape.pods, templates);
  const before = process.cpuUsage();
  schedule(pods);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / shape.pods;
}

const node = (name: string, labels: Record<string, string>): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } },
    spec: {},
    status: { allocatable: { cpu: '32', memory: '256Gi', 'ephemeral-storage': '100Gi', pods: '110' } },
  }) as unknown as Node;

/** Parsed one by one, as they come from etcd: pods of one template have no parts in common. */
function podsOf(count: number, templates: readonly Template[]): Pod[] {
  return Array.from({ length: count }, (_, at) => {
    const pod = JSON.parse(JSON.stringify(templatePod(`pod-${at}`, templates[at % templates.length]!))) as Pod;
    Object.assign(pod.metadata, { uid: crypto.randomUUID(), namespace: 'default' });
    pod.spec.schedulerName = 'default-scheduler';
    return pod;
  });
}

/** Templates that differ in what they request and in what they tolerate. */
function teamTemplate(number: number): Template {
  const [container] = benchPod('').spec.containers;
  return {
    spec: {
      containers: [{ ...container, resources: { requests: { cpu: `${10 + number}m`, memory: '16Mi' } } }],
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: `team-${number}`, effect: 'NoSchedule' }],
    },
  };
}
