import { type Fairness, type Flow, type Seat, type User, Waiting } from '@periplus/operations';
import type { RequestInfo } from './request-info.ts';
import type { Exchange } from './respond.ts';

const LIMIT = /(?:^|&)limit=(\d+)/;

/** Where requests enter: each takes a seat of its priority level, and waits for one where that must be. */
export class FlowControl {
  private readonly fairness: Fairness;
  /** As pairs: names, values. */
  private readonly headers = new WeakMap<Flow, readonly string[]>();

  constructor(fairness: Fairness) {
    this.fairness = fairness;
  }

  /**
   * A seat, which must be released. Throws or rejects with TooManyRequests. The answer names the flow, even that
   * refusal. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#diagnostics
   */
  enter(exchange: Exchange, info: RequestInfo, user: User, query: string): Seat | Promise<Seat> {
    const { fairness } = this;
    const flow = fairness.flowOf(user, info);
    exchange.flow = this.headersOf(flow);
    const width = info.verb === 'list' ? fairness.widthOfList(info, Number(LIMIT.exec(query)?.[1] ?? 0)) : 1;
    const place = fairness.enter(flow, user, info, width);
    return place instanceof Waiting ? turnOf(place, exchange) : place;
  }

  private headersOf(flow: Flow): readonly string[] {
    let headers = this.headers.get(flow);
    if (!headers) {
      const { uid, level } = flow;
      // Those that are there without an object have no uid to tell.
      headers =
        uid && level.uid ? ['x-kubernetes-pf-flowschema-uid', uid, 'x-kubernetes-pf-prioritylevel-uid', level.uid] : [];
      this.headers.set(flow, headers);
    }
    return headers;
  }
}

async function turnOf(waiting: Waiting, { response }: Exchange): Promise<Seat> {
  const withdraw = (): void => waiting.withdraw();
  response.once('close', withdraw);
  try {
    return await waiting.seat;
  } finally {
    response.off('close', withdraw);
  }
}
