/** Jobs, and kubelets that end their pods: what the tests of Jobs play with. Not part of a program. */
import { type Job, job, pod } from '@periplus/api';
import { at } from '@periplus/apimachinery';
import { hasEnded, type PodView } from '../pod-state.ts';
import { Simulation } from '../simulation.ts';
import { jobController } from './job-controller.ts';
import { indexOf } from './job-pod.ts';

export const jobOf = (spec: Partial<Job['spec']> = {}, name = 'sum'): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { namespace: 'd', name },
  spec: {
    parallelism: 1,
    ...('completions' in spec ? {} : { completions: 1 }),
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    selector: { matchLabels: { job: name } },
    template: {
      metadata: { labels: { job: name } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'i' }] },
    },
    ...spec,
  },
});

export class JobSimulation extends Simulation {
  constructor() {
    super(jobController);
    const { cluster } = this;
    const apply = cluster.apply.bind(cluster);
    // The api-server would refuse a status that takes back what it said.
    cluster.apply = (command) => {
      const before = cluster.truth().get(job, command.namespace, command.name);
      const outcome = apply(command);
      const after = cluster.truth().get(job, command.namespace, command.name);
      const isStatus = command.kind.kind === 'Job' && command.subresource === 'status';
      const problems = isStatus && before && after ? job.validateStatusUpdate(after, before, at('')) : [];
      if (problems.length > 0) throw new Error(problems.map(({ field, message }) => `${field}: ${message}`).join());
      return outcome;
    };
  }

  /** Creates the Job, or changes its spec. */
  ask(spec: Partial<Job['spec']>): void {
    const object = jobOf(spec);
    const present = this.cluster.truth().get(job, 'd', 'sum');
    if (!present) this.cluster.put(job, object);
    else {
      const changed = { ...present, spec: object.spec };
      this.cluster.apply({ verb: 'update', kind: job, namespace: 'd', name: 'sum', object: changed });
    }
  }

  get job() {
    return this.cluster.truth().get(job, 'd', 'sum')!;
  }

  get status() {
    return this.job.status!;
  }

  conditions(): string[] {
    return (this.status.conditions ?? []).map(
      ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
    );
  }

  look(): boolean {
    return this.reconcile(jobController, { namespace: 'd', name: 'sum' });
  }

  /** Looks until nothing changes any more. */
  rest(): void {
    this.settle();
  }

  running(): readonly PodView[] {
    return this.activePods();
  }

  podOfIndex(index: number): PodView {
    return this.activePods().find((one) => indexOf(one, this.job) === index)!;
  }

  /** What a kubelet does when the containers of a pod have ended. */
  end(target: PodView, exitCode: number): void {
    const { namespace = '', name = '' } = target.metadata;
    const finishedAt = new Date(this.cluster.nowMs).toISOString();
    const state = { terminated: { exitCode, finishedAt, reason: exitCode === 0 ? 'Completed' : 'Error' } };
    this.cluster.apply({
      ...{ verb: 'patch', kind: pod, namespace, name, subresource: 'status', type: 'merge' },
      patch: {
        status: { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [{ name: 'main', state }] },
      },
    });
  }

  endAll(exitCode: number): void {
    for (const one of this.running()) this.end(one, exitCode);
  }

  /** A user deletes a pod. */
  evict(target: PodView): void {
    const { namespace = '', name = '' } = target.metadata;
    this.cluster.apply({ verb: 'delete', kind: pod, namespace, name });
  }

  /** Kubelets, or for pods without one the pod garbage collector, are done with what is being deleted. */
  reap(): void {
    for (const one of this.pods()) {
      if (!one.metadata.deletionTimestamp) continue;
      if (!hasEnded(one)) this.end(one, 137);
      const { namespace = '', name = '' } = one.metadata;
      this.cluster.apply({ verb: 'delete', kind: pod, namespace, name, gracePeriodSeconds: 0 });
    }
  }
}
