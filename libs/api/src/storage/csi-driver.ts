import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { ICSIDriver } from 'kubernetes-models/storage.k8s.io/v1/CSIDriver';
import { ageColumn, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, checkOptionalOneOf, checkRequired, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type CSIDriver = Stored<ICSIDriver, 'spec'>;

type Spec = DeepReadonly<CSIDriver['spec']>;

const FS_GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral'];
const UPDATE_PERIOD_SECONDS_MIN = 10;
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

function checkTokenRequests(errors: Errors, at: FieldPath, { tokenRequests = [] }: Spec): void {
  const audiences = new Set<string>();
  tokenRequests.forEach(({ audience, expirationSeconds }, i) => {
    const place = at.index('tokenRequests', i);
    if (audiences.has(audience)) {
      errors.push(place.child('audience').duplicate(audience));
      return;
    }
    audiences.add(audience);
    if (expirationSeconds === undefined) return;
    const refuse = (detail: string): void => {
      errors.push(place.child('expirationSeconds').invalid(expirationSeconds, detail));
    };
    if (expirationSeconds < TOKEN_SECONDS_MIN) refuse('may not specify a duration less than 10 minutes');
    if (expirationSeconds > TOKEN_SECONDS_MAX) refuse('may not specify a duration larger than 2^32 seconds');
  });
}

function check(errors: Errors, root: FieldPath, { spec }: DeepReadonly<CSIDriver>): void {
  const at = root.child('spec');
  // Kubernetes calls the field so in its errors.
  checkRequired(errors, at, 'attachedRequired', spec.attachRequired);
  checkRequired(errors, at, 'podInfoOnMount', spec.podInfoOnMount);
  checkRequired(errors, at, 'storageCapacity', spec.storageCapacity);
  checkOptionalOneOf(errors, at, 'fsGroupPolicy', spec.fsGroupPolicy, FS_GROUP_POLICIES);
  checkTokenRequests(errors, at, spec);
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!LIFECYCLE_MODES.includes(mode))
      errors.push(at.child('volumeLifecycleModes').notSupported(mode, LIFECYCLE_MODES));
  }
  checkRequired(errors, at, 'seLinuxMount', spec.seLinuxMount);
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < UPDATE_PERIOD_SECONDS_MIN) {
    const detail = `must be greater than or equal to ${UPDATE_PERIOD_SECONDS_MIN} seconds`;
    errors.push(at.child('nodeAllocatableUpdatePeriodSeconds').invalid(period, detail));
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-driver-v1/ */
export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  answersRemoved: true,
  updatedByVersionOnly: true,
  columns: [
    nameColumn,
    {
      name: 'AttachRequired',
      type: 'boolean',
      description: fieldText('storage.k8s.io/v1.CSIDriverSpec.attachRequired'),
      of: ({ spec }) => spec.attachRequired ?? true,
    },
    {
      name: 'PodInfoOnMount',
      type: 'boolean',
      description: fieldText('storage.k8s.io/v1.CSIDriverSpec.podInfoOnMount'),
      of: ({ spec }) => spec.podInfoOnMount ?? false,
    },
    {
      name: 'StorageCapacity',
      type: 'boolean',
      description: fieldText('storage.k8s.io/v1.CSIDriverSpec.storageCapacity'),
      of: ({ spec }) => spec.storageCapacity ?? false,
    },
    {
      name: 'TokenRequests',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.CSIDriverSpec.tokenRequests'),
      of: ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    },
    {
      name: 'RequiresRepublish',
      type: 'boolean',
      description: fieldText('storage.k8s.io/v1.CSIDriverSpec.requiresRepublish'),
      of: ({ spec }) => spec.requiresRepublish ?? false,
    },
    {
      name: 'Modes',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.CSIDriverSpec.volumeLifecycleModes'),
      of: ({ spec }) => orNone(spec.volumeLifecycleModes?.join(',')),
    },
    ageColumn,
  ],
  check,
  checkUpdate(errors, at, { spec }, { spec: old }) {
    checkImmutable(errors, at.child('spec'), 'attachedRequired', spec.attachRequired, old.attachRequired);
    checkImmutable(
      errors,
      at.child('spec'),
      'volumeLifecycleModes',
      spec.volumeLifecycleModes,
      old.volumeLifecycleModes,
    );
  },
  setDefaults(driver) {
    driver.spec ??= {};
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  /** New drivers have no generation; it counts their changes. */
  prepareForUpdate({ metadata, spec }, old) {
    if (!sameValue(spec, old.spec)) metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
});
