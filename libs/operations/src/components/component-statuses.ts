import type { ComponentStatus } from '@periplus/api';
import { notFound } from '@periplus/apimachinery';
import { namedResource } from '../cluster-state.ts';
import { type Observed, wholeList } from '../reading/observed.ts';
import type { ObjectResult } from '../types.ts';
import { resultOf } from '../writing/committer.ts';

/** A part of the control plane, and how to find out how it is. */
export interface Component {
  /** As Kubernetes calls it: "scheduler", "etcd-0". */
  readonly name: string;
  /** Resolves when it does what it is there for; rejects, saying why, when it does not. In a few seconds, either way. */
  check(): Promise<void>;
}

async function statusOf({ name, check }: Component): Promise<ObjectResult> {
  const why = await check().then(
    () => null,
    (error: Error) => error.message,
  );
  const condition = why === null ? { status: 'True', message: 'ok' } : { status: 'False', message: why || 'no answer' };
  const status: ComponentStatus = {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [{ type: 'Healthy', ...condition }],
  };
  return resultOf(status, '', 0);
}

export const componentStatuses = (components: readonly Component[]): Observed => ({
  async get(target) {
    const component = components.find(({ name }) => name === target.name);
    if (!component) throw notFound(namedResource(target.kind), target.name);
    return statusOf(component);
  },
  async list(_target, selection) {
    const all = await Promise.all(components.map(statusOf));
    return wholeList(all.filter(({ object }) => selection.matches(object)));
  },
});
