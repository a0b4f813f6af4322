import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';

/** The change that made a component act. */
export interface CommandCause {
  key: string;
  resourceVersion: string;
  reconciler: string;
}

/** A change asked of the api-server. Plain data, so that plans can be compared in tests. */
export type Command = {
  kind: Kind;
  namespace: string;
  name: string;
  /** 'status', 'scale', 'binding', 'finalize' or absent. */
  subresource?: string;
  /** Refused with Conflict unless the object has this uid / this version. */
  ifUid?: string;
  ifResourceVersion?: string;
  /** Answers as if, and changes nothing. */
  dryRun?: boolean;
  /** Who owns the fields that change; the caller's name when absent. */
  fieldManager?: string;
} & (
  | { verb: 'create'; object: DeepReadonly<KubeObject> }
  | { verb: 'update'; object: DeepReadonly<KubeObject> }
  /** `patch` is plain JSON: an object, or for type json a list of operations. */
  | { verb: 'patch'; type: 'merge' | 'strategic' | 'json'; patch: object }
  /** Server-side apply, which creates what is absent; `force` takes the fields that others own. */
  | { verb: 'patch'; type: 'apply'; patch: object; force?: boolean }
  | {
      verb: 'delete';
      propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
      gracePeriodSeconds?: number;
      /** Of a pod: why it has to go, told in its condition DisruptionTarget by the same write. */
      disruption?: { reason: string; message: string };
    }
);

export interface CommandOutcome {
  /** '' when nothing changed. */
  resourceVersion: string;
  /** etcd's revision of the write: what a cache must reach before looking at the object again. */
  revision: number;
}

/** Sends commands over one gRPC stream, many to a message. */
export interface CommandClient {
  /** Commands that were accepted and are not answered. */
  readonly underWay: number;
  /** Rejects with StatusError. Bounded: waits when too many are under way. */
  send(command: Command, cause: CommandCause | null, signal?: AbortSignal): Promise<CommandOutcome>;
  close(): Promise<void>;
}
