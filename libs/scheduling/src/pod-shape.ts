import { claimNameOf, claimNamesOf, namedNodes, type Pod } from '@periplus/api';
import { controllerOf, type DeepReadonly } from '@periplus/apimachinery';
import { type DeviceUser, deviceUser } from './devices/device-user.ts';
import { type Disk, disksOf } from './disks.ts';
import { type HostPort, hostPortsOf } from './host-ports.ts';
import { type Peer, peerOf, peerText } from './peer.ts';
import { podDemand, type ResourceDemand } from './pod-demand.ts';
import { requiredFeatures } from './required-features.ts';
import { type SpreadConstraints, spreadConstraints } from './spread-constraint.ts';
import { claimKey } from './volumes/volume-catalog.ts';

type PodSpec = DeepReadonly<Pod>['spec'];

/** What a pod asks of a node object. */
export interface Constraints {
  /** The same text, the same constraints. */
  readonly text: string;
  readonly nodeName: string | undefined;
  readonly nodeSelector: PodSpec['nodeSelector'];
  readonly nodeAffinity: NonNullable<PodSpec['affinity']>['nodeAffinity'];
  readonly tolerations: PodSpec['tolerations'];
  /** What the node must declare; null for nothing. */
  readonly features: readonly string[] | null;
  /** The only nodes that its affinity leaves, where that names them, as in the pods of a DaemonSet; null: any. */
  readonly namedNodes: readonly string[] | null;
}

/** What a pod takes of its node. */
export interface Demand extends ResourceDemand {
  /** The same text, the same demand. */
  readonly text: string;
  readonly hostPorts: readonly HostPort[];
}

/** What remains of a pod on its node, as long as it is there: nothing else of it is kept. */
export interface Footprint {
  readonly demand: Demand;
  readonly peer: Peer;
  readonly priority: number;
  /** `<namespace>/<name>` of each claim that its volumes are of; null for none. */
  readonly claims: readonly string[] | null;
  /** Of its volumes, those that may keep other pods off its node; null for none. */
  readonly disks: readonly Disk[] | null;
}

/** A pod that has claims made for it: those must be its own, not somebody else's of the same name. */
interface Claimant {
  readonly pod: Pick<DeepReadonly<Pod>['metadata'], 'namespace' | 'name' | 'uid'>;
  /** As in `claims`. */
  readonly claims: readonly string[];
}

/** All that filters and scores may ask of a pod: pods of one shape get the same answers from every node. */
export interface PodShape extends Footprint {
  /** Whose profile decides. */
  readonly schedulerName: string;
  readonly constraints: Constraints;
  /** Null when no claim is made for it. */
  readonly claimant: Claimant | null;
  /** Null when it says nothing of them, so that defaults may apply. */
  readonly spread: SpreadConstraints | null;
  /** What its containers and image volumes are made of, as they name it. */
  readonly images: readonly string[];
  /** Kind and name of what keeps up its number: `apps/v1/ReplicaSet/web`. */
  readonly controller: string | null;
  /** The devices that it asks for; null for none. */
  readonly devices: DeviceUser | null;
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
  private readonly peers = new Shared<Peer>();
  private readonly footprints = new Shared<Footprint>();
  private readonly shapes = new Shared<PodShape>();

  of(pod: DeepReadonly<Pod>): PodShape {
    const asked = constraintsText(pod.spec);
    const taken = demandText(pod.spec);
    const known = peerText(pod);
    return this.shapes.get(`${asked}${taken}${known}${restText(pod)}`, () => ({
      schedulerName: pod.spec.schedulerName!,
      constraints: this.constraints.get(asked, () => constraintsOf(pod.spec, asked)),
      demand: this.demand(pod, taken),
      peer: this.peer(pod, known),
      priority: pod.spec.priority ?? 0,
      claims: claimsOf(pod),
      disks: disksOf(pod),
      claimant: claimantOf(pod),
      spread: spreadOf(pod),
      images: imagesOf(pod.spec),
      controller: controllerText(pod),
      devices: deviceUser(pod),
    }));
  }

