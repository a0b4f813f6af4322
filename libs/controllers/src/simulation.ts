/** A cluster in memory with controllers and hollow nodes: what the tests of controllers play with. Not part of a program. */
import { pod, type ReplicaSet, replicaSet } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import { type Command, isOutcomeUnknown } from '@periplus/client';
import { type Controller, MemoryCluster, type ObjectRef, type Plan } from '@periplus/reconcile';
import { isActive, type PodView } from './pod-state.ts';

const refOf = (object: { metadata: { namespace?: string; name?: string } }): ObjectRef => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
});

export class Simulation {
  readonly cluster = new MemoryCluster();
  readonly events: string[] = [];
  readonly controllers: readonly Controller[];

  constructor(...controllers: Controller[]) {
    this.controllers = controllers;
  }

  /** Sends a plan as the runtime does, until a command is refused. Returns whether anything was changed. */
  execute(plan: Plan): boolean {
    const before = this.cluster.truth().revision;
    const done: Command[] = [];
    for (const step of plan.steps) {
      const refusals = [];
      for (const command of step) {
        try {
          this.cluster.apply(command);
          done.push(command);
        } catch (error) {
          if (isOutcomeUnknown(error)) return true;
          if (!(error instanceof StatusError)) throw error;
          refusals.push({ command, error });
        }
      }
      if (refusals.length > 0) {
        for (const command of plan.onRefusal?.(refusals) ?? []) this.cluster.apply(command);
        break;
      }
    }
    for (const { after, onRefusalOf, reason, message } of plan.events ?? []) {
      if (!onRefusalOf && (!after || done.includes(after))) this.events.push(`${reason} ${message}`);
    }
    return this.cluster.truth().revision !== before;
  }

  /** One look of one controller at one object. */
  reconcile(controller: Controller, ref: ObjectRef): boolean {
    return this.execute(controller.reconcile(ref, this.cluster.view()));
  }

  /** Every controller looks at every object of its kind, until nothing changes any more. */
  settle(roundsMax = 200): void {
    for (let round = 0; round < roundsMax; round++) {
      let moved = false;
      for (const controller of this.controllers) {
        if (!controller.for) continue;
        for (const object of this.cluster.view().list(controller.for)) {
          moved = this.reconcile(controller, refOf(object)) || moved;
        }
      }
      if (!moved) return;
    }
    throw new Error(`the controllers did not come to rest within ${roundsMax} rounds`);
  }

  pods(): readonly PodView[] {
    return this.cluster.truth().list(pod);
  }

  activePods(): readonly PodView[] {
    return this.pods().filter(isActive);
  }

  replicaSets(): readonly ReplicaSet[] {
    return this.cluster.truth().list(replicaSet) as readonly ReplicaSet[];
  }

  /** What a scheduler does. From then on a deletion leaves the pod time to end. */
  bind(target: PodView, nodeName = 'n1'): void {
    const ref = refOf(target);
    const object = { apiVersion: 'v1', kind: 'Binding', metadata: ref, target: { kind: 'Node', name: nodeName } };
    this.cluster.apply({ verb: 'create', kind: pod, ...ref, subresource: 'binding', object });
  }

  /** What a kubelet does: the pod runs, and is ready or not. */
  setReady(target: PodView, ready = true): void {
    const now = new Date(this.cluster.nowMs).toISOString();
    this.cluster.apply({
      verb: 'patch',
      kind: pod,
      ...refOf(target),
      subresource: 'status',
      type: 'merge',
      patch: {
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }],
        },
      },
    });
  }

  /** Pods get a node and become ready; those that are being deleted go. */
  runPods(): void {
    for (const target of this.pods()) {
      const { namespace, name } = refOf(target);
      if (target.metadata.deletionTimestamp) this.cluster.remove(pod, namespace, name);
      else if (target.status?.phase !== 'Running') this.setReady(target);
    }
  }

  advance(ms: number): void {
    this.cluster.nowMs += ms;
  }
}
