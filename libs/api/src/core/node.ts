import type { DeepReadonly } from '@periplus/apimachinery';
import type { INode } from 'kubernetes-models/v1/Node';
import { ageColumn, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type Node = Stored<INode, 'spec'>;

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function statusOf(node: DeepReadonly<Node>): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const status = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return node.spec.unschedulable ? `${status},SchedulingDisabled` : status;
}

function rolesOf(node: DeepReadonly<Node>): string {
  const roles = new Set<string>();
  for (const [label, value] of Object.entries(node.metadata.labels ?? {})) {
    const role = label.startsWith(ROLE_PREFIX) ? label.slice(ROLE_PREFIX.length) : label === ROLE_LABEL ? value : '';
    if (role) roles.add(role);
  }
  return orNone([...roles].sort().join(','));
}

const addressOf = (node: DeepReadonly<Node>, type: string): string =>
  orNone(node.status?.addresses?.find((address) => address.type === type)?.address);

/** https://kubernetes.io/docs/concepts/architecture/nodes/ */
export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'Whether the node is ready and schedulable', of: statusOf },
    { name: 'Roles', type: 'string', description: 'Roles, from the labels of the node', of: rolesOf },
    ageColumn,
    {
      name: 'Version',
      type: 'string',
      description: 'Version of the node agent',
      of: (node) => node.status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      name: 'Internal-IP',
      type: 'string',
      priority: 1,
      description: 'First internal address',
      of: (node) => addressOf(node, 'InternalIP'),
    },
    {
      name: 'External-IP',
      type: 'string',
      priority: 1,
      description: 'First external address',
      of: (node) => addressOf(node, 'ExternalIP'),
    },
    {
      name: 'OS-Image',
      type: 'string',
      priority: 1,
      description: 'Operating system of the node',
      of: (node) => node.status?.nodeInfo?.osImage || '<unknown>',
    },
    {
      name: 'Kernel-Version',
      type: 'string',
      priority: 1,
      description: 'Kernel of the node',
      of: (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      description: 'Container runtime and its version',
      of: (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec.unschedulable ?? false) },
  setDefaults(node) {
    node.spec ??= {};
    node.status ??= {};
    node.status.allocatable ??= node.status.capacity && { ...node.status.capacity };
  },
});
