import type { KindRegistry } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { internalError } from '@periplus/apimachinery';
import type { Operations, Target } from '@periplus/operations';
import { chosenContainer, logQuery, type PodObject } from './log-options.ts';
import { type NodeCredentials, type NodeObject, NodeProxy, nodeAddress } from './node-proxy.ts';
import { apiHeaders, commonHeaders, type Exchange } from './respond.ts';

/** On nodes that run nothing, so there is nobody to ask. */
const SIMULATED_LABEL = 'periplus.dev/simulated';

/** `pods/NAME/log`: fetched from the node that the pod is bound to, and passed on as it comes. */
export class PodLogs {
  private readonly operations: Operations;
  private readonly kinds: KindRegistry;
  private readonly proxy: NodeProxy | null;

  /** Without credentials for nodes, logs are refused. */
  constructor(deps: { operations: Operations; kinds: KindRegistry; nodeCredentials: NodeCredentials | null }) {
    this.operations = deps.operations;
    this.kinds = deps.kinds;
    this.proxy = deps.nodeCredentials && new NodeProxy(deps.nodeCredentials);
  }

  /** The request has been authorized. */
  async send(exchange: Exchange, target: Target, query: URLSearchParams): Promise<void> {
    const { namespace, name } = target;
    const passedOn = logQuery(name, query);
    const found = await this.operations.lookup({ ...target, subresource: '' });
    const pod = found.object as DeepReadonly<PodObject>;
    const container = chosenContainer(pod, query.get('container'));
    if (!pod.spec.nodeName) {
      commonHeaders(exchange);
      exchange.response.writeHead(204).end();
      return;
    }
    const node = await this.nodeOf(pod.spec.nodeName);
    if (node.metadata.labels?.[SIMULATED_LABEL] === 'true') {
      apiHeaders(exchange, 'text/plain');
      exchange.response.end(`node ${node.metadata.name} is simulated: container "${container}" runs nowhere\n`);
      return;
    }
    if (!this.proxy) throw internalError('this API server has no credentials for nodes');
    const path = `/containerLogs/${[namespace, name, container].map(encodeURIComponent).join('/')}`;
    apiHeaders(exchange, 'text/plain');
    await this.proxy.relay(nodeAddress(node), passedOn.size > 0 ? `${path}?${passedOn}` : path, exchange.response);
  }

  close(): void {
    this.proxy?.close();
  }

  private async nodeOf(name: string): Promise<DeepReadonly<NodeObject>> {
    const kind = this.kinds.byResource('', 'v1', 'nodes')!;
    const { object } = await this.operations.lookup({ kind, namespace: '', name, subresource: '' });
    return object as DeepReadonly<NodeObject>;
  }
}
