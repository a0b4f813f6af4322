import { StatusError } from '@periplus/apimachinery';
import { type Command, type CommandCause, type CommandClient, isOutcomeUnknown } from '@periplus/client';
import type { Plan, Refusal } from './types.ts';

/** How the sending of commands ended. */
export interface Execution {
  done: Command[];
  refused: Refusal[];
  /** May have happened: to be sent again before the key is looked at again. */
  unknown: Command[];
  /** The highest revision of the writes that are known. */
  revision: number;
  /** The api-server knows more about the objects than the view that the plan was made of. */
  stale: boolean;
}

type Send = (command: Command) => ReturnType<CommandClient['send']>;

export const sendWith =
  (client: CommandClient, cause: CommandCause | null, signal: AbortSignal): Send =>
  (command) =>
    client.send(command, cause, signal);

/** Refusals that come of an old view and not of the command: looking again mends them. */
const STALE_REASONS = new Set(['Conflict', 'AlreadyExists', 'NotFound']);
export const isStale = (error: StatusError): boolean => STALE_REASONS.has(error.reason);

const asStatusError = (error: unknown): StatusError =>
  error instanceof StatusError ? error : new StatusError('InternalError', String(error), undefined, { cause: error });

/** Sends `commands` together and adds to `execution` how each ended. Never rejects. */
export async function sendAll(commands: readonly Command[], send: Send, execution: Execution): Promise<void> {
  await Promise.all(
    commands.map(async (command) => {
      try {
        const { revision } = await send(command);
        execution.revision = Math.max(execution.revision, revision);
        execution.done.push(command);
      } catch (thrown) {
        const error = asStatusError(thrown);
        if (isOutcomeUnknown(error)) {
          execution.unknown.push(command);
          return;
        }
        if (isStale(error)) execution.stale = true;
        if (command.verb === 'delete' && error.reason === 'NotFound') execution.done.push(command);
        else execution.refused.push({ command, error });
      }
    }),
  );
}

export const noExecution = (): Execution => ({ done: [], refused: [], unknown: [], revision: 0, stale: false });

/** Sends a plan, step by step, until one fails. */
export async function executePlan(plan: Plan, send: Send): Promise<Execution> {
  const execution = noExecution();
  for (const step of plan.steps) {
    await sendAll(step, send, execution);
    if (execution.unknown.length > 0) break;
    if (execution.refused.length > 0) {
      const instead = plan.onRefusal?.(execution.refused) ?? [];
      await sendAll(instead, send, execution);
      break;
    }
  }
  return execution;
}
