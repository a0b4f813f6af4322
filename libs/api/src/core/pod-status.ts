/** What `kubectl get pods` makes of a pod's status. */
import { ageOf, type DeepReadonly } from '@periplus/apimachinery';
import type { IContainerStatus } from 'kubernetes-models/v1/ContainerStatus';
import { orNone } from '../columns.ts';
import { fieldText } from '../field-text.ts';
import type { Column } from '../kind.ts';
import type { Pod } from './pod-type.ts';

type Status = DeepReadonly<IContainerStatus>;

interface Summary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  /** '' when no container restarted. */
  lastRestart: string;
}

const isTrue = (pod: DeepReadonly<Pod>, type: string): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;

function countRestarts(summary: Summary, status: Status): void {
  summary.restarts += status.restartCount;
  const finishedAt = status.lastState?.terminated?.finishedAt;
  if (finishedAt && (!summary.lastRestart || Date.parse(finishedAt) > Date.parse(summary.lastRestart))) {
    summary.lastRestart = finishedAt;
  }
}

/** Why a container ended: the runtime's reason, else its signal or exit code. */
function endOf(status: Status): string {
  const ended = status.state?.terminated;
  if (!ended) return '';
  return ended.reason || (ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`);
}

/** What an init container that is not done says about the pod; '' when it is done, or a sidecar that runs. */
function initReason(status: Status, sidecar: boolean, position: number, count: number): string {
  const ended = status.state?.terminated;
  if (ended?.exitCode === 0) return '';
  if (sidecar && status.started) return '';
  if (ended) return `Init:${endOf(status)}`;
  const waiting = status.state?.waiting?.reason;
  return waiting && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${position}/${count}`;
}

/** Returns whether initialization is still under way. */
function summarizeInit(pod: DeepReadonly<Pod>, summary: Summary, sidecars: Summary): boolean {
  const declared = pod.spec.initContainers ?? [];
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [position, status] of statuses.entries()) {
    const sidecar = declared.some(({ name, restartPolicy }) => name === status.name && restartPolicy === 'Always');
    countRestarts(summary, status);
    if (sidecar) countRestarts(sidecars, status);
    const reason = initReason(status, sidecar, position, declared.length);
    if (reason) {
      summary.reason = reason;
      return true;
    }
    if (sidecar && status.ready && status.state?.terminated?.exitCode !== 0) summary.ready++;
  }
  return false;
}

function summarizeContainers(pod: DeepReadonly<Pod>, summary: Summary): void {
  let running = false;
  const statuses = pod.status?.containerStatuses ?? [];
  for (let position = statuses.length - 1; position >= 0; position--) {
    const status = statuses[position] as Status;
    countRestarts(summary, status);
    const reason = status.state?.waiting?.reason || endOf(status);
    if (reason) summary.reason = reason;
    else if (status.ready && status.state?.running) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.reason === 'Completed' && running) summary.reason = isTrue(pod, 'Ready') ? 'Running' : 'NotReady';
}

function deletionReason(pod: DeepReadonly<Pod>): string {
  if (!pod.metadata.deletionTimestamp) return '';
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' ? '' : 'Terminating';
}

function summarize(pod: DeepReadonly<Pod>): Summary {
  const sidecarCount = pod.spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always').length ?? 0;
  const summary: Summary = {
    ready: 0,
    total: pod.spec.containers.length + sidecarCount,
    reason: pod.status?.reason || pod.status?.phase || '',
    restarts: 0,
    lastRestart: '',
  };
  const gated = pod.status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  if (gated) summary.reason = 'SchedulingGated';
  const sidecars = { ...summary };
  const initializing = summarizeInit(pod, summary, sidecars);
  if (!initializing || isTrue(pod, 'Initialized')) {
    summary.restarts = sidecars.restarts;
    summary.lastRestart = sidecars.lastRestart;
    summarizeContainers(pod, summary);
  }
  summary.reason = deletionReason(pod) || summary.reason;
  return summary;
}

function restartsOf(pod: DeepReadonly<Pod>, nowMs: number): string {
  const { restarts, lastRestart } = summarize(pod);
  return restarts > 0 && lastRestart ? `${restarts} (${ageOf(lastRestart, nowMs)} ago)` : String(restarts);
}

function gatesOf(pod: DeepReadonly<Pod>): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => isTrue(pod, conditionType)).length}/${gates.length}`;
}

export const readyColumn: Column<Pod> = {
  name: 'Ready',
  type: 'string',
  description: 'The aggregate readiness state of this pod for accepting traffic.',
  of(pod) {
    const { ready, total } = summarize(pod);
    return `${ready}/${total}`;
  },
};
export const statusColumn: Column<Pod> = {
  name: 'Status',
  type: 'string',
  description: 'The aggregate status of the containers in this pod.',
  of: (pod) => summarize(pod).reason,
};
export const restartsColumn: Column<Pod> = {
  name: 'Restarts',
  type: 'string',
  description:
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
  of: restartsOf,
};
export const wideColumns: readonly Column<Pod>[] = [
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    description: fieldText('v1.PodStatus.podIP'),
    of: (pod) => orNone(pod.status?.podIPs?.[0]?.ip),
  },
  {
    name: 'Node',
    type: 'string',
    priority: 1,
    description: fieldText('v1.PodSpec.nodeName'),
    of: (pod) => orNone(pod.spec.nodeName),
  },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    description: fieldText('v1.PodStatus.nominatedNodeName'),
    of: (pod) => orNone(pod.status?.nominatedNodeName),
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    priority: 1,
    description: fieldText('v1.PodSpec.readinessGates'),
    of: gatesOf,
  },
];
