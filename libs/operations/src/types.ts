import type { PeerCertificate } from 'node:tls';
import type { Kind } from '@periplus/api';
import type { DeepReadonly, FieldSelector, JsonValue, KubeObject, Status, StatusError } from '@periplus/apimachinery';
import type { Cause } from '@periplus/store';

/** Who asks, as authenticated. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** What is said to whoever logs in this way, with every answer. */
  readonly warning?: string;
}

/** What a client showed. The certificate has been verified by TLS against the cluster's authority. */
export interface Credentials {
  readonly certificate: PeerCertificate | null;
  /** Without `Bearer `. */
  readonly bearerToken: string | null;
}

/** Whose a token is. */
export interface TokenIdentity {
  readonly user: User;
  /** Those of the audiences asked for that it is for. */
  readonly audiences: readonly string[];
}

export interface Authenticator {
  /**
   * A certificate or no credentials are answered at once, so remember a certificate's user with its connection;
   * a token may take a promise. Throws or rejects with Unauthorized.
   * https://kubernetes.io/docs/reference/access-authn-authz/authentication/
   */
  authenticate(credentials: Credentials): User | Promise<User>;
  /** Whose a token is that somebody shows to another server; for no `audiences`, to this one. Rejects with TokenRefused. */
  review(token: string, audiences: readonly string[]): Promise<TokenIdentity>;
}

/** What somebody wants to do. For paths that are no resource, `isResource` is false and `verb` the method: "get". */
export interface Attributes {
  readonly isResource: boolean;
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** The plural: "pods". */
  readonly resource: string;
  readonly subresource: string;
  /** '' for cluster-scoped kinds and for all namespaces. */
  readonly namespace: string;
  /** '' for collections. */
  readonly name: string;
  /** Of what is no resource: "/healthz". */
  readonly path: string;
  /** Of a list or watch: nodes may list what a selector limits to them. */
  readonly fieldSelector?: FieldSelector;
}

export interface Decision {
  readonly allowed: boolean;
  /** Why, in Kubernetes' words; may be ''. */
  readonly reason: string;
}

export interface Authorizer {
  /** Synchronous: rules are compiled when they change, answers are remembered. */
  decide(user: User, attributes: Attributes): Decision;
}

/** A request, apart from what it is about. One per request, made by the adapter. */
export interface RequestContext {
  readonly user: User;
  /** Unique per request; stored with the change. */
  readonly requestId: string;
  /** The change that made the client act; null when nobody said so. */
  readonly cause: Cause | null;
  readonly dryRun: boolean;
  /** '' when the client gave none. */
  readonly fieldManager: string;
  /** What the client calls itself: its beginning stands in for a field manager. */
  readonly userAgent?: string;
  /** Kubernetes' default is Warn. */
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Filled by the operation; the adapter sends them (`Warning: 299 - "..."`). */
  readonly warnings: string[];
  /** The clock of the request, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** What a request is about. */
export interface Target {
  /** At the version that was asked for, from the KindRegistry. */
  readonly kind: Kind;
  /** '' for cluster-scoped kinds, and for lists and watches of all namespaces. */
  readonly namespace: string;
  /** '' for create and for collections. A create on a subresource (binding, eviction, token) names its object. */
  readonly name: string;
  /** 'status', 'scale', 'binding', 'eviction', 'token', 'finalize', a part that the kind names, or ''. */
  readonly subresource: string;
}

/** A decoded body. The operation owns `value` from now on and changes it in place. */
export interface Body {
  readonly value: JsonValue;
  /** What `value` was parsed from, for finding duplicate fields; null when that was not JSON. */
  readonly json: string | null;
  /** What a reader of YAML found twice in one map of it: `line 3: key "name" already set in map`. */
  readonly duplicateKeys?: readonly string[];
}

/** An object in the form that was asked for. `bytes` are shared by all responses: never write to them. */
export interface Item {
  readonly bytes: Buffer;
  /** Parsed on first use where it is not at hand. */
  readonly object: DeepReadonly<KubeObject>;
  /** '' for what is not stored (dry runs that create, token requests). */
  readonly resourceVersion: string;
}

export interface ObjectResult extends Item {
  /** etcd's revision of the write, or of the last write of what was read; 0 when nothing is stored. */
  readonly revision: number;
  /** 201 for what was created, 202 for a deletion that goes on where the client asked for orphanDependents=false. */
  readonly code: 200 | 201 | 202;
}

/** What a delete returns: the object where it still stands or its kind returns it, otherwise a Status. */
export interface DeleteResult {
  readonly item: ObjectResult | null;
  /** The object as it still stands, or as it was. */
  readonly last: ObjectResult;
  readonly status: Status | null;
  readonly code: 200 | 202;
  /** The version and revision of the deletion, or of the change that started it; '' and 0 when nothing changed. */
  readonly resourceVersion: string;
  readonly revision: number;
}

/** As in the query; '' and undefined are absent. */
export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** 0 or undefined: everything. */
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface ListResult {
  /** A snapshot, in the order of namespace and name. Nothing is copied: write `bytes` out one by one. */
  readonly items: readonly Item[];
  /** Sum of the items' bytes, for choosing how to send them; undefined when it is not known without work. */
  readonly bytes: number | undefined;
  readonly resourceVersion: string;
  /** '' at the end. */
  readonly continue: string;
  readonly remainingItemCount: number | undefined;
}

export interface WatchOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  /** A watch has no pieces: refused where versions are matched. */
  readonly continue?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  /** undefined or 0: between 30 and 60 minutes, as kube-apiserver. */
  readonly timeoutSeconds?: number;
}

