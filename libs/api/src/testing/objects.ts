/** Small objects that are fine, for tests to spoil. */
import { type DeepReadonly, FieldPath, type KubeObject } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { Deployment } from '../apps/deployment.ts';
import type { Pod } from '../core/pod.ts';
import type { Service } from '../core/service.ts';
import type { Kind } from '../kind.ts';

const root = new FieldPath();
/** Updates name the version that they change. */
const stamp = <T extends KubeObject>(object: T): T => {
  object.metadata.resourceVersion = '1';
  return object;
};

const shown = (errors: readonly { field: string; message: string }[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);

/** What creating the object would be refused for, after defaults. */
export function createProblems<T extends KubeObject>(kind: Kind<T>, object: T): string[] {
  kind.setDefaults(object);
  kind.prepareForCreate(object);
  return shown(kind.validate(object as DeepReadonly<T>, root));
}

/** The object as the cluster would have it. */
export function created<T extends KubeObject>(kind: Kind<T>, object: T): T {
  kind.setDefaults(object);
  kind.prepareForCreate(object);
  return object;
}

/** What an update would be refused for. `change` gets a copy of the created object. */
export function updateProblems<T extends KubeObject>(kind: Kind<T>, object: T, change: (copy: T) => void): string[] {
  const old = stamp(created(kind, object));
  const now = structuredClone(old);
  change(now);
  kind.setDefaults(now);
  kind.prepareForUpdate(now, old as DeepReadonly<T>);
  return shown(kind.validateUpdate(now as DeepReadonly<T>, old as DeepReadonly<T>, root));
}

export function statusProblems<T extends KubeObject>(kind: Kind<T>, object: T, change: (copy: T) => void): string[] {
  const old = stamp(created(kind, object));
  const now = structuredClone(old);
  change(now);
  kind.setDefaults(now);
  kind.prepareForStatusUpdate(now, old as DeepReadonly<T>);
  return shown(kind.validateStatusUpdate(now as DeepReadonly<T>, old as DeepReadonly<T>, root));
}

export const aPod = (spec: Partial<IPodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { containers: [{ name: 'main', image: 'web:1' }], ...spec },
});

export const aPodWith = (container: Partial<IContainer>, spec: Partial<IPodSpec> = {}): Pod =>
  aPod({ containers: [{ name: 'main', image: 'web:1', ...container }], ...spec });

export const aDeployment = (spec: Partial<Deployment['spec']> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'web:1' }] } },
    ...spec,
  },
});

export const aService = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
});

/** The cells that `kubectl get` prints, with those of `-o wide` behind a bar. */
export function cells<T extends KubeObject>(kind: Kind<T>, object: T, nowMs = 0): string {
  const print = (priority: 0 | 1) =>
    kind.columns
      .filter((column) => (column.priority ?? 0) === priority)
      .map((column) => String(column.of(object as DeepReadonly<T>, nowMs)))
      .join('  ');
  const wide = print(1);
  return wide ? `${print(0)} | ${wide}` : print(0);
}
