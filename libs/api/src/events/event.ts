import type { DeepReadonly, FieldPath, KubeObject } from '@periplus/apimachinery';
import type { IEvent } from 'kubernetes-models/events.k8s.io/v1/Event';
import { type CoreEvent, checkEventNamespace, checkReport, coreEvent } from '../core/event.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';

/** The newer form of Event. One object, two forms: it is stored as core Event. */
export type Event = Stored<IEvent>;

/** What both forms call the same. Of what says nothing each form writes what its Go type does. */
const alike = ({ metadata, action, eventTime, reason, related, series, type }: Event | CoreEvent) => ({
  metadata,
  ...(action !== undefined && { action }),
  eventTime: eventTime ?? null,
  ...(reason !== undefined && { reason }),
  ...(related !== undefined && { related }),
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
    reportingComponent: event.reportingController ?? '',
    reportingInstance: event.reportingInstance ?? '',
    source: event.deprecatedSource ?? {},
    ...(event.deprecatedCount !== undefined && { count: event.deprecatedCount }),
    firstTimestamp: event.deprecatedFirstTimestamp ?? null,
    lastTimestamp: event.deprecatedLastTimestamp ?? null,
  };
  return stored as unknown as CoreEvent;
}

function fromStorage(stored: KubeObject): Event {
  const core = stored as CoreEvent;
  const event = {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    ...alike(core),
    regarding: core.involvedObject,
    ...(core.message !== undefined && { note: core.message }),
    ...(core.reportingComponent && { reportingController: core.reportingComponent }),
    ...(core.reportingInstance && { reportingInstance: core.reportingInstance }),
    deprecatedSource: core.source ?? {},
    ...(core.count !== undefined && { deprecatedCount: core.count }),
    deprecatedFirstTimestamp: core.firstTimestamp ?? null,
    deprecatedLastTimestamp: core.lastTimestamp ?? null,
  };
  return event as unknown as Event;
}

const TYPES = ['Normal', 'Warning'];
/** What only the older form may say. */
const DEPRECATED = [
  'deprecatedFirstTimestamp',
  'deprecatedLastTimestamp',
  'deprecatedCount',
  'deprecatedSource',
] as const;
/** Once reported, an event only grows its series. */
const IMMUTABLE = [
  'regarding',
  'reason',
  'note',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingController',
  'reportingInstance',
] as const;

function check(errors: Errors, at: FieldPath, event: DeepReadonly<Event>): void {
  checkEventNamespace(errors, at, 'regarding', event.regarding?.namespace ?? '', event.metadata.namespace ?? '');
  if (!event.eventTime) errors.push(at.child('eventTime').required());
  if (!TYPES.includes(event.type ?? '')) {
    errors.push(at.child('type').invalid('', `has invalid value: ${event.type ?? ''}`));
  }
  const names = { reporter: 'reportingController', message: 'note' };
  checkReport(errors, at, { ...event, reporter: event.reportingController, message: event.note }, names);
}

/** Objects that were reported in the older form keep what they have. */
function checkNew(errors: Errors, at: FieldPath, event: DeepReadonly<Event>): void {
  for (const field of DEPRECATED) {
    if (event[field]) errors.push(at.child(field).invalid('', 'needs to be unset'));
  }
}

function checkUpdate(errors: Errors, at: FieldPath, now: DeepReadonly<Event>, old: DeepReadonly<Event>): void {
  for (const field of IMMUTABLE) checkImmutable(errors, at, field, now[field], old[field]);
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const event = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  createdByUpdate: true,
  storedAs: { kind: coreEvent, toStorage, fromStorage },
  check,
  checkNew,
  checkUpdate,
  selectableFields: {
    'regarding.kind': ({ regarding }) => regarding?.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding?.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding?.name ?? '',
    'regarding.uid': ({ regarding }) => regarding?.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding?.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding?.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  columns: coreEvent.columns.map((column) => ({
    ...column,
    of: (object: Event, nowMs: number) => column.of(toStorage(object), nowMs),
  })),
});
