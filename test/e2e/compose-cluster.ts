import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, kubectl } from '@periplus/testing';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const NODE_IMAGE = 'localhost/node:test';
const OUTPUT_BYTES_MAX = 64 << 20;
const REQUEST_MS_MAX = 10_000;

/** What docker-compose.yml needs where there is no registry: a compose command and two images made of this machine's programs. */
export interface ComposeTools {
  compose: readonly string[];
  etcdImage: string;
}

/** Makes the images. Returns why that, or compose, can't be had here. */
export function composeTools(): ComposeTools | { obstacle: string } {
  const works = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
  if (!works('docker', 'version')) return { obstacle: 'no Docker engine answers' };
  const compose = [['docker', 'compose'], ['docker-compose']].find(([command, ...args]) =>
    works(command!, ...args, 'version'),
  );
  if (!compose) return { obstacle: 'there is neither docker compose nor docker-compose' };
  const node = script('program-image.sh', NODE_IMAGE, process.execPath);
  const etcd = script('etcd-image.sh');
  const etcdImage = /^made (.+)$/m.exec(etcd.stdout)?.[1];
  if (node.status !== 0 || !etcdImage)
    return { obstacle: `images can't be made: ${node.stderr || etcd.stderr}`.trimEnd() };
  return { compose, etcdImage };
}

const script = (name: string, ...args: string[]) =>
  spawnSync('sh', [join(root, 'scripts', name), ...args], { encoding: 'utf8' });

/** A project of docker-compose.yml of a test's own. */
export class ComposeCluster implements AsyncDisposable {
  readonly port: number;
  private readonly project = `periplus-test-${randomBytes(4).toString('hex')}`;
  private readonly image = `localhost/${this.project}`;
  private readonly home = mkdtempSync(join(tmpdir(), 'periplus-compose-'));
  private readonly command: readonly string[];
  private readonly environment: NodeJS.ProcessEnv;
  private agent: Agent | undefined;

  private constructor({ compose, etcdImage }: ComposeTools, port: number) {
    this.port = port;
    this.command = compose;
    this.environment = {
      ...process.env,
      COMPOSE_PROJECT_NAME: this.project,
      PERIPLUS_IMAGE: this.image,
      PERIPLUS_PORT: String(port),
      NODE_IMAGE,
      ETCD_IMAGE: etcdImage,
      // The engine's own builder knows its images; another might look for a registry.
      COMPOSE_DOCKER_CLI_BUILD: '0',
      DOCKER_BUILDKIT: '0',
    };
  }

  /** Brings it up; the API need not answer yet. */
  static async start(tools: ComposeTools): Promise<ComposeCluster> {
    const cluster = new ComposeCluster(tools, (await freePorts(1))[0]!);
    try {
      await cluster.compose('up', '--detach');
      await run('docker', ['cp', `${await cluster.container('setup')}:/cluster/kubeconfig`, cluster.home]);
      return cluster;
    } catch (error) {
      const logs = await cluster.compose('logs', '--no-color', '--tail=5').catch(() => '');
      await cluster[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}\n${logs}`, { cause: error });
    }
  }

  async compose(...args: string[]): Promise<string> {
    const [command, ...before] = this.command as [string, ...string[]];
    const options = { cwd: root, env: this.environment, maxBuffer: OUTPUT_BYTES_MAX };
    return (await run(command, [...before, ...args], options)).stdout;
  }

  /** Id of a service's container, which may have ended. */
  async container(service: string): Promise<string> {
    return (await this.compose('ps', '--all', '--quiet', service)).trim();
  }

  /** Runs `docker <command> <args> <container of the service>`. */
  async docker(service: string, ...args: string[]): Promise<string> {
    const { stdout, stderr } = await run('docker', [...args, await this.container(service)], {
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout + stderr;
  }

  /** Runs the real kubectl on this machine. Rejects with what it printed unless it exits with 0. */
  async kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await kubectl(args, {
      kubeconfig: join(this.home, 'kubeconfig'),
      home: this.home,
    });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Creates an object over a kept-alive connection. Resolves with the status code. */
  create(path: string, object: object): Promise<number> {
    this.agent ??= this.adminAgent();
    const { agent, port } = this;
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const options = { host: '127.0.0.1', port, path, agent, headers, method: 'POST', timeout: REQUEST_MS_MAX };
      const call = request(options, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
        response.once('error', reject);
      });
      call.once('timeout', () => call.destroy(new Error(`no answer in ${REQUEST_MS_MAX} ms`)));
      call.once('error', reject);
      call.end(JSON.stringify(object));
    });
  }

  private adminAgent(): Agent {
    const kubeconfig = readFileSync(join(this.home, 'kubeconfig'), 'utf8');
    const data = (name: string): Buffer =>
      Buffer.from(new RegExp(`${name}-data: (\\S+)`).exec(kubeconfig)![1]!, 'base64');
    return new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: data('certificate-authority'),
      cert: data('client-certificate'),
      key: data('client-key'),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent?.destroy();
    await this.compose('down', '--volumes', '--timeout=5');
    await run('docker', ['rmi', '--force', this.image]);
    rmSync(this.home, { recursive: true, force: true });
  }
}