  /** Of a pod that has its node, which may not have been asked. */
  footprint(pod: DeepReadonly<Pod>): Footprint {
    const taken = demandText(pod.spec);
    const known = peerText(pod);
    const { priority = 0 } = pod.spec;
    const claims = claimsOf(pod);
    const disks = disksOf(pod);
    return this.footprints.get(`${taken}${known}${priority}${claims ?? ''}${diskText(disks)}`, () => ({
      demand: this.demand(pod, taken),
      peer: this.peer(pod, known),
      priority,
      claims,
      disks,
    }));
  }

  private demand(pod: DeepReadonly<Pod>, text: string): Demand {
    return this.demands.get(text, () => ({ text, ...podDemand(pod), hostPorts: hostPortsOf(pod) }));
  }

  private peer(pod: DeepReadonly<Pod>, text: string): Peer {
    return this.peers.get(text, () => peerOf(pod, text));
  }
}

/** Whether two pods leave the same on a node, though they were met at different times. */
export const sameFootprint = (a: Footprint, b: Footprint): boolean =>
  a === b ||
  (a.demand.text === b.demand.text &&
    a.peer.text === b.peer.text &&
    a.priority === b.priority &&
    sameClaims(a, b) &&
    diskText(a.disks) === diskText(b.disks));

const sameClaims = ({ claims: a }: Footprint, { claims: b }: Footprint): boolean => a === b || `${a}` === `${b}`;

/** Empty for none. */
const diskText = (disks: Footprint['disks']): string => (disks === null ? '' : JSON.stringify(disks));

function claimsOf(pod: DeepReadonly<Pod>): readonly string[] | null {
  const names = claimNamesOf(pod);
  return names.length === 0 ? null : names.map((name) => claimKey(pod.metadata.namespace, name));
}

function claimantOf(pod: DeepReadonly<Pod>): Claimant | null {
  const made = (pod.spec.volumes ?? []).filter(({ ephemeral }) => ephemeral);
  if (made.length === 0) return null;
  const { namespace, name, uid } = pod.metadata;
  return {
    pod: { namespace, name, uid },
    claims: made.map((volume) => claimKey(namespace, claimNameOf(pod, volume)!)),
  };
}

function constraintsText(spec: PodSpec): string {
  const { nodeName, nodeSelector, affinity, tolerations } = spec;
  return JSON.stringify([nodeName, nodeSelector, affinity?.nodeAffinity, tolerations, requiredFeatures(spec)]);
}

function constraintsOf(spec: PodSpec, text: string): Constraints {
  const { nodeName, nodeSelector, affinity, tolerations } = spec;
  const nodeAffinity = affinity?.nodeAffinity;
  const features = requiredFeatures(spec);
  return { text, nodeName, nodeSelector, nodeAffinity, tolerations, features, namedNodes: namedNodes(nodeAffinity) };
}

type Container = NonNullable<PodSpec['initContainers']>[number];
const takenBy = ({ resources, ports, restartPolicy }: Container) => [resources?.requests, ports, restartPolicy];

const demandText = ({ containers, initContainers, overhead, resources }: PodSpec): string =>
  JSON.stringify([containers.map(takenBy), initContainers?.map(takenBy), overhead, resources?.requests]);

const controllerText = (pod: DeepReadonly<Pod>): string | null => {
  const owner = controllerOf(pod);
  return owner ? `${owner.apiVersion}/${owner.kind}/${owner.name}` : null;
};

const restText = (pod: DeepReadonly<Pod>): string => {
  const { schedulerName, priority, topologySpreadConstraints } = pod.spec;
  return JSON.stringify([
    schedulerName,
    priority,
    topologySpreadConstraints,
    deviceUser(pod),
    imagesOf(pod.spec),
    controllerText(pod),
    claimsOf(pod),
    disksOf(pod),
    claimantOf(pod)?.pod.uid,
  ]);
};

/** What its node must have to run it, as its spec names it. */
const imagesOf = ({ initContainers = [], containers, volumes = [] }: PodSpec): string[] =>
  [...initContainers, ...containers, ...volumes.map((volume) => ({ image: volume.image?.reference }))].flatMap(
    ({ image }) => image ?? [],
  );

const spreadOf = ({ spec }: DeepReadonly<Pod>): SpreadConstraints | null =>
  spec.topologySpreadConstraints?.length ? spreadConstraints(spec.topologySpreadConstraints) : null;
