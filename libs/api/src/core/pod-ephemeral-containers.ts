import type { PartDefinition } from '../define.ts';
import { differences } from '../differences.ts';
import { sameValue } from '../equality.ts';
import type { Pod } from './pod-type.ts';
import { checkMirrorAnnotation, MIRROR_ANNOTATION } from './pod-update.ts';

/** Containers to look into a pod that runs: more may come, none may go. https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/ */
export const ephemeralContainers: PartDefinition<Pod> = {
  take(pod, asked) {
    pod.spec = { ...pod.spec, ephemeralContainers: asked.spec.ephemeralContainers };
  },
  check(errors, at, pod, old) {
    checkMirrorAnnotation(errors, at, pod, old);
    if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) {
      errors.push(at.forbidden('static pods do not support ephemeral containers'));
      return;
    }
    const place = at.child('spec', 'ephemeralContainers');
    for (const before of old.spec.ephemeralContainers ?? []) {
      const after = pod.spec.ephemeralContainers?.find(({ name }) => name === before.name);
      const named = `existing ephemeral containers ${JSON.stringify(before.name)}`;
      if (!after) errors.push(place.forbidden(`${named} may not be removed\n`));
      else if (!sameValue(before, after)) {
        const lines = differences(before, after, 'container');
        errors.push(place.forbidden([`${named} may not be changed`, ...lines].join('\n')));
      }
    }
  },
};
