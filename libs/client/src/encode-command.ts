import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { apiProto } from '@periplus/proto';
import type { Command, CommandCause } from './types.ts';

export type CommandMessage = apiProto.api.v1.Command.$Properties;

const MEDIA_TYPE = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Who manages what is the server's to say; it would be a good part of the message. */
const withoutManagers = (object: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> => ({
  ...object,
  metadata: { ...object.metadata, managedFields: undefined },
});

const action = (command: Command): Pick<CommandMessage, 'create' | 'update' | 'patch' | 'delete'> => {
  switch (command.verb) {
    case 'create':
      return { create: json(command.object) };
    case 'update':
      return { update: json(withoutManagers(command.object)) };
    case 'patch':
      return {
        patch: {
          mediaType: MEDIA_TYPE[command.type],
          body: json(command.patch),
          ...(command.type === 'apply' && command.force && { force: true }),
        },
      };
    case 'delete':
      return {
        delete: {
          propagationPolicy: command.propagationPolicy ?? '',
          ...(command.gracePeriodSeconds !== undefined && { gracePeriodSeconds: command.gracePeriodSeconds }),
          ...(command.disruption && { disruption: command.disruption }),
        },
      };
  }
};

/** The message of a command; `id` names it on its stream. */
export function encodeCommand(id: number, command: Command, cause: CommandCause | null): CommandMessage {
  const { kind } = command;
  return {
    id,
    ref: {
      group: kind.group,
      version: kind.version,
      resource: kind.plural,
      namespace: command.namespace,
      name: command.name,
      subresource: command.subresource ?? '',
    },
    ...action(command),
    ifResourceVersion: command.ifResourceVersion ?? '',
    ifUid: command.ifUid ?? '',
    ...(command.dryRun && { dryRun: true }),
    ...(command.fieldManager && { fieldManager: command.fieldManager }),
    cause: cause && { key: cause.key, resourceVersion: cause.resourceVersion, reconciler: cause.reconciler },
  };
}

/** Upper bound of what the message's short fields and framing add to its payload. */
const FRAMING_BYTES = 512;

/** Close to the encoded size of `message`, without encoding it. */
export const sizeOf = (message: CommandMessage): number =>
  (message.create ?? message.update ?? message.patch?.body ?? '').length + FRAMING_BYTES;
