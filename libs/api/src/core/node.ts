import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { INode } from 'kubernetes-models/v1/Node';
import { warnOfRange } from '../address-warnings.ts';
import { clearRange } from '../addresses.ts';
import { ageColumn, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { type Errors, warn } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { checkQuantityOf } from '../pod-spec/resources.ts';
import { checkTaints } from '../pod-spec/tolerations.ts';
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

function checkQuantities(errors: Errors, at: FieldPath, node: DeepReadonly<Node>): void {
  for (const list of ['capacity', 'allocatable'] as const) {
    const quantities = node.status?.[list];
    for (const name in quantities) checkQuantityOf(errors, at.child('status', list, name), name, quantities[name]!);
  }
}

function check(errors: Errors, at: FieldPath, node: DeepReadonly<Node>): void {
  checkTaints(errors, at.child('metadata'), node.spec.taints);
  checkQuantities(errors, at, node);
  const { podCIDRs = [] } = node.spec;
  const place = at.child('spec');
  const seen = new Set<string>();
  podCIDRs.forEach((range, i) => {
    for (const problem of clearRange(range)) errors.push(place.index('podCIDRs', i).invalid(range, problem));
    if (seen.has(range)) errors.push(place.index('podCIDRs', i).duplicate(range));
    seen.add(range);
  });
  if (podCIDRs.length > new Set(podCIDRs.map((range) => range.includes(':'))).size) {
    errors.push(place.child('podCIDRs').invalid(podCIDRs, 'may specify no more than one CIDR for each IP family'));
  }
}

/** What a node was given once it keeps. */
function checkUpdate(errors: Errors, at: FieldPath, now: DeepReadonly<Node>, old: DeepReadonly<Node>): void {
  const place = at.child('spec');
  if (old.spec.podCIDRs?.length && !sameValue(now.spec.podCIDRs, old.spec.podCIDRs)) {
    const detail = 'node updates may not change podCIDR except from "" to valid';
    errors.push(place.child('podCIDRs').forbidden(detail));
  }
  if (old.spec.providerID && now.spec.providerID !== old.spec.providerID) {
    const detail = 'node updates may not change providerID except from "" to valid';
    errors.push(place.child('providerID').forbidden(detail));
  }
}

function checkStatusUpdate(errors: Errors, at: FieldPath, node: DeepReadonly<Node>): void {
  checkQuantities(errors, at, node);
  const seen = new Set<string>();
  node.status?.addresses?.forEach((address, i) => {
    const id = `${address.type} ${address.address}`;
    if (seen.has(id)) errors.push(at.child('status').index('addresses', i).duplicate(address));
    seen.add(id);
  });
}

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
    { name: 'Status', type: 'string', description: 'The status of the node', of: statusOf },
    { name: 'Roles', type: 'string', description: 'The roles of the node', of: rolesOf },
    ageColumn,
    {
      name: 'Version',
      type: 'string',
      description: fieldText('v1.NodeSystemInfo.kubeletVersion'),
      of: (node) => node.status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      name: 'Internal-IP',
      type: 'string',
      priority: 1,
      description: fieldText('v1.NodeStatus.addresses'),
      of: (node) => addressOf(node, 'InternalIP'),
    },
    {
      name: 'External-IP',
      type: 'string',
      priority: 1,
      description: fieldText('v1.NodeStatus.addresses'),
      of: (node) => addressOf(node, 'ExternalIP'),
    },
    {
      name: 'OS-Image',
      type: 'string',
      priority: 1,
      description: fieldText('v1.NodeSystemInfo.osImage'),
      of: (node) => node.status?.nodeInfo?.osImage || '<unknown>',
    },
    {
      name: 'Kernel-Version',
      type: 'string',
      priority: 1,
      description: fieldText('v1.NodeSystemInfo.kernelVersion'),
      of: (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      description: fieldText('v1.NodeSystemInfo.containerRuntimeVersion'),
      of: (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec.unschedulable ?? false) },
  keepsStatusOfCreator: true,
  check,
  checkUpdate,
  checkStatusUpdate,
  warn(warnings, at, { spec }) {
    const why = 'this field is deprecated, and is unused by Kubernetes';
    if (spec.configSource) warn(warnings, at.child('spec', 'configSource'), 'the feature is removed');
    if (spec.externalID) warn(warnings, at.child('spec', 'externalID'), why);
    spec.podCIDRs?.forEach((range, i) => {
      warnOfRange(warnings, at.child('spec').index('podCIDRs', i), range);
    });
  },
  setDefaults(node) {
    node.spec ??= {};
    node.status ??= {};
    if (node.status.capacity) node.status.allocatable ??= { ...node.status.capacity };
    // Two names of one thing: the first range alone, and all of them.
    if (node.spec.podCIDR && node.spec.podCIDRs?.[0] !== node.spec.podCIDR) node.spec.podCIDRs = [node.spec.podCIDR];
    else if (node.spec.podCIDRs?.[0]) node.spec.podCIDR = node.spec.podCIDRs[0];
    if (node.spec.unschedulable === false) delete node.spec.unschedulable;
  },
});
