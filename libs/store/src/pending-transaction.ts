import type { Compare, KeyValue, Operation, OperationResult } from '@periplus/etcd';
import type { Pending } from './pending.ts';
import type { PendingWrite } from './pending-write.ts';
import type { Write } from './types.ts';
import { WriteConflict } from './write-conflict.ts';

/** An object that a transaction relies on without writing it. `key` is etcd's. */
export interface Standing {
  key: string;
  revision: number;
}

/** Writes that happen together: all in one nested transaction, with the compares of all of them. */
export class PendingTransaction implements Pending {
  readonly sinceMs: number;
  readonly touches: readonly string[];
  readonly bytes: number;
  readonly operations: number;
  readonly writes: number;
  readonly deletes: boolean;
  readonly #members: readonly PendingWrite[];
  readonly #standing: readonly Standing[];

  /** Throws when two members write the same key: etcd would refuse it. */
  constructor(members: readonly PendingWrite[], standing: readonly Standing[]) {
    this.#members = members;
    this.#standing = standing;
    this.sinceMs = members[0]!.sinceMs;
    this.touches = [...members.flatMap(({ touches }) => touches), ...standing.map(({ key }) => key)];
    if (new Set(this.touches).size < this.touches.length) throw new Error('a transaction writes each key once');
    this.bytes = members.reduce((sum, { bytes }) => sum + bytes, 0);
    this.operations = this.#countOperations();
    this.writes = members.length;
    this.deletes = members.some((member) => member.deletes);
  }

  get witness(): Write {
    return this.#members[0]!.write;
  }

  toTransaction(index: number, lease: string): Operation {
    const compare: Compare[] = [];
    const success: Operation[] = [];
    this.#members.forEach((member, at) => {
      member.addTo(compare, success, index + at, lease);
    });
    for (const { key, revision } of this.#standing) {
      compare.push({ key, target: 'mod', result: 'equal', value: revision });
    }
    const failure = compare.map(({ key }): Operation => ({ type: 'range', key, keysOnly: true }));
    return { type: 'txn', compare, success, failure };
  }

  settle(result: OperationResult, revision: number, index: number): void {
    if (result.type !== 'txn') throw new Error(`etcd answered a transaction with a ${result.type}`);
    if (result.succeeded) this.acknowledge(revision, index);
    else this.reject(this.#conflict(result.results, revision));
  }

  acknowledge(revision: number, index: number): void {
    this.#members.forEach((member, at) => {
      member.acknowledge(revision, index + at);
    });
  }

  reject(error: Error): void {
    for (const member of this.#members) member.reject(error);
  }

  /** The first member in whose way something stood, in the order of the compares. */
  #conflict(answers: readonly OperationResult[], revision: number): WriteConflict {
    const found = answers.map((answer) => (answer.type === 'range' ? answer.kvs[0] : undefined));
    let at = 0;
    const next = (): KeyValue | undefined => found[at++];
    for (const [place, member] of this.#members.entries()) {
      const conflict = member.conflictIn(next);
      if (conflict !== undefined) return new WriteConflict(revision, conflict.companion, place);
    }
    const moved = this.#standing.findIndex((standing) => next()?.modRevision !== standing.revision);
    return new WriteConflict(revision, null, this.#members.length + Math.max(moved, 0));
  }

  #countOperations(): number {
    const compares = this.#members.reduce((sum, member) => sum + member.compares, this.#standing.length);
    const operations = this.#members.reduce((sum, member) => sum + member.operations, 0);
    return Math.max(compares, operations);
  }
}
