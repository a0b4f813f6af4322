import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  VAC_PROTECTION,
  type VolumeAttributesClass,
  volumeAttributesClass,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type Controller, defineController, mentions, type ObjectRef, watchRule } from '@periplus/reconcile';
import { release } from './release.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** The end of each member that names a class. */
const MEMBERS = [
  '"volumeAttributesClassName"',
  '"currentVolumeAttributesClassName"',
  '"targetVolumeAttributesClassName"',
];

const named = (...names: (string | null | undefined)[]): string[] =>
  names.filter((name) => name != null && name !== '') as string[];

const ofClaim = ({ spec, status }: Claim): string[] =>
  named(
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  );
const ofVolume = ({ spec }: Volume): string[] => named(spec?.volumeAttributesClassName);

/** The classes that an object named, and does not any more. */
const letGo =
  <T>(classesOf: (object: T) => string[]) =>
  (now: T | null, old: T | null): ObjectRef[] => {
    const kept = now === null ? [] : classesOf(now);
    const before = old === null ? [] : classesOf(old);
    return before.filter((name) => !kept.includes(name)).map((name) => ({ namespace: '', name }));
  };

/**
 * Lets classes of volumes' attributes go that no volume has and no claim asks for.
 * https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/
 */
export const attributesClassProtectionController: Controller<VolumeAttributesClass> =
  defineController<VolumeAttributesClass>({
    name: 'volumeattributesclass-protection',
    for: volumeAttributesClass,
    watches: [
      watchRule(persistentVolumeClaim, letGo(ofClaim), (change) => mentions(change, ...MEMBERS)),
      watchRule(persistentVolume, letGo(ofVolume), (change) => mentions(change, ...MEMBERS)),
    ],
    reconcile({ name }, view) {
      const found = view.get(volumeAttributesClass, '', name);
      const {
        deletionTimestamp,
        finalizers = [],
        uid: ifUid,
        resourceVersion: ifResourceVersion,
      } = found?.metadata ?? {};
      if (found && !deletionTimestamp && !finalizers.includes(VAC_PROTECTION)) {
        const target = { kind: volumeAttributesClass as never, namespace: '', name, ifUid, ifResourceVersion };
        const patch = { metadata: { finalizers: [...finalizers, VAC_PROTECTION] } };
        return { steps: [[{ ...target, verb: 'patch', type: 'merge', patch }]] };
      }
      return release(
        volumeAttributesClass as never,
        found,
        VAC_PROTECTION,
        () =>
          view.list(persistentVolumeClaim).some((one) => ofClaim(one).includes(name)) ||
          view.list(persistentVolume).some((one) => ofVolume(one).includes(name)),
      );
    },
  });
