import type { KindRegistry } from '@periplus/api';
import { badRequest, type JsonValue } from '@periplus/apimachinery';
import type { Body, DeleteOptions, Disruption, Operations, RequestContext, Target, User } from '@periplus/operations';
import type { apiProto } from '@periplus/proto';
import { asStatusError } from './call-error.ts';
import { contextOf, targetOf } from './request.ts';

export type Command = apiProto.api.v1.Command.$Properties;
export type CommandResult = apiProto.api.v1.CommandResult.$Properties;

export type Action = 'create' | 'update' | 'patch' | 'delete';

const ACTIONS: readonly Action[] = ['create', 'update', 'patch', 'delete'];

export interface CommandDeps {
  operations: Operations;
  kinds: KindRegistry;
}

/** Carries out one command; rejects with what refused it. */
export async function runCommand(deps: CommandDeps, user: User, command: Command): Promise<CommandResult> {
  const context = contextOf(user, command);
  const target = targetOf(deps.kinds, command.ref);
  const { id } = command;
  if (command.delete) {
    const disruption = disruptionOf(command.delete);
    const { resourceVersion, last } = await deps.operations.delete(context, target, deleteOptions(command), disruption);
    return { id, resourceVersion, ...(command.returnObject && { object: last.bytes }) };
  }
  const result = await written(deps.operations, context, target, command);
  return { id, resourceVersion: result.resourceVersion, ...(command.returnObject && { object: result.bytes }) };
}

/** The same, with a refusal as a result instead of a rejection. */
export async function commandResult(deps: CommandDeps, user: User, command: Command): Promise<CommandResult> {
  try {
    return await runCommand(deps, user, command);
  } catch (error) {
    return refusal(command, error);
  }
}

export const refusal = ({ id }: Command, error: unknown): CommandResult => ({
  id,
  status: Buffer.from(JSON.stringify(asStatusError(error).toStatus())),
});

/** Which action a command carries; it must be exactly one. */
export function actionOf(command: Command): Action {
  const set = ACTIONS.filter((action) => isSet(command, action));
  if (set.length !== 1) throw badRequest('a command carries exactly one of create, update, patch and delete');
  return set[0]!;
}

/** What a command asks for first of all, whether or not it may stand. */
export const verbOf = (command: Command): string => ACTIONS.find((action) => isSet(command, action)) ?? '';

/** An absent `bytes` member of a oneof is decoded as null, an absent message too. */
const isSet = (command: Command, action: Action): boolean => {
  const value = command[action];
  return value !== undefined && value !== null;
};

function written(operations: Operations, context: RequestContext, target: Target, command: Command) {
  const only = { uid: command.ifUid ?? '', resourceVersion: command.ifResourceVersion ?? '' };
  switch (actionOf(command)) {
    case 'create':
      // The name of what is created stands in the object; with a subresource, the name is that of its owner.
      return operations.create(
        context,
        target.subresource ? target : { ...target, name: '' },
        jsonBody(command.create!),
      );
    case 'update':
      return operations.update(context, target, jsonBody(command.update!), only);
    default: {
      const { mediaType, body: patch, force } = command.patch ?? {};
      if (!mediaType || !patch) throw badRequest('patch.media_type and patch.body are required');
      return operations.patch(context, target, { mediaType, body: jsonBody(patch), ...(force && { force }) }, only);
    }
  }
}

/** Programs that send the same member twice are not looked for: `json` is for finding just that. */
export function jsonBody(bytes: Uint8Array): Body {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return { value: JSON.parse(text) as JsonValue, json: null };
  } catch (error) {
    throw badRequest(`the object is not JSON: ${(error as Error).message}`);
  }
}

function disruptionOf({ disruption }: NonNullable<Command['delete']>): Disruption | undefined {
  if (!disruption) return undefined;
  const { reason, message } = disruption;
  if (!reason) throw badRequest('delete.disruption.reason is required');
  return { reason, message: message ?? '' };
}

/** What a command to delete says. */
export function deleteOptions({
  delete: action,
  ifUid,
  ifResourceVersion,
  dryRun,
}: Pick<Command, 'delete' | 'ifUid' | 'ifResourceVersion' | 'dryRun'>): DeleteOptions {
  return {
    ...(action?.gracePeriodSeconds != null && { gracePeriodSeconds: action.gracePeriodSeconds }),
    ...(action?.propagationPolicy && { propagationPolicy: action.propagationPolicy }),
    ...((ifUid || ifResourceVersion) && {
      preconditions: { ...(ifUid && { uid: ifUid }), ...(ifResourceVersion && { resourceVersion: ifResourceVersion }) },
    }),
    ...(dryRun && { dryRun: ['All'] }),
  };
}
