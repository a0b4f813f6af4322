import type { Kind } from '@periplus/api';
import { isAlreadyExists, isNotFound, type JsonObject } from '@periplus/apimachinery';
import { ownContext } from '../own-context.ts';
import type { Item, Operations, RequestContext, Target } from '../types.ts';

export const targetOf = (kind: unknown, inNamespace = '', name = ''): Target => ({
  kind: kind as Kind,
  namespace: inNamespace,
  name,
  subresource: '',
});

/** Makes what is missing and mends what is not as it should be, in the name of the api-server. */
export class Builder {
  private readonly operations: Operations;
  private readonly now: () => number;

  constructor({ operations, now }: { operations: Operations; now: () => number }) {
    this.operations = operations;
    this.now = now;
  }

  /** `amend` says what an existing object lacks, as a merge patch. */
  async ensure(
    at: Target,
    make: () => object,
    amend: (existing: Item['object']) => JsonObject | null = () => null,
  ): Promise<void> {
    const existing = await this.find(at);
    if (existing) {
      const patch = amend(existing.object);
      if (patch) await this.patch(at, patch);
      return;
    }
    try {
      const body = { value: make() as JsonObject, json: null };
      await this.operations.create(this.context(), { ...at, name: '' }, body);
    } catch (error) {
      // Another server was faster.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  private async find(at: Target): Promise<Item | undefined> {
    try {
      return await this.operations.get(this.context(), at, {});
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  private async patch(at: Target, value: JsonObject): Promise<void> {
    const patch = { mediaType: 'application/merge-patch+json', body: { value, json: null } };
    await this.operations.patch(this.context(), at, patch);
  }

  private context(): RequestContext {
    return ownContext(this.now());
  }
}
