import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { ClusterSnapshot } from '../cluster-observer.ts';
import type { Depicted } from '../depicted.ts';

/** All objects of one kind. */
export interface ReadObjects {
  readonly kind: { readonly group: string; readonly plural: string };
  readonly items: readonly DeepReadonly<KubeObject>[];
}

/** A cluster that was read over the API, as a scheduler that begins with it finds it. */
export class ReadCluster implements ClusterSnapshot {
  /** By `<group>/<resource>`. */
  private readonly objects: ReadonlyMap<string, readonly Depicted[]>;

  constructor(read: readonly ReadObjects[]) {
    this.objects = new Map(
      read.map(({ kind: { group, plural }, items }) => [
        `${group}/${plural}`,
        items.map((object) => depicted(group, plural, object)),
      ]),
    );
  }

  view(): this {
    return this;
  }

  entries({ group, resource }: { group: string; resource: string }): Iterable<Depicted> {
    return this.objects.get(`${group}/${resource}`) ?? [];
  }

  entry({ group, resource, namespace, name }: Depicted['key']): Depicted | undefined {
    return this.objects
      .get(`${group}/${resource}`)
      ?.find(({ key }) => key.name === name && key.namespace === namespace);
  }
}

const depicted = (group: string, resource: string, object: DeepReadonly<KubeObject>): Depicted => {
  const { namespace = '', name = '', resourceVersion = '', creationTimestamp } = object.metadata;
  return {
    key: { group, resource, namespace, name },
    bytes: Buffer.from(JSON.stringify(object)),
    object,
    resourceVersion,
    // Clients are not told the revision that created an object; its age orders pods as well.
    createRevision: Date.parse(creationTimestamp ?? '') || 0,
  };
};
