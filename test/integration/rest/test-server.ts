import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@periplus/component';
import { ensureClusterPki, kubeconfig } from '@periplus/pki';
import { newKeyFile } from '@periplus/store';
import { type CommandOutput, helm, kubectl, startEtcd, type TestEtcd } from '@periplus/testing';
import { type ApiServer, startApiServer } from '../../../apps/api-server/src/app.module.ts';
import type { Config } from '../../../apps/api-server/src/config.ts';

export interface Answer {
  code: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json: any;
}

export interface Ask {
  headers?: Record<string, string | string[]>;
  /** An object is sent as JSON. */
  body?: string | Buffer | object;
  /** Whose certificate is shown; '' shows none. Default admin. */
  as?: string;
}

/** Asks an api-server, with the certificates of a folder. */
export class TestClient implements AsyncDisposable {
  readonly folder: string;
  private readonly apiPort: number;
  private readonly agents = new Map<string, Agent>();

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.apiPort = port;
  }

  pem(name: string): Buffer {
    return readFileSync(join(this.folder, name));
  }

  /** One request, answered whole. */
  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const response = await this.open(method, path, ask);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const isJson = (response.headers['content-type'] ?? '').startsWith('application/json');
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      body,
      json: isJson && response.headers['content-encoding'] === undefined ? JSON.parse(body || 'null') : undefined,
    };
  }

  /** One request, answered as far as its headers. */
  open(method: string, path: string, { headers = {}, body, as = 'admin' }: Ask = {}): Promise<IncomingMessage> {
    const isText = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    const sent = isText ? body : JSON.stringify(body);
    const length = 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(sent ?? '') };
    const type = sent === undefined ? {} : { 'content-type': 'application/json', ...length };
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.apiPort, agent: this.agent(as), method, path };
      const request = httpsRequest({ ...options, headers: { ...type, ...headers } }, resolve);
      request.on('error', reject);
      request.end(sent);
    });
  }

  /** Resolves when the server says that it is ready. */
  async ready(): Promise<void> {
    const isReady = () =>
      this.ask('GET', '/readyz', { as: '' }).then(
        ({ code }) => code === 200,
        () => false,
      );
    while (!(await isReady())) await pause(20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.agents.values()) agent.destroy();
  }

  private agent(as: string): Agent {
    const pair = as === '' ? {} : { cert: this.pem(`${as}.crt`), key: this.pem(`${as}.key`) };
    const agent = this.agents.get(as) ?? new Agent({ keepAlive: true, ca: this.pem('ca.crt'), ...pair });
    this.agents.set(as, agent);
    return agent;
  }
}

/** An api-server of the test's own, on an etcd of its own. */
export class TestServer implements AsyncDisposable {
  readonly folder: string;
  readonly etcd: TestEtcd;
  readonly config: Config;
  private readonly server: ApiServer;
  private readonly client: TestClient;

  private constructor(folder: string, etcd: TestEtcd, config: Config, server: ApiServer) {
    this.folder = folder;
    this.etcd = etcd;
    this.config = config;
    this.server = server;
    this.client = new TestClient(folder, server.port);
  }

  static async start(
    change: (config: Config, folder: string) => Partial<Config> = () => ({}),
    log: Logger = SILENT,
  ): Promise<TestServer> {
    const folder = mkdtempSync(join(tmpdir(), 'periplus-rest-'));
    const nodes = [{ name: 'node-1', hosts: [] }];
    const [etcd] = await Promise.all([startEtcd(), ensureClusterPki({ folder, apiServerHosts: [], nodes })]);
    writeFileSync(join(folder, 'encryption-keys.json'), newKeyFile(), { mode: 0o600 });
    const config = await testConfig(folder, etcd);
    Object.assign(config, change(config, folder));
    const server = await startApiServer(config, log, new AbortController().signal).catch(async (error) => {
      await etcd.stop();
      throw error;
    });
    const test = new TestServer(folder, etcd, config, server);
    writeFileSync(join(folder, 'kubeconfig'), test.kubeconfig());
    // Made by a controller otherwise, and needed by every pod.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await test.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
    return test;
  }

  get port(): number {
    return this.server.port;
  }

  get grpcPort(): number {
    return this.server.grpcPort;
  }

  pem(name: string): Buffer {
    return this.client.pem(name);
  }

  ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    return this.client.ask(method, path, ask);
  }

  open(method: string, path: string, ask: Ask = {}): Promise<IncomingMessage> {
    return this.client.open(method, path, ask);
  }

  /** A client of another server of the same cluster. */
  at(port: number): TestClient {
    return new TestClient(this.folder, port);
  }

  /** The real kubectl, as administrator. */
  kubectl(args: string, input?: string): Promise<CommandOutput> {
    return kubectl(args.split(' '), { ...this.home(), ...(input !== undefined && { input }) });
  }

  /** What kubectl prints; it must succeed. */
  async kubectlOk(args: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args} exited with ${code}: ${stderr}`);
    return stdout;
  }

  /** The real helm. */
  helm(args: string): Promise<CommandOutput> {
    return helm(args.split(' '), this.home());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server.close();
    await this.etcd.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private home() {
    return { kubeconfig: join(this.folder, 'kubeconfig'), home: this.folder };
  }

  private kubeconfig(): string {
    const client = { cert: this.pem('admin.crt').toString(), key: this.pem('admin.key').toString() };
    const server = `https://127.0.0.1:${this.port}`;
    return kubeconfig({ name: 'test', server, authority: this.pem('ca.crt').toString(), client });
  }
}

async function testConfig(folder: string, etcd: TestEtcd): Promise<Config> {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const { endpoints, tls = null } = await etcd.options();
  return {
    logLevel: 'error',
    host: '127.0.0.1',
    port: 0,
    grpcPort: 0,
    healthPort: null,
    advertiseAddress: '127.0.0.1',
    etcd: { endpoints: [...endpoints], prefix: '/periplus', tls, probe: null },
    tls: { cert: read('apiserver.crt'), key: read('apiserver.key'), clientAuthority: read('ca.crt') },
    nodeClient: {
      ca: read('ca.crt'),
      cert: read('apiserver-kubelet-client.crt'),
      key: read('apiserver-kubelet-client.key'),
    },
    serviceAccounts: {
      issuer: ISSUER,
      jwksUri: null,
      audiences: [ISSUER],
      signingKey: read('sa.key'),
      verificationKeys: [],
      rootCa: read('ca.crt'),
    },
    oidc: null,
    tokenWebhook: null,
    encryptionKeys: join(folder, 'encryption-keys.json'),
    serviceCidr: '10.96.0.0/16',
    nodePortRange: '30000-32767',
    anonymous: true,
  };
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};
