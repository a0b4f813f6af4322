import { type HorizontalPodAutoscaler, type Kind, type KindRegistry, scaleOf } from '@periplus/api';
import { type DeepReadonly, type KubeObject, notFound, parseApiVersion } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';

/** What an autoscaler scales. */
export interface ScaleTarget {
  kind: Kind;
  object: DeepReadonly<KubeObject>;
  replicas: number;
  /** '' when it has none. */
  selector: string;
}

/** The object that `scaleTargetRef` names, at whatever version it is served, or why it can't be scaled. */
export function scaleTarget(
  { metadata, spec }: DeepReadonly<HorizontalPodAutoscaler>,
  kinds: KindRegistry,
  view: View,
): ScaleTarget | { problem: string } {
  const { apiVersion = '', kind: name, name: target } = spec.scaleTargetRef;
  const group = parseApiVersion(apiVersion)?.group ?? '';
  const served = kinds.all().filter((one) => one.kind === name && one.group === group);
  if (served.length === 0) return { problem: `no matches for kind "${name}" in group "${group}"` };
  const kind = served.find(({ scale }) => scale !== null);
  if (!kind) return { problem: 'the server could not find the requested resource' };
  const object = view.get(kind, metadata.namespace ?? '', target);
  if (!object) return { problem: notFound({ group, resource: kind.plural }, target).message };
  const { spec: wanted, status } = scaleOf(kind, object);
  return { kind, object, replicas: wanted.replicas ?? 0, selector: status?.selector ?? '' };
}
