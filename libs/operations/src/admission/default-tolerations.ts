import { type Pod, pod } from '@periplus/api';
import type { Admission } from './admission.ts';

/** How long a pod stays on a node that does not answer. */
const TOLERATION_SECONDS = 300;
const CONDITIONS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

type Toleration = NonNullable<Pod['spec']['tolerations']>[number];

const concerns = (toleration: Toleration, taint: string): boolean =>
  (toleration.key === taint || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect);

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaulttolerationseconds */
export const defaultTolerations: Admission = {
  name: 'DefaultTolerationSeconds',
  handles: ({ kind, subresource }, operation) =>
    kind === (pod as unknown) && subresource === '' && operation !== 'delete',
  admit({ object }) {
    const { spec } = object as Pod;
    for (const key of CONDITIONS) {
      if (spec.tolerations?.some((toleration) => concerns(toleration, key))) continue;
      spec.tolerations ??= [];
      const toleration = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS };
      spec.tolerations.push(toleration as Toleration);
    }
  },
};
