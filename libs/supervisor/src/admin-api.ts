import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { ClusterFolder } from './cluster-folder.ts';

/** New nodes have it until the controller-manager has seen that they are Ready. */
const NOT_READY = 'node.kubernetes.io/not-ready';
const TIMEOUT_MS = 5_000;
const BODY_BYTES_MAX = 64 << 20;

/** Objects to a page: of a large cluster, no more is held at a time. */
const PAGE_LIMIT = 500;

interface Item {
  metadata: { name: string };
  spec?: { taints?: { key: string }[] };
  status?: { phase?: string; conditions?: { type: string; status: string }[] };
}

interface Page {
  metadata: { continue?: string };
  items: Item[];
}

/** What the supervisor asks of its cluster's API, as its administrator. */
export class AdminApi {
  private readonly agent: Agent;
  private readonly port: number;

  constructor(folder: ClusterFolder, port: number) {
    const read = (name: string): Buffer => readFileSync(join(folder.pki, name));
    this.port = port;
    this.agent = new Agent({ keepAlive: true, ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') });
  }

  async isReady(): Promise<boolean> {
    return (await this.get('/readyz').catch(() => undefined))?.status === 200;
  }

  /** Names of the nodes, and whether each is Ready and no longer kept from pods for not having been. */
  async nodes(): Promise<{ name: string; ready: boolean }[]> {
    const nodes: { name: string; ready: boolean }[] = [];
    for await (const { metadata, spec, status } of this.list('/api/v1/nodes')) {
      const isReady = status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
      nodes.push({ name: metadata.name, ready: isReady && !spec?.taints?.some(({ key }) => key === NOT_READY) });
    }
    return nodes;
  }

  /** How many pods there are in each phase. */
  async podPhases(): Promise<Record<string, number>> {
    const phases: Record<string, number> = {};
    for await (const { status } of this.list('/api/v1/pods')) {
      const phase = status?.phase ?? 'Unknown';
      phases[phase] = (phases[phase] ?? 0) + 1;
    }
    return phases;
  }

  close(): void {
    this.agent.destroy();
  }

  private async *list(path: string): AsyncGenerator<Item> {
    for (let next: string | undefined = ''; next !== undefined; ) {
      const { status, body } = await this.get(`${path}?limit=${PAGE_LIMIT}${next && `&continue=${next}`}`);
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.slice(0, 200)}`);
      const { metadata, items } = JSON.parse(body) as Page;
      yield* items;
      next = metadata.continue ? encodeURIComponent(metadata.continue) : undefined;
    }
  }

  private get(path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, path, agent: this.agent, timeout: TIMEOUT_MS };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > BODY_BYTES_MAX) call.destroy(new Error(`GET ${path}: more than ${BODY_BYTES_MAX} bytes`));
          else chunks.push(chunk);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error(`GET ${path}: no answer in ${TIMEOUT_MS} ms`)));
      call.on('error', reject);
      call.end();
    });
  }
}
