import type { Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { NodeTable } from './node-table.ts';
import type { PodInfo } from './pod-info.ts';
import { staticFilters, staticScores } from './profile.ts';

/** Kinds of pods whose answers are kept; the least recently asked goes. */
const SIGNATURES_MAX = 64;
const FITS = -1;

/**
 * What static filters and scores say of every node about one kind of pods. Worked out per node when it is first
 * asked, and again when the node has changed.
 */
export class StaticAnswers {
  /** The version of the node that the answers are about. */
  private version: Float64Array;
  /** Index of the refusing filter, or FITS. */
  private readonly refusedBy: Int8Array;
  private readonly reasons: (string | null)[] = [];
  private readonly scores: Float64Array[];

  constructor(capacity: number) {
    this.version = new Float64Array(capacity);
    this.refusedBy = new Int8Array(capacity);
    this.scores = staticScores.map(() => new Float64Array(capacity));
  }

  get capacity(): number {
    return this.version.length;
  }

  /** The static filter that refuses the node; undefined when none does. */
  refusal(pod: PodInfo, table: NodeTable, slot: number): number | undefined {
    if (this.version[slot] !== table.version[slot]) this.ask(pod, table.nodes[slot]!, slot, table.version[slot]!);
    const by = this.refusedBy[slot]!;
    return by === FITS ? undefined : by;
  }

  reason(slot: number): string {
    return this.reasons[slot] ?? '';
  }

  /** Only of nodes that are not refused. */
  score(plugin: number, slot: number): number {
    return this.scores[plugin]![slot]!;
  }

  private ask(pod: PodInfo, node: DeepReadonly<Node>, slot: number, version: number): void {
    this.version[slot] = version;
    for (let index = 0; index < staticFilters.length; index += 1) {
      const reason = staticFilters[index]!.filter(pod, node);
      if (reason === null) continue;
      this.refusedBy[slot] = index;
      this.reasons[slot] = reason;
      return;
    }
    this.refusedBy[slot] = FITS;
    for (let index = 0; index < staticScores.length; index += 1) {
      this.scores[index]![slot] = staticScores[index]!.score(pod, node);
    }
  }
}

/** The answers by kind of pod, as many as are worth keeping. */
export class StaticAnswerCache {
  private readonly kept = new Map<string, StaticAnswers>();

  for(pod: PodInfo, table: NodeTable): StaticAnswers {
    let answers = this.kept.get(pod.signature);
    this.kept.delete(pod.signature);
    if (!answers || answers.capacity < table.version.length) answers = new StaticAnswers(table.version.length);
    this.kept.set(pod.signature, answers);
    if (this.kept.size > SIGNATURES_MAX) this.kept.delete(this.kept.keys().next().value!);
    return answers;
  }
}
