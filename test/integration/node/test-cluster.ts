/**
 * The api-server as a node sees it, reduced to what the node-agent asks of it, over the real store on a real
 * etcd: the agent's inbox, liveness and leases are what they are in a cluster.
 */
import { randomUUID } from 'node:crypto';
import { type Kind, keeperOf } from '@periplus/api';
import {
  alreadyExists,
  applyStrategicMergePatch,
  conflict,
  type JsonObject,
  type KubeObject,
  notFound,
  type ResourceKey,
} from '@periplus/apimachinery';
import type { Command, CommandClient, CommandOutcome, ResourceClient } from '@periplus/client';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { type GroupCommit, inboxPath, Keys, openStore } from '@periplus/store';
import { startEtcd, type TestEtcd } from '@periplus/testing';

interface Held {
  object: KubeObject & { spec?: { nodeName?: string }; status?: JsonObject };
  revision: number;
}

export interface TestPod {
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: JsonObject;
}

export interface SeenEvent {
  name: string;
  reason: string;
  message: string;
  type: string;
}

const keyOf = (kind: Kind, namespace: string, name: string): ResourceKey => ({
  group: kind.group,
  resource: kind.plural,
  namespace,
  name,
});
const pathOf = ({ resource, namespace, name }: ResourceKey): string => `${resource}/${namespace}/${name}`;

export class TestCluster implements AsyncDisposable {
  readonly node = 'node-1';
  readonly keys = new Keys('/periplus');
  readonly etcd: EtcdClient;
  readonly commands: CommandClient;
  readonly resources: ResourceClient;
  readonly events: SeenEvent[] = [];
  /** Status writes by pod name. */
  readonly statusWrites = new Map<string, JsonObject[]>();
  private readonly server: TestEtcd;
  private readonly store: GroupCommit;
  private readonly objects = new Map<string, Held>();
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(server: TestEtcd, etcd: EtcdClient) {
    this.server = server;
    this.etcd = etcd;
    this.store = openStore({ etcd, prefix: this.keys.prefix, cipher: null });
    this.commands = {
      underWay: 0,
      send: (command) => this.inTurn(() => this.execute(command)),
      close: () => Promise.resolve(),
    };
    this.resources = {
      get: (kind, namespace, name) => {
        const found = this.objects.get(pathOf(keyOf(kind as unknown as Kind, namespace, name)));
        if (!found) return Promise.reject(notFound({ group: kind.group, resource: kind.plural }, name));
        return Promise.resolve(structuredClone(found.object) as never);
      },
      list: () => Promise.reject(new Error('the node-agent does not list')),
      watch: () => {
        throw new Error('the node-agent does not watch');
      },
      deleteCollection: () => Promise.reject(new Error('the node-agent deletes no collections')),
      applyAll: () => Promise.reject(new Error('the node-agent applies nothing')),
      execute: (command) => Promise.resolve(this.answer(command) as never),
      close: () => undefined,
    };
  }

  static async start(): Promise<TestCluster> {
    const server = await startEtcd();
    return new TestCluster(server, openEtcd(await server.options()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.etcd.close();
    await this.server.stop();
  }

  /** A further connection to etcd, for an agent of its own. */
  async connect(): Promise<EtcdClient> {
    return openEtcd(await this.server.options());
  }

  /** Binds a new pod to the node. Resolves with its uid. */
  async createPod({ metadata, spec }: TestPod, node = this.node): Promise<string> {
    const uid = randomUUID();
    const object = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { namespace: 'default', ...metadata, uid, creationTimestamp: new Date().toISOString() },
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...spec, nodeName: node },
      status: { phase: 'Pending' },
    };
    await this.inTurn(() =>
      this.write({ group: '', resource: 'pods', namespace: object.metadata.namespace, name: metadata.name }, object),
    );
    return uid;
  }

  put(resource: 'configmaps' | 'secrets', name: string, data: Record<string, string>): void {
    const key = { group: '', resource, namespace: 'default', name };
    this.objects.set(pathOf(key), {
      object: { kind: '', apiVersion: 'v1', metadata: { name }, data } as never,
      revision: 0,
    });
  }

  /** Creates an object, or puts another in its place. */
  putObject(kind: Kind, object: KubeObject): Promise<CommandOutcome> {
    const { namespace = '', name = '' } = object.metadata;
    return this.inTurn(() => this.write(keyOf(kind, namespace, name), object));
  }

  pod(name: string): { metadata: KubeObject['metadata']; spec: JsonObject; status: PodStatusSeen } | undefined {
    return this.objects.get(`pods/default/${name}`)?.object as never;
  }

  status(name: string): PodStatusSeen {
    const pod = this.pod(name);
    if (!pod) throw new Error(`there is no pod ${name}`);
    return pod.status;
  }

  get nodeObject():
    | { metadata: KubeObject['metadata']; status?: { conditions?: { type: string; status: string }[] } & JsonObject }
    | undefined {
    return this.objects.get(`nodes//${this.node}`)?.object as never;
  }

  object(resource: string, namespace: string, name: string): KubeObject | undefined {
    return this.objects.get(`${resource}/${namespace}/${name}`)?.object;
  }

