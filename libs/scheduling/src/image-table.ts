import type { Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** An image that some nodes have. */
interface Image {
  bytes: number;
  readonly slots: Set<number>;
}

/** Which nodes have which container images, by every name of theirs. */
export class ImageTable {
  private readonly images = new Map<string, Image>();
  private readonly namesOf = new Map<number, readonly string[]>();

  get(name: string): { readonly bytes: number; readonly slots: ReadonlySet<number> } | undefined {
    return this.images.get(name);
  }

  setNode(slot: number, node: DeepReadonly<Node>): void {
    this.removeNode(slot);
    const images = node.status?.images ?? [];
    if (images.length === 0) return;
    this.namesOf.set(
      slot,
      images.flatMap(({ names }) => names ?? []),
    );
    for (const { names, sizeBytes = 0 } of images) {
      for (const name of names ?? []) {
        const image = this.images.get(name) ?? { bytes: 0, slots: new Set() };
        this.images.set(name, image);
        image.bytes = Number(sizeBytes);
        image.slots.add(slot);
      }
    }
  }

  removeNode(slot: number): void {
    for (const name of this.namesOf.get(slot) ?? []) {
      const image = this.images.get(name);
      image?.slots.delete(slot);
      if (image?.slots.size === 0) this.images.delete(name);
    }
    this.namesOf.delete(slot);
  }
}
