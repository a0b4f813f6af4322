import {
  type DeepReadonly,
  type FieldPath,
  type NameRule,
  portName,
  portNumber,
  validateLabelSelector,
} from '@periplus/apimachinery';
import type { IIPBlock } from 'kubernetes-models/networking.k8s.io/v1/IPBlock';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPeer';
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort';
import { warnOfRange } from '../address-warnings.ts';
import { clearRange, isStrictSubset } from '../addresses.ts';
import { ageColumn, formatSelector, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkOptionalOneOf, type Errors, unlessKept, type Warnings } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { lenientRange } from '../lenient-addresses.ts';
import type { Stored } from '../stored.ts';

export type NetworkPolicy = Stored<INetworkPolicy, 'spec'>;

type Port = DeepReadonly<INetworkPolicyPort>;
type Peer = DeepReadonly<INetworkPolicyPeer>;

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const TYPES = ['Ingress', 'Egress'];

function checkPort(errors: Errors, at: FieldPath, { protocol, port, endPort }: Port): void {
  checkOptionalOneOf(errors, at, 'protocol', protocol, PROTOCOLS);
  const last = at.child('endPort');
  if (typeof port === 'number') {
    for (const problem of portNumber(port)) errors.push(at.child('port').invalid(port, problem));
    if (endPort === undefined) return;
    if (endPort < port) errors.push(last.invalid(port, 'must be greater than or equal to `port`'));
    for (const problem of portNumber(endPort)) errors.push(last.invalid(endPort, problem));
    return;
  }
  if (endPort !== undefined) {
    const why = port === undefined ? 'not specified' : 'non-numeric';
    errors.push(last.invalid(endPort, `may not be specified when \`port\` is ${why}`));
  }
  for (const problem of port === undefined ? [] : portName(port)) errors.push(at.child('port').invalid(port, problem));
}

function checkBlock(
  errors: Errors,
  at: FieldPath,
  { cidr: range, except = [] }: DeepReadonly<IIPBlock>,
  rule: NameRule,
) {
  if (!range) {
    errors.push(at.child('cidr').required());
    return;
  }
  for (const problem of rule(range)) errors.push(at.child('cidr').invalid(range, problem));
  const outer = lenientRange(range);
  if (!outer) return;
  except.forEach((part, i) => {
    const place = at.index('except', i);
    for (const problem of rule(part)) errors.push(place.invalid(part, problem));
    const inner = lenientRange(part);
    if (inner && !isStrictSubset(inner.network, outer.network)) {
      errors.push(place.invalid(part, 'must be a strict subset of `cidr`'));
    }
  });
}

function checkPeer(errors: Errors, at: FieldPath, peer: Peer, rule: NameRule): void {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  errors.push(...validateLabelSelector(podSelector, at.child('podSelector')));
  errors.push(...validateLabelSelector(namespaceSelector, at.child('namespaceSelector')));
  if (ipBlock) checkBlock(errors, at.child('ipBlock'), ipBlock, rule);
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  if (!ipBlock && !selects) errors.push(at.required('must specify a peer'));
  if (ipBlock && selects) errors.push(at.forbidden('may not specify both ipBlock and another peer'));
}

/** All ranges that a policy names: rules may have moved, so an update keeps whatever was in any of them. */
function rangesOf({ ingress = [], egress = [] }: DeepReadonly<NetworkPolicy>['spec']): string[] {
  const peers = [...ingress.flatMap(({ from }) => from ?? []), ...egress.flatMap(({ to }) => to ?? [])];
  return peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []));
}

function check(
  errors: Errors,
  root: FieldPath,
  { spec }: DeepReadonly<NetworkPolicy>,
  old: DeepReadonly<NetworkPolicy> | null,
): void {
  const range = unlessKept(clearRange, old ? rangesOf(old.spec) : []);
  const at = root.child('spec');
  errors.push(...validateLabelSelector(spec.podSelector, at.child('podSelector')));
  const checkRule = (
    place: FieldPath,
    ports: readonly Port[] = [],
    side: string,
    peers: readonly Peer[] = [],
  ): void => {
    ports.forEach((port, i) => {
      checkPort(errors, place.index('ports', i), port);
    });
    peers.forEach((peer, i) => {
      checkPeer(errors, place.index(side, i), peer, range);
    });
  };
  spec.ingress?.forEach(({ ports, from }, i) => {
    checkRule(at.index('ingress', i), ports, 'from', from);
  });
  spec.egress?.forEach(({ ports, to }, i) => {
    checkRule(at.index('egress', i), ports, 'to', to);
  });
  const { policyTypes = [] } = spec;
  if (policyTypes.length > TYPES.length) {
    errors.push(at.child('policyTypes').invalid(policyTypes, 'may not specify more than two policyTypes'));
    return;
  }
  policyTypes.forEach((type, i) => {
    if (!TYPES.includes(type)) errors.push(at.index('policyTypes', i).notSupported(type, TYPES));
  });
}

function warnOfBlocks(warnings: Warnings, at: FieldPath, peers: readonly Peer[] | undefined): void {
  peers?.forEach(({ ipBlock }, i) => {
    if (!ipBlock) return;
    const place = at.item(i).child('ipBlock');
    warnOfRange(warnings, place.child('cidr'), ipBlock.cidr);
    ipBlock.except?.forEach((part, position) => {
      warnOfRange(warnings, place.index('except', position), part);
    });
  });
}

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  namespaced: true,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'Pod-Selector',
      type: 'string',
      description: fieldText('networking.k8s.io/v1.NetworkPolicySpec.podSelector'),
      of: ({ spec }) => formatSelector(spec.podSelector ?? {}),
    },
    ageColumn,
  ],
  check,
  warn(warnings, at, { spec }) {
    spec.ingress?.forEach(({ from }, i) => {
      warnOfBlocks(warnings, at.child('spec').index('ingress', i).child('from'), from);
    });
    spec.egress?.forEach(({ to }, i) => {
      warnOfBlocks(warnings, at.child('spec').index('egress', i).child('to'), to);
    });
  },
  setDefaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    spec.podSelector ??= {};
    const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
    for (const { ports = [] } of rules) for (const port of ports) port.protocol ??= 'TCP';
    // Whoever says nothing means the traffic that comes in, and what goes out if there are rules for it.
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
  },
});