  deletePod(name: string, graceSeconds: number): Promise<unknown> {
    return this.inTurn(async () => {
      const key = { group: '', resource: 'pods', namespace: 'default', name };
      const held = this.objects.get(pathOf(key))!;
      if (graceSeconds === 0) return this.remove(key, held);
      const deletionTimestamp = new Date(Date.now() + graceSeconds * 1_000).toISOString();
      const metadata = { ...held.object.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds };
      return this.write(key, { ...held.object, metadata });
    });
  }

  isAlive = async (): Promise<boolean> => (await this.etcd.range({ key: this.keys.liveness(this.node) })).count === 1;

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async execute(command: Command): Promise<CommandOutcome> {
    const key = keyOf(command.kind, command.namespace, command.name);
    const of = { group: key.group, resource: key.resource };
    const held = this.objects.get(pathOf(key));
    if (command.verb === 'create') {
      if (held) throw alreadyExists(of, key.name);
      if (key.resource === 'events') {
        const { reason, message, type, involvedObject } = command.object as unknown as SeenEvent & {
          involvedObject: { name: string };
        };
        this.events.push({ name: involvedObject.name, reason, message, type });
        return { resourceVersion: '', revision: 0 };
      }
      const object = structuredClone(command.object) as KubeObject;
      return this.write(key, { ...object, metadata: { ...object.metadata, uid: randomUUID() } });
    }
    if (key.resource === 'events') return { resourceVersion: '', revision: 0 };
    if (!held) throw notFound(of, key.name);
    if (command.ifUid && command.ifUid !== held.object.metadata.uid) throw conflict(of, key.name, 'another uid');
    if (command.verb === 'delete') return this.remove(key, held);
    if (command.verb !== 'patch') throw new Error(`unexpected ${command.verb}`);
    const patch = command.patch as { status?: JsonObject; metadata?: KubeObject['metadata'] };
    if (command.subresource === 'status') {
      const writes = this.statusWrites.get(key.name) ?? [];
      this.statusWrites.set(key.name, [...writes, structuredClone(patch.status!)]);
      const document = { status: held.object.status ?? {} };
      const status = applyStrategicMergePatch(document, { status: patch.status! }, command.kind.schema).status;
      return this.write(key, { ...held.object, status } as KubeObject);
    }
    const labels = { ...held.object.metadata.labels, ...patch.metadata?.labels };
    const metadata = { ...held.object.metadata, ...patch.metadata, labels };
    if (metadata.deletionTimestamp && metadata.finalizers?.length === 0) return this.remove(key, held);
    return this.write(key, { ...held.object, metadata });
  }

  private inboxOf({ resource, namespace, name }: ResourceKey, object: Held['object']): string | undefined {
    if (resource === 'pods') return object.spec?.nodeName && inboxPath(object.spec.nodeName, 'pods', namespace, name);
    const keeper = resource === 'persistentvolumes' && keeperOf(object as never);
    return keeper ? inboxPath(keeper, 'persistentvolumes', name) : undefined;
  }

  private async write(key: ResourceKey, object: KubeObject): Promise<CommandOutcome> {
    const held = this.objects.get(pathOf(key));
    const { resourceVersion: _, ...metadata } = object.metadata;
    const path = this.inboxOf(key, object as Held['object']);
    const companions = path === undefined ? [] : [{ path, put: 'record' as const }];
    const { revision, resourceVersion } = await this.store.commit({
      ...{ key, confidential: [], companions, ifRevision: held?.revision ?? 0 },
      object: { ...object, metadata } as unknown as JsonObject,
      provenance: { actor: 'test', verb: 'update', timeMs: Date.now(), requestId: randomUUID(), cause: null },
    });
    this.objects.set(pathOf(key), { object: { ...object, metadata: { ...metadata, resourceVersion } }, revision });
    return { resourceVersion, revision };
  }

  private async remove(key: ResourceKey, held: Held): Promise<CommandOutcome> {
    const path = this.inboxOf(key, held.object);
    const { revision, resourceVersion } = await this.store.commit({
      ...{ key, confidential: [], object: null, ifRevision: held.revision },
      companions: path === undefined ? [] : [{ path, delete: true }],
      provenance: { actor: 'test', verb: 'delete', timeMs: Date.now(), requestId: randomUUID(), cause: null },
    });
    this.objects.delete(pathOf(key));
    return { resourceVersion, revision };
  }

  /** The one call whose answer the agent reads: a token of a service account. */
  private answer(command: Command): unknown {
    if (command.verb !== 'create' || command.subresource !== 'token') throw new Error('unexpected call');
    const { spec } = command.object as unknown as { spec: { audiences?: string[]; boundObjectRef: { name: string } } };
    const token = `token of ${command.name} for ${spec.boundObjectRef.name} at ${spec.audiences ?? 'the API'}`;
    return { status: { token, expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() } };
  }
}

interface StateSeen {
  running?: { startedAt: string };
  waiting?: { reason: string; message?: string };
  terminated?: { exitCode: number; reason: string; message?: string };
}

export interface ContainerSeen {
  name: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  containerID?: string;
  imageID: string;
  state: StateSeen;
  lastState: StateSeen;
}

export interface PodStatusSeen {
  phase: string;
  reason?: string;
  podIP?: string;
  hostIP?: string;
  startTime?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  containerStatuses?: ContainerSeen[];
  initContainerStatuses?: ContainerSeen[];
}
