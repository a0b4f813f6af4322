import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandOptions, type KubectlRelease, startCluster, type TestCluster } from '@periplus/testing';
import { expect } from 'vitest';

type Options = Omit<CommandOptions, 'kubeconfig' | 'home'>;

/** Runs lines of kubectl, as typed behind `kubectl`, in a namespace of its own. Quotes keep spaces together. */
export class Shell {
  readonly cluster: TestCluster;
  private readonly namespace: string;
  private readonly release: KubectlRelease;

  constructor(cluster: TestCluster, namespace: string, release: KubectlRelease = '1.35') {
    this.cluster = cluster;
    this.namespace = namespace;
    this.release = release;
  }

  /** A cluster with two simulated nodes, and a namespace in it that can take pods. */
  static async start(namespace: string): Promise<Shell> {
    const shell = new Shell(await startCluster(2), namespace);
    await shell.ok(`create namespace ${namespace}`);
    await shell.ok('wait serviceaccount/default --for=create --timeout=30s');
    return shell;
  }

  /** What the command prints; it must succeed. */
  async ok(line: string, options: Options = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(line, options);
    expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' });
    return stdout;
  }

  /** What the command says as it fails. */
  async fails(line: string, options: Options = {}): Promise<string> {
    const { code, stderr } = await this.run(line, options);
    expect({ line, code }).toEqual({ line, code: 1 });
    return stderr.trimEnd();
  }

  /** What the object is, as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  async json(what: string): Promise<any> {
    return JSON.parse(await this.ok(`get ${what} -o json`));
  }

  /** A file with this content, for `-f` and for editors. */
  file(name: string, content: string): string {
    const path = join(this.cluster.home, name);
    writeFileSync(path, content);
    chmodSync(path, 0o755);
    return path;
  }

  private run(line: string, options: Options) {
    const words = line.match(/(?:[^\s']|'[^']*')+/g) ?? [];
    const args = words.map((word) => word.replaceAll("'", ''));
    return this.cluster.tryKubectl(['-n', this.namespace, ...args], { release: this.release, ...options });
  }
}

/** A Deployment, which each test changes to its needs. */
export const deployment = (name: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - {name: main, image: "example.com/main:1", ports: [{containerPort: 80}], env: [{name: A, value: "1"}]}
`;
