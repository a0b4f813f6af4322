import { prefixEnd } from '@periplus/etcd';
import type { KeyRange, Keys } from '@periplus/store';
import type { GateIdentity } from './identity.ts';

/** What every node's service proxy needs to see. */
const SHARED_RESOURCES = [
  { group: '', resource: 'services' },
  { group: 'discovery.k8s.io', resource: 'endpointslices' },
  { group: '', resource: 'nodes' },
  { group: 'networking.k8s.io', resource: 'networkpolicies' },
];

/** etcd orders keys by their bytes. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Who may do what: the whole policy of the gate. */
export class GateAccess {
  readonly #keys: Keys;
  readonly #shared: readonly KeyRange[];

  constructor(keys: Keys) {
    this.#keys = keys;
    this.#shared = SHARED_RESOURCES.map((resource) => keys.registryRange(resource));
  }

  /** Whether all of the key, or of the range, lies in one that the caller may see. `rangeEnd` is as in etcd's requests. */
  mayRead(identity: GateIdentity, key: string, rangeEnd: string): boolean {
    if (key === '' || rangeEnd === '\0') return false;
    return this.#readable(identity).some((range) => contains(range, key, rangeEnd));
  }

  /** Whether `key` is the caller's liveness. */
  mayHold(identity: GateIdentity, key: string): boolean {
    const node = this.#keys.parseLiveness(key);
    return node !== undefined && ('everyNode' in identity || node === identity.node);
  }

  /** Where the caller's liveness is. */
  liveness(identity: GateIdentity): KeyRange {
    if ('everyNode' in identity) return this.#keys.livenessRange();
    const key = this.#keys.liveness(identity.node);
    return { key, rangeEnd: `${key}\0` };
  }

  #readable(identity: GateIdentity): KeyRange[] {
    const inbox = this.#keys.at('everyNode' in identity ? 'nodes/' : `nodes/${identity.node}/`);
    return [{ key: inbox, rangeEnd: prefixEnd(inbox) }, this.liveness(identity), ...this.#shared];
  }
}

function contains(range: KeyRange, key: string, rangeEnd: string): boolean {
  if (compare(range.key, key) > 0) return false;
  if (rangeEnd === '') return compare(key, range.rangeEnd) < 0;
  return compare(key, rangeEnd) < 0 && compare(rangeEnd, range.rangeEnd) <= 0;
}
