import { type DeepReadonly, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IVolumeAttachment } from 'kubernetes-models/storage.k8s.io/v1/VolumeAttachment';
import type { IVolumeAttachmentSource } from 'kubernetes-models/storage.k8s.io/v1/VolumeAttachmentSource';
import type { IVolumeError } from 'kubernetes-models/storage.k8s.io/v1/VolumeError';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkDriverName } from './csi-driver-name.ts';

export type VolumeAttachment = Stored<IVolumeAttachment, 'spec'>;

/** Set on nodes whose volumes are attached for them. https://kubernetes.io/docs/reference/labels-annotations-taints/#volumes-kubernetes-io-controller-managed-attach-detach */
export const CONTROLLER_ATTACHES = 'volumes.kubernetes.io/controller-managed-attach-detach';

/** Of all names and values together. */
const METADATA_BYTES_MAX = 256 * 1024;
const MESSAGE_BYTES_MAX = 1024;
const ERROR_CODE_MAX = 2 ** 31 - 1;

function checkSource(errors: Errors, at: FieldPath, source: DeepReadonly<IVolumeAttachmentSource> = {}): void {
  const { inlineVolumeSpec, persistentVolumeName: name } = source;
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  const place = at.child('persistentVolumeName');
  if (!inlineVolumeSpec && name === undefined) errors.push(at.required(detail));
  else if (inlineVolumeSpec && name !== undefined) errors.push(at.forbidden(detail));
  else if (name === '') errors.push(place.required('must specify non empty persistentVolumeName'));
  if (name === undefined) return;
  for (const problem of dns1123Subdomain(name)) errors.push(place.invalid(name, problem));
}

function checkVolumeError(errors: Errors, at: FieldPath, error: DeepReadonly<IVolumeError> | undefined): void {
  if (!error) return;
  if (Buffer.byteLength(error.message ?? '') > MESSAGE_BYTES_MAX) {
    errors.push(at.child('message').tooLong(METADATA_BYTES_MAX));
  }
  if ((error.errorCode ?? 0) < 0) {
    const detail = `must be between 0 and ${ERROR_CODE_MAX}, inclusive`;
    errors.push(at.child('errorCode').invalid(error.errorCode, detail));
  }
}

function checkStatus(errors: Errors, root: FieldPath, { status }: DeepReadonly<VolumeAttachment>): void {
  const at = root.child('status');
  let bytes = 0;
  for (const [name, value] of Object.entries(status?.attachmentMetadata ?? {})) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > METADATA_BYTES_MAX) errors.push(at.child('attachmentMetadata').tooLong(METADATA_BYTES_MAX));
  checkVolumeError(errors, at.child('attachError'), status?.attachError);
  checkVolumeError(errors, at.child('detachError'), status?.detachError);
}

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/ */
export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
  answersRemoved: true,
  updatedByVersionOnly: true,
  columns: [
    nameColumn,
    {
      name: 'Attacher',
      type: 'string',
      format: 'name',
      description: fieldText('storage.k8s.io/v1.VolumeAttachmentSpec.attacher'),
      of: ({ spec }) => spec.attacher ?? '',
    },
    {
      name: 'PV',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.VolumeAttachmentSource.persistentVolumeName'),
      of: ({ spec }) => spec.source?.persistentVolumeName ?? '',
    },
    {
      name: 'Node',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.VolumeAttachmentSpec.nodeName'),
      of: ({ spec }) => spec.nodeName ?? '',
    },
    {
      name: 'Attached',
      type: 'boolean',
      description: fieldText('storage.k8s.io/v1.VolumeAttachmentStatus.attached'),
      of: ({ status }) => status?.attached ?? false,
    },
    ageColumn,
  ],
  check(errors, root, object) {
    const at = root.child('spec');
    const { attacher = '', source, nodeName = '' } = object.spec;
    checkDriverName(errors, at.child('attacher'), attacher);
    checkSource(errors, at.child('source'), source);
    for (const problem of dns1123Subdomain(nodeName)) errors.push(at.child('nodeName').invalid(nodeName, problem));
    checkStatus(errors, root, object);
  },
  checkUpdate: (errors, root, { spec }, { spec: old }) => checkImmutable(errors, root, 'spec', spec, old),
  checkStatusUpdate: checkStatus,
  setDefaults(attachment) {
    attachment.spec ??= {} as VolumeAttachment['spec'];
    attachment.status ??= { attached: false };
  },
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
});
