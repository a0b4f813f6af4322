import type { FieldSelector } from '@periplus/apimachinery';
import type { Attributes, Target } from '../types.ts';

/** What a request for `target` asks of an authorizer. */
export function attributesOf(target: Target, verb: string, fieldSelector?: FieldSelector): Attributes {
  const { kind, name, subresource } = target;
  return {
    isResource: true,
    verb,
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
    subresource,
    // A role in a namespace may be about the namespace itself.
    namespace: kind.group === '' && kind.plural === 'namespaces' ? name : target.namespace,
    // A selection by name is as good as a name.
    name: name || (fieldSelector?.exactValueOf('metadata.name') ?? ''),
    path: '',
    fieldSelector,
  };
}
