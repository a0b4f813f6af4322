import {
  compileLabelSelector,
  type DeepReadonly,
  type LabelSelector,
  type Labels,
  Selector,
  selectorOfLabels,
} from '@periplus/apimachinery';
import type { Depicted } from './depicted.ts';
import type { Peer } from './peer.ts';

const ofLabels = (selector: unknown): Selector => selectorOfLabels(selector as Labels | undefined);
const ofSelector = (selector: unknown): Selector =>
  compileLabelSelector(selector as DeepReadonly<LabelSelector> | undefined);

/** What selects pods, by `<group>/<resource>`: as owners name it, how it selects, and whether that may ever change. */
const WORKLOADS = {
  '/services': { kind: 'v1/Service', compile: ofLabels, changes: true },
  '/replicationcontrollers': { kind: 'v1/ReplicationController', compile: ofLabels, changes: true },
  'apps/replicasets': { kind: 'apps/v1/ReplicaSet', compile: ofSelector, changes: false },
  'apps/statefulsets': { kind: 'apps/v1/StatefulSet', compile: ofSelector, changes: false },
} as const;

const workloadOf = ({ group, resource }: Depicted['key'] | { group: string; resource: string }) => {
  const name = `${group}/${resource}`;
  return Object.hasOwn(WORKLOADS, name) ? WORKLOADS[name as keyof typeof WORKLOADS] : undefined;
};

/** The resources that say which pods belong together. */
export const WORKLOAD_RESOURCES = Object.keys(WORKLOADS).map((name) => {
  const [group, resource] = name.split('/') as [string, string];
  return { group, resource };
});

/**
 * What Services, ReplicaSets, StatefulSets and ReplicationControllers select: the pods that are spread by default
 * without asking for it. Nothing else of these objects is kept.
 */
export class WorkloadSelectors {
  /** Changes whenever any of them does. */
  version = 0;
  /** By namespace, then by name. */
  private readonly services = new Map<string, Map<string, Selector>>();
  /** By `<namespace>/<apiVersion>/<kind>/<name>`. */
  private readonly controllers = new Map<string, Selector>();

  /** Takes the state of an object; ones of other kinds are let pass. */
  set({ key, bytes }: Depicted): void {
    const workload = workloadOf(key);
    if (!workload) return;
    const { namespace, name } = key;
    const controller = `${namespace}/${workload.kind}/${name}`;
    // Its status changes with each of its pods, which must not cost reading it.
    if (!workload.changes && this.controllers.has(controller)) return;
    const { spec } = JSON.parse(bytes.toString()) as { spec?: { selector?: unknown } };
    const selector = workload.compile(spec?.selector);
    if (workload.kind !== 'v1/Service') this.controllers.set(controller, selector);
    else if (selector.selectsEverything) this.services.get(namespace)?.delete(name);
    else this.servicesIn(namespace).set(name, selector);
    this.version += 1;
  }

  delete({ key }: Depicted): void {
    const workload = workloadOf(key);
    if (!workload) return;
    const { namespace, name } = key;
    if (workload.kind === 'v1/Service') this.services.get(namespace)?.delete(name);
    else this.controllers.delete(`${namespace}/${workload.kind}/${name}`);
    this.version += 1;
  }

  /** Selects the pods that belong together with this one, by its Services and its controller; null: none do. */
  around({ namespace, labels }: Peer, controller: string | null): Selector | null {
    const requirements = [];
    for (const selector of this.services.get(namespace)?.values() ?? []) {
      if (selector.matches(labels)) requirements.push(...selector.requirements);
    }
    if (controller) requirements.push(...(this.controllers.get(`${namespace}/${controller}`)?.requirements ?? []));
    return requirements.length === 0 ? null : new Selector(requirements);
  }

  private servicesIn(namespace: string): Map<string, Selector> {
    const services = this.services.get(namespace) ?? new Map<string, Selector>();
    this.services.set(namespace, services);
    return services;
  }
}
