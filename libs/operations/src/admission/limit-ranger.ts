import { type LimitRange, type PersistentVolumeClaim, type Pod, persistentVolumeClaim, pod } from '@periplus/api';
import { type DeepReadonly, parseQuantity, type Quantity } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';
import { type Asked, claimProblems, podProblems } from './limit-constraints.ts';

type Quantities = Record<string, string | number>;
type Container = Pod['spec']['containers'][number];

const ANNOTATION = 'kubernetes.io/limit-ranger';

/** Fills in what is not there, and returns the names of it. */
function fill(quantities: Quantities, defaults: DeepReadonly<Quantities>): string[] {
  const missing = Object.keys(defaults).filter((name) => !Object.hasOwn(quantities, name));
  for (const name of missing) quantities[name] = defaults[name]!;
  return missing.sort();
}

function fillContainer(container: Container, what: string, item: DeepReadonly<Asked>, notes: string[]): void {
  const { default: limits = {}, defaultRequest: requests = {} } = item;
  container.resources ??= {};
  const { resources } = container;
  for (const [list, defaults, word] of [
    ['requests', requests, 'request'],
    ['limits', limits, 'limit'],
  ] as const) {
    if (Object.keys(defaults).length === 0) continue;
    resources[list] ??= {};
    const filled = fill(resources[list], defaults);
    if (filled.length > 0) notes.push(`${filled.join(', ')} ${word} for ${what} ${container.name}`);
  }
}

function setDefaults({ spec, metadata }: Pod, range: DeepReadonly<LimitRange>): void {
  const notes: string[] = [];
  const items = (range.spec.limits ?? []).filter(({ type }) => type === 'Container');
  const item: Asked = { default: {}, defaultRequest: {} };
  for (const one of items) {
    Object.assign(item.default!, one.default);
    Object.assign(item.defaultRequest!, one.defaultRequest);
  }
  for (const container of spec.containers) fillContainer(container, 'container', item, notes);
  for (const container of spec.initContainers ?? []) fillContainer(container, 'init container', item, notes);
  if (notes.length === 0) return;
  metadata.annotations ??= {};
  metadata.annotations[ANNOTATION] = `LimitRanger plugin set: ${notes.join('; ')}`;
}

const storageOf = ({ spec }: PersistentVolumeClaim): Quantity =>
  parseQuantity((spec.resources?.requests?.storage as string | number | undefined) ?? 0);

/** As Go prints several errors in one. */
const together = (problems: readonly string[]): string => {
  const [first, ...others] = new Set(problems);
  return others.length === 0 ? first! : `[${[first, ...others].join(', ')}]`;
};

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#limitranger */
export function limitRanger(cluster: ClusterState): Admission {
  const isPod = ({ target }: AdmissionRequest): boolean => target.kind === (pod as unknown);
  return {
    name: 'LimitRanger',
    handles: ({ kind, subresource }, operation) => {
      if (operation === 'delete') return false;
      if (kind !== (pod as unknown)) return subresource === '' && kind === (persistentVolumeClaim as unknown);
      return operation === 'create' ? subresource === '' : subresource === 'resize';
    },
    admit(request) {
      if (!isPod(request) || request.operation !== 'create') return;
      for (const range of cluster.limitRangesIn(request.target.namespace)) setDefaults(request.object as Pod, range);
    },
    review(request) {
      for (const { spec } of cluster.limitRangesIn(request.target.namespace)) {
        const problems = isPod(request)
          ? podProblems(spec.limits ?? [], (request.object as Pod).spec)
          : claimProblems(spec.limits ?? [], storageOf(request.object as PersistentVolumeClaim));
        if (problems.length > 0) throw refused(request, together(problems));
      }
    },
  };
}
