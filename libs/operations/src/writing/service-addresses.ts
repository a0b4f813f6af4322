import {
  addressesOf,
  addressOfService,
  type IPAddress,
  ipAddress,
  type Kind,
  type Service,
  service,
  serviceOfAddress,
} from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { type ClusterState, storageKind } from '../cluster-state.ts';
import type { DecidedChange } from './decided-change.ts';
import { decideDeletion } from './deletion.ts';
import { managedByUpdate } from './field-managers.ts';
import { fillNewMetadata } from './metadata.ts';

const KIND = ipAddress as unknown as Kind;
/** Who manages them, whoever's request it was. As kube-apiserver. */
const FIELD_MANAGER = 'kube-apiserver';
const NONE: readonly DecidedChange[] = [];

function creation({ context }: DecidedChange, owner: DeepReadonly<Service>, address: string): DecidedChange {
  const object = addressOfService(address, owner.metadata) as KubeObject;
  const target = { kind: KIND, namespace: '', name: address, subresource: '' };
  managedByUpdate({ ...context, fieldManager: FIELD_MANAGER }, target)(object, null);
  fillNewMetadata(object, context.nowMs);
  KIND.prepareForCreate(object);
  return { context, verb: 'create', kind: KIND, old: null, object };
}

/** None where it refers to somebody else, or is gone already. */
function removals(
  cluster: ClusterState,
  { context }: DecidedChange,
  { metadata: { namespace, name } }: DeepReadonly<Service>,
  address: string,
): DecidedChange[] {
  const old = cluster.entry(KIND, '', address);
  const owner = old && serviceOfAddress(old.object as DeepReadonly<IPAddress>);
  if (owner?.name !== name || owner?.namespace !== namespace) return [];
  const deletion = decideDeletion(KIND, old!.object, {}, context.nowMs);
  if (deletion.do === 'nothing') return [];
  const object = deletion.do === 'mark' ? deletion.object : null;
  return [{ context, verb: 'delete', kind: KIND, old: old!, object }];
}

/**
 * What happens to IPAddresses with a change of a Service, in the same transaction: each of its cluster IPs has one.
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#ip-address-objects
 */
export function addressChanges(cluster: ClusterState, change: DecidedChange): readonly DecidedChange[] {
  if (storageKind(change.kind) !== (service as unknown)) return NONE;
  const now = change.object as Service | null;
  const before = change.old && (change.old.object as DeepReadonly<Service>);
  const wanted = now ? addressesOf(now) : [];
  const held = before ? addressesOf(before) : [];
  return [
    ...wanted.filter((address) => !held.includes(address)).map((address) => creation(change, now!, address)),
    ...held
      .filter((address) => !wanted.includes(address))
      .flatMap((address) => removals(cluster, change, before!, address)),
  ];
}
