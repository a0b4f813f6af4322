import type { KubeObject } from '@periplus/apimachinery';
import type { IEvent } from 'kubernetes-models/events.k8s.io/v1/Event';
import { type CoreEvent, coreEvent } from '../core/event.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

/** The newer form of Event. One object, two forms: it is stored as core Event. */
export type Event = Stored<IEvent>;

/** What both forms call the same. */
const alike = ({
  metadata,
  action,
  eventTime,
  reason,
  related,
  reportingInstance,
  series,
  type,
}: Event | CoreEvent) => ({
  metadata,
  ...(action !== undefined && { action }),
  ...(eventTime !== undefined && { eventTime }),
  ...(reason !== undefined && { reason }),
  ...(related !== undefined && { related }),
  ...(reportingInstance !== undefined && { reportingInstance }),
  ...(series !== undefined && { series }),
  ...(type !== undefined && { type }),
});

function toStorage(event: Event): CoreEvent {
  const stored = {
    kind: 'Event',
    apiVersion: 'v1',
    ...alike(event),
    involvedObject: event.regarding ?? {},
    ...(event.note !== undefined && { message: event.note }),
    ...(event.reportingController !== undefined && { reportingComponent: event.reportingController }),
    ...(event.deprecatedSource !== undefined && { source: event.deprecatedSource }),
    ...(event.deprecatedCount !== undefined && { count: event.deprecatedCount }),
    ...(event.deprecatedFirstTimestamp !== undefined && { firstTimestamp: event.deprecatedFirstTimestamp }),
    ...(event.deprecatedLastTimestamp !== undefined && { lastTimestamp: event.deprecatedLastTimestamp }),
  };
  return stored as CoreEvent;
}

function fromStorage(stored: KubeObject): Event {
  const core = stored as CoreEvent;
  const event = {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    ...alike(core),
    regarding: core.involvedObject,
    ...(core.message !== undefined && { note: core.message }),
    ...(core.reportingComponent !== undefined && { reportingController: core.reportingComponent }),
    ...(core.source !== undefined && { deprecatedSource: core.source }),
    ...(core.count !== undefined && { deprecatedCount: core.count }),
    ...(core.firstTimestamp !== undefined && { deprecatedFirstTimestamp: core.firstTimestamp }),
    ...(core.lastTimestamp !== undefined && { deprecatedLastTimestamp: core.lastTimestamp }),
  };
  return event as Event;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const event = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  storedAs: { kind: coreEvent, toStorage, fromStorage },
  columns: coreEvent.columns.map((column) => ({
    ...column,
    of: (object: Event, nowMs: number) => column.of(toStorage(object), nowMs),
  })),
});
