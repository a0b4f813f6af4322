import { type DeepReadonly, dns1123Subdomain, type FieldPath, pathSegment } from '@periplus/apimachinery';
import type { IIPAddress } from 'kubernetes-models/networking.k8s.io/v1/IPAddress';
import { canonicalAddress } from '../addresses.ts';
import { nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, checkRequiredText, checkText, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type IPAddress = Stored<IIPAddress, 'spec'>;

function check(errors: Errors, root: FieldPath, { spec: { parentRef } }: DeepReadonly<IPAddress>): void {
  const at = root.child('spec', 'parentRef');
  if (!parentRef) {
    errors.push(at.required());
    return;
  }
  checkText(errors, at, 'group', parentRef.group, dns1123Subdomain);
  checkRequiredText(errors, at, 'resource', parentRef.resource, pathSegment);
  checkRequiredText(errors, at, 'name', parentRef.name, pathSegment);
  checkText(errors, at, 'namespace', parentRef.namespace, pathSegment);
}

/** `services/default/kubernetes` */
function parentOf({ spec: { parentRef } }: DeepReadonly<IPAddress>): string {
  if (!parentRef) return '<none>';
  const { group, resource, namespace, name } = parentRef;
  const kind = group ? `${resource}.${group}` : resource;
  return [kind.toLowerCase(), ...(namespace ? [namespace] : []), name].join('/');
}

/** https://kubernetes.io/docs/reference/networking/virtual-ips/#ip-address-objects */
export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  nameRule: canonicalAddress,
  columns: [
    nameColumn,
    {
      name: 'ParentRef',
      type: 'string',
      description: fieldText('networking.k8s.io/v1.IPAddressSpec.parentRef'),
      of: parentOf,
    },
  ],
  checkNew: check,
  checkUpdate(errors, at, { spec }, { spec: old }) {
    checkImmutable(errors, at.child('spec'), 'parentRef', spec.parentRef, old.parentRef);
  },
  setDefaults(address) {
    address.spec ??= {} as IPAddress['spec'];
  },
});
