import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IResourceRequirements } from 'kubernetes-models/v1/ResourceRequirements';
import type { PartDefinition } from '../define.ts';
import { sameValue } from '../equality.ts';
import type { Errors } from '../field-rules.ts';
import { qosClassOf } from './pod-qos.ts';
import type { Pod } from './pod-type.ts';
import { MIRROR_ANNOTATION } from './pod-update.ts';

type Container = DeepReadonly<IContainer>;
type Resources = DeepReadonly<IResourceRequirements> | undefined;
type Quantities = NonNullable<Resources>['requests'];
type ListName = 'containers' | 'initContainers';

const LISTS: readonly ListName[] = ['initContainers', 'containers'];
const RESIZABLE = ['cpu', 'memory'];

/** The old containers with the resources of the new; the new ones as they are when they are others, to be refused. */
function resized(now: IContainer[] | undefined, old: IContainer[] | undefined): IContainer[] | undefined {
  const areSame = now?.length === old?.length && now?.every(({ name }, i) => name === old?.[i]?.name);
  if (!areSame) return now;
  return old?.map((container, i) => {
    const { resources, resizePolicy } = now![i]!;
    return { ...container, resources, ...(resizePolicy && { resizePolicy }) };
  });
}

const lacks = (now: Quantities = {}, old: Quantities = {}): boolean => Object.keys(old).some((name) => !(name in now));

/** `now` with as much of what can be resized as `old` has. */
function withAmountsOf(old: Quantities = {}, now: Quantities = {}): Quantities {
  const rest = Object.entries(now).filter(([name]) => !RESIZABLE.includes(name));
  const kept = Object.entries(old).filter(([name]) => RESIZABLE.includes(name));
  return Object.fromEntries([...rest, ...kept]);
}

const unresized = (now: Resources, old: Resources): Resources => ({
  ...now,
  requests: withAmountsOf(old?.requests, now?.requests),
  limits: withAmountsOf(old?.limits, now?.limits),
});

/** Whether nothing but the amounts of what can be resized differs. */
const isOnlyResized = (now: Container, old: Container): boolean =>
  sameValue({ ...now, resources: unresized(now.resources, old.resources) }, old);

/** Returns whether the containers are the same ones, in the same places. */
function checkPlaces(errors: Errors, at: FieldPath, now: DeepReadonly<IPodSpec>, old: DeepReadonly<IPodSpec>): boolean {
  const before = errors.length;
  for (const list of ['containers', 'initContainers'] as const) {
    const [after = [], from = []] = [now[list], old[list]];
    if (after.length !== from.length) {
      errors.push(at.child(list).forbidden(`${list} may not be added or removed on resize`));
      continue;
    }
    from.forEach(({ name }, i) => {
      if (after[i]!.name === name) return;
      errors.push(at.index(list, i).child('name').forbidden(`${list} may not be renamed or reordered on resize`));
    });
  }
  return errors.length === before;
}

function checkContainer(
  errors: Errors,
  at: FieldPath,
  list: ListName,
  i: number,
  now: Container,
  old: Container,
): void {
  const place = at.index(list, i);
  if (list === 'initContainers' && old.restartPolicy !== 'Always') {
    if (sameValue(now, old)) return;
    errors.push(at.forbidden('resources for non-sidecar init containers are immutable'));
    return;
  }
  for (const field of ['requests', 'limits'] as const) {
    if (!lacks(now.resources?.[field], old.resources?.[field])) continue;
    errors.push(place.child('resources', field).forbidden(`resource ${field} cannot be removed`));
  }
  if (isOnlyResized(now, old)) return;
  if (list === 'containers') errors.push(at.forbidden('only cpu and memory resources are mutable'));
  else errors.push(place.forbidden('only cpu and memory resources for init or sidecar containers are mutable'));
}

/** Resources of the pod as a whole. https://kep.k8s.io/5419 */
function checkPodResources(errors: Errors, at: FieldPath, now: Resources, old: Resources): void {
  if (!now && !old) return;
  if (!now) {
    errors.push(at.child('resources').forbidden('pod-level resources cannot be removed'));
    return;
  }
  for (const field of ['requests', 'limits'] as const) {
    if (!lacks(now[field], old?.[field])) continue;
    errors.push(at.child('resources', field).forbidden(`pod-level resource ${field} cannot be removed`));
  }
  if (!sameValue(unresized(now, old), old ?? {})) {
    errors.push(at.forbidden('only cpu and memory resources are mutable at pod-level'));
  }
}

/** A node that does not tell what its containers have cannot change it either. */
const cannotResize = ({ status }: DeepReadonly<Pod>): boolean => {
  const running = status?.containerStatuses?.find(({ state }) => state?.running);
  return running !== undefined && running.resources === undefined;
};

/** What containers may use, changed while they run. https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ */
export const resize: PartDefinition<Pod> = {
  take(pod, asked) {
    const { containers, initContainers } = pod.spec;
    pod.spec = {
      ...pod.spec,
      containers: resized(asked.spec.containers, containers) ?? [],
      ...((initContainers || asked.spec.initContainers) && {
        initContainers: resized(asked.spec.initContainers, initContainers),
      }),
      ...((pod.spec.resources || asked.spec.resources) && { resources: asked.spec.resources }),
    };
  },
  check(errors, at, pod, old) {
    if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) {
      errors.push(at.forbidden('static pods cannot be resized'));
      return;
    }
    if (old.spec.os?.name === 'windows') {
      errors.push(at.forbidden('windows pods cannot be resized'));
      return;
    }
    const place = at.child('spec');
    if ((old.status?.qosClass ?? qosClassOf(old.spec)) !== qosClassOf(pod.spec)) {
      errors.push(place.invalid(pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'));
    }
    if (cannotResize(old)) errors.push(place.forbidden('Pod running on node without support for resize'));
    checkPodResources(errors, place, pod.spec.resources, old.spec.resources);
    if (!checkPlaces(errors, place, pod.spec, old.spec)) return;
    for (const list of LISTS) {
      old.spec[list]?.forEach((container, i) => {
        checkContainer(errors, place, list, i, pod.spec[list]![i]!, container);
      });
    }
  },
};
