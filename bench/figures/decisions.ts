import type { Node, Pod } from '@periplus/api';
import { ClusterPicture } from '../../libs/scheduling/src/cluster-picture.ts';
import { Decider } from '../../libs/scheduling/src/decide.ts';
import { NodeTable } from '../../libs/scheduling/src/node-table.ts';
import { type PodInfo, podInfo } from '../../libs/scheduling/src/pod-info.ts';
import { PodShapes } from '../../libs/scheduling/src/pod-shape.ts';
import { Preemptor } from '../../libs/scheduling/src/preemption/preemptor.ts';
import { DEFAULT_PROFILE } from '../../libs/scheduling/src/profile.ts';
import { type Figure, figure } from '../figure.ts';
import { benchPod, type Template, templatePod } from '../pod.ts';
import { asking } from '../scheduler/preemption.ts';
import { nodeLabels, SHAPES, type Shape } from '../scheduler/shapes.ts';

const NODES = 5_000;
const RUNS = 3;
/** Of processor time: pods that ask for nothing special, and ones that look at the pods around. */
const PLAIN_MICROSECONDS_MAX = 50;
const COMPANY_MICROSECONDS_MAX = 100;
/** Pods that have others leave, and for how many at once others are on their way. */
const PREEMPTING = 4_000;
const LEAVING = 100;
const PREEMPTING_MICROSECONDS_MAX = 300;
/** More templates than one, which share no answers. */
const TEMPLATES = 50;

/** What one decision of the scheduler costs, without any network: processor time, as machines are shared. */
export async function decisions(): Promise<Figure[]> {
  const templates = Array.from({ length: TEMPLATES }, (_, number) => teamTemplate(number));
  const preempting = Array.from({ length: RUNS }, microsecondsPerPreemption);
  const measured = SHAPES.map((shape) => ({ shape, templates: [shape.template] }));
  const figures = [...measured, { shape: { ...SHAPES[0]!, name: `basic, ${TEMPLATES} templates` }, templates }].map(
    ({ shape, templates }) => {
      const runs = Array.from({ length: RUNS }, () => microsecondsPerDecision(shape, templates));
      const atMost = /basic|node-affinity/.test(shape.name) ? PLAIN_MICROSECONDS_MAX : COMPANY_MICROSECONDS_MAX;
      const name = `scheduling decision, ${shape.name}, ${NODES} nodes, ${shape.pods} pods`;
      return figure(name, 'us of processor time', runs, { atMost });
    },
  );
  const name = `preempting decision, ${PREEMPTING} pods over ${4 * NODES} on ${NODES} nodes`;
  return [...figures, figure(name, 'us of processor time', preempting, { atMost: PREEMPTING_MICROSECONDS_MAX })];
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

/** From the refusal of a pod to the choice of who leaves for it, while others before it wait for theirs to be gone. */
function microsecondsPerPreemption(): number {
  const picture = new ClusterPicture();
  const { table, shapes, placed, nominations } = picture;
  for (let at = 0; at < NODES; at += 1) table.setNode(node(`node-${at}`, {}));
  const decider = new Decider(table, DEFAULT_PROFILE);
  const preemptor = new Preemptor(picture);
  const infosOf = (count: number, cpu: string, priority: number) =>
    podsOf(count, [asking(cpu, '')]).map((pod, at) => podInfo({ ...pod, spec: { ...pod.spec, priority } }, shapes, at));
  for (const [at, info] of infosOf(4 * NODES, '7200m', 1).entries()) picture.assume(info, `node-${at % NODES}`);
  const waiting: { info: PodInfo; node: string; victims: readonly { uid: string }[] }[] = [];
  const settle = ({ info, node, victims }: (typeof waiting)[number]): void => {
    for (const { uid } of victims) {
      table.displace(uid);
      placed.delete(uid);
    }
    nominations.withdraw(info.uid);
    picture.assume(info, node);
  };
  const infos = infosOf(PREEMPTING, '24', 1_000);
  const before = process.cpuUsage();
  for (const info of infos) {
    nominations.countFor(info.priority);
    if (decider.decide(info).node !== null) throw new Error('nobody has to leave');
    const outcome = preemptor.preempt(info, decider);
    if (outcome.node === null) throw new Error(outcome.message);
    nominations.nominate(info, outcome.node);
    waiting.push({ info, node: outcome.node, victims: outcome.victims.pods });
    if (waiting.length > LEAVING) settle(waiting.shift()!);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PREEMPTING;
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