export interface WatchEvent extends Item {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
}

/**
 * How events become bytes. Watches with equal `name` and selection share their bytes: `encode` runs once per event,
 * however many watch. The name therefore states everything that `encode` depends on: "json", "table/v1/Metadata".
 */
export interface WatchEncoding {
  readonly name: string;
  encode(event: WatchEvent): Buffer;
  /** For the first event of each watch where that differs: a Table then has its column definitions. */
  encodeFirst?(event: WatchEvent): Buffer;
}

/** What happened in a short while, encoded once and shared by all watches of a group. */
export interface WatchChunk {
  /** One per event. */
  readonly frames: readonly Buffer[];
  /** All frames in one, joined on first use: one write per socket. */
  readonly bytes: Buffer;
}

/** Where a watch delivers. Implemented by the adapter; called synchronously, must not throw. */
export interface WatchSink {
  write(chunk: WatchChunk): void;
  /** Bytes that were handed over and not yet taken by the client (a stream's writableLength). */
  backlogBytes(): number;
  /** The last call. With an error: send it as an ERROR event (its Status), then end; otherwise just end. */
  end(error: StatusError | null): void;
}

export interface Watch {
  /**
   * To be called when the client has taken its backlog (a stream's 'drain'). A watch that is behind goes on from
   * there; one that stays behind until its place has left the window of recent changes ends with Expired.
   */
  drained(): void;
  /** The client is gone; `end` is not called any more. */
  stop(): void;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly dryRun?: readonly string[];
}

/** Why somebody has a pod go that did nothing to deserve it: the reason of its condition, in one word, and a sentence. */
export interface Disruption {
  readonly reason: string;
  readonly message: string;
}

/** `mediaType` without parameters: "application/strategic-merge-patch+json". `body.value` is the patch. */
export interface Patch {
  readonly mediaType: string;
  readonly body: Body;
  /** Of an apply: whether it takes fields that others manage. */
  readonly force?: boolean;
}

/** An object as somebody wants it to be, for apply. */
export interface Configured {
  /** Names it; without subresource. */
  readonly target: Target;
  readonly body: Body;
}

/** Preconditions beside those in the object, from gRPC commands; '' or absent for none. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * The API of the cluster, below any wire format. Each call authorizes first, then does what kube-apiserver does for
 * the same verb, and throws StatusError with its words. Promises settle when etcd has acknowledged.
 */
export interface Operations {
  /** Throws Forbidden. For what the adapter serves itself: other paths, unknown resources, `log`. */
  authorize(user: User, attributes: Attributes): void;
  /** A linearizable read for the adapter's own use (the pod and node of a log), without authorization. */
  lookup(target: Target): Promise<ObjectResult>;

  get(context: RequestContext, target: Target, options: { readonly resourceVersion?: string }): Promise<ObjectResult>;
  list(context: RequestContext, target: Target, options: ListOptions): Promise<ListResult>;
  /** Resolves when the watch stands; an outdated resourceVersion ends it through the sink, as in Kubernetes. */
  watch(
    context: RequestContext,
    target: Target,
    options: WatchOptions,
    encoding: WatchEncoding,
    sink: WatchSink,
  ): Promise<Watch>;

  /** Also pods/binding and pods/eviction (which answer with a Status in `object`) and serviceaccounts/token. */
  create(context: RequestContext, target: Target, body: Body): Promise<ObjectResult>;
  /** Also status, scale, finalize, and the parts that a kind names (a pod's resize). */
  update(context: RequestContext, target: Target, body: Body, only?: Preconditions): Promise<ObjectResult>;
  /** Also status, scale, and the parts that a kind names. */
  patch(context: RequestContext, target: Target, patch: Patch, only?: Preconditions): Promise<ObjectResult>;
  /**
   * Server-side apply of 1 to 100 objects, all or nothing and at one revision; results come in the order of the
   * objects. Each passes what `patch` does, and sees those of the same transaction that it may rely on: its namespace,
   * service account, classes, roles. A refusal changes nothing and names the object: its message begins with
   * `objects[3]: `, and so do the fields of its causes. RequestEntityTooLarge for more than etcd takes in a transaction.
   */
  applyAll(context: RequestContext, objects: readonly Configured[], force: boolean): Promise<ObjectResult[]>;
  /** `options` is the body merged over the query, as the adapter decoded it. */
  /** `disruption`: why a pod has to go, for its condition. */
  delete(
    context: RequestContext,
    target: Target,
    options: DeleteOptions,
    disruption?: Disruption,
  ): Promise<DeleteResult>;
  /** Answers with the objects as they were, in a list. */
  deleteCollection(
    context: RequestContext,
    target: Target,
    selection: ListOptions,
    options: DeleteOptions,
  ): Promise<ListResult>;
  /** Ends every watch, and what the core does by itself. */
  close(): void;
}
