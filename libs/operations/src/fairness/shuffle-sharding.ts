import { createHash } from 'node:crypto';

/**
 * The queues that a flow may use: `handSize` different ones of `queues`, always the same for the same flow, so that two
 * flows seldom share all of theirs. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#queuing
 */
export function handOf(flow: string, queues: number, handSize: number): number[] {
  let hash = createHash('sha256').update(flow).digest().readBigUInt64BE();
  const hand: number[] = [];
  for (let left = queues; hand.length < Math.min(handSize, queues); left--) {
    let card = Number(hash % BigInt(left));
    hash /= BigInt(left);
    // The card counts those that are still in the deck: step over the ones that were dealt.
    for (const dealt of hand.toSorted((a, b) => a - b)) if (dealt <= card) card++;
    hand.push(card);
  }
  return hand;
}
