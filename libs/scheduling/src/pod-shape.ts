import { namedNodes, type Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type HostPort, hostPortsOf } from './host-ports.ts';
import { podDemand, type ResourceDemand } from './pod-demand.ts';

type PodSpec = DeepReadonly<Pod>['spec'];

/** What a pod asks of a node object. */
export interface Constraints {
  readonly nodeName: string | undefined;
  readonly nodeSelector: PodSpec['nodeSelector'];
  readonly nodeAffinity: NonNullable<PodSpec['affinity']>['nodeAffinity'];
  readonly tolerations: PodSpec['tolerations'];
  /** The only nodes that its affinity leaves, where that names them, as in the pods of a DaemonSet; null: any. */
  readonly namedNodes: readonly string[] | null;
}

/** What a pod takes of its node. */
export interface Demand extends ResourceDemand {
  readonly hostPorts: readonly HostPort[];
}

/** All that filters and scores may ask of a pod: pods of one shape get the same answers from every node. */
export interface PodShape {
  readonly constraints: Constraints;
  readonly demand: Demand;
}

/** Of each sort; the oldest go, and are worked out again when they are met again. */
const REMEMBERED_MAX = 2_048;

/** Values by their text: equal texts share a value. */
class Shared<Value> {
  private readonly values = new Map<string, Value>();

  get(text: string, make: () => Value): Value {
    let value = this.values.get(text);
    if (value !== undefined) return value;
    value = make();
    this.values.set(text, value);
    if (this.values.size > REMEMBERED_MAX) this.values.delete(this.values.keys().next().value!);
    return value;
  }
}

/**
 * Works out the shapes of pods, once for each template: pods made of one share it, as their specs have their
 * members in one order. Two orders only cost the work twice.
 */
export class PodShapes {
  private readonly constraints = new Shared<Constraints>();
  private readonly demands = new Shared<Demand>();
  private readonly shapes = new Shared<PodShape>();

  of(pod: DeepReadonly<Pod>): PodShape {
    const asked = constraintsText(pod.spec);
    const taken = demandText(pod.spec);
    return this.shapes.get(`${asked}${taken}`, () => ({
      constraints: this.constraints.get(asked, () => constraintsOf(pod.spec)),
      demand: this.demands.get(taken, () => demandOf(pod)),
    }));
  }

  /** Of a pod that has its node, which may not have been asked. */
  demand(pod: DeepReadonly<Pod>): Demand {
    return this.demands.get(demandText(pod.spec), () => demandOf(pod));
  }
}

const constraintsText = ({ nodeName, nodeSelector, affinity, tolerations }: PodSpec): string =>
  JSON.stringify([nodeName, nodeSelector, affinity?.nodeAffinity, tolerations]);

const constraintsOf = ({ nodeName, nodeSelector, affinity, tolerations }: PodSpec): Constraints => {
  const nodeAffinity = affinity?.nodeAffinity;
  return { nodeName, nodeSelector, nodeAffinity, tolerations, namedNodes: namedNodes(nodeAffinity) };
};

type Container = NonNullable<PodSpec['initContainers']>[number];
const takenBy = ({ resources, ports, restartPolicy }: Container) => [resources?.requests, ports, restartPolicy];

const demandText = ({ containers, initContainers, overhead, resources }: PodSpec): string =>
  JSON.stringify([containers.map(takenBy), initContainers?.map(takenBy), overhead, resources?.requests]);

const demandOf = (pod: DeepReadonly<Pod>): Demand => ({ ...podDemand(pod), hostPorts: hostPortsOf(pod) });
