import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import type { PlannedEvent } from '@periplus/reconcile';

/** What is told about `owner` when it creates or deletes a pod, or is refused to. */
export function podEvents(owner: DeepReadonly<KubeObject>, command: Command): PlannedEvent[] {
  const creating = command.verb === 'create';
  return [
    {
      about: owner,
      type: 'Normal',
      reason: creating ? 'SuccessfulCreate' : 'SuccessfulDelete',
      message: `${creating ? 'Created' : 'Deleted'} pod: ${command.name}`,
      after: command,
    },
    {
      about: owner,
      type: 'Warning',
      reason: creating ? 'FailedCreate' : 'FailedDelete',
      message: creating ? 'Error creating' : 'Error deleting',
      onRefusalOf: command,
    },
  ];
}
