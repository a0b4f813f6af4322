import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { checkServerIdentity as checkIdentity } from 'node:tls';
import { badRequest, type DeepReadonly, internalError, type KubeObject, StatusError } from '@periplus/apimachinery';

/** What the address of a node's own server is made of. */
export type NodeObject = KubeObject & {
  status?: {
    addresses?: { type: string; address: string }[];
    daemonEndpoints?: { kubeletEndpoint?: { Port?: number } };
  };
};

/** The identity that the api-server shows to nodes, and the authority that their certificates come from. PEM. */
export interface NodeCredentials {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

/** Which of a node's addresses is tried, in this order. */
const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'];
const KUBELET_PORT = 10250;
/** A node that does not answer by then is taken for gone; a log that is followed may be silent for ever after. */
const ANSWER_MS_MAX = 30_000;
/** What of a node's error message is passed on. */
const MESSAGE_BYTES_MAX = 2_048;

export interface NodeAddress {
  /** The node's certificate must be for this name, or for the address. */
  servername: string;
  host: string;
  port: number;
}

/** Where the node's own server listens. Throws when the node has no address yet. */
export function nodeAddress(node: DeepReadonly<NodeObject>): NodeAddress {
  const addresses = node.status?.addresses ?? [];
  for (const type of ADDRESS_TYPES) {
    const found = addresses.find((one) => one.type === type);
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT;
    if (found) return { servername: node.metadata.name!, host: found.address, port };
  }
  throw internalError(`no preferred addresses found; known addresses: []`);
}

/** Connections to nodes, kept for the next request. */
export class NodeProxy {
  private readonly agent: Agent;

  constructor(credentials: NodeCredentials) {
    this.agent = new Agent({ ...credentials, keepAlive: true });
  }

  /** Sends GET `path` to the node, and its answer to the client as it comes. Rejects before the first byte only. */
  async relay(node: NodeAddress, path: string, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await this.get(node, path, gone.signal);
    if (answer.statusCode !== 200) throw refusal(answer.statusCode ?? 500, await textOf(answer));
    response.flushHeaders();
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  }

  /** The JSON that the node answers GET `path` with. Rejects when it is longer than `bytesMax` or `signal` ends it. */
  async json(node: NodeAddress, path: string, bytesMax: number, signal: AbortSignal): Promise<unknown> {
    const answer = await this.get(node, path, signal);
    if (answer.statusCode !== 200) throw refusal(answer.statusCode ?? 500, await textOf(answer));
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw internalError(`the answer of ${node.servername} is longer than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString());
  }

  close(): void {
    this.agent.destroy();
  }

  private get(node: NodeAddress, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const checkServerIdentity: typeof checkIdentity = (name, certificate) =>
        checkIdentity(name, certificate) && checkIdentity(node.host, certificate);
      const request = httpsRequest({ agent: this.agent, ...node, path, method: 'GET', checkServerIdentity, signal });
      const late = setTimeout(() => request.destroy(new Error('i/o timeout')), ANSWER_MS_MAX);
      request.on('response', (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      request.on('error', (error) => {
        clearTimeout(late);
        reject(internalError(`Get "https://${node.host}:${node.port}${path}": ${error.message}`));
      });
      request.end();
    });
  }
}

/** The answer of a node that refused, worded as kube-apiserver words a kubelet's. */
function refusal(code: number, text: string): StatusError {
  if (code === 400) return badRequest(text);
  if (code === 404) return new StatusError('NotFound', text || 'the server could not find the requested resource');
  return new StatusError(
    'InternalError',
    `an error on the server (${JSON.stringify(text || 'unknown')}) has prevented the request from succeeding`,
  );
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MESSAGE_BYTES_MAX) break;
  }
  return text.slice(0, MESSAGE_BYTES_MAX).trim();
}
