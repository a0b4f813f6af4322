import { ageOf, type DeepReadonly } from '@periplus/apimachinery';
import type { IEvent } from 'kubernetes-models/v1/Event';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

/** The core form of Event, which is the one that is stored. */
export type CoreEvent = Stored<IEvent>;

const firstSeen = (event: DeepReadonly<CoreEvent>, nowMs: number): string =>
  ageOf(event.firstTimestamp ?? event.eventTime, nowMs);

function lastSeen(event: DeepReadonly<CoreEvent>, nowMs: number): string {
  if (event.series) return ageOf(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? ageOf(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function sourceOf({ source, reportingComponent, reportingInstance }: DeepReadonly<CoreEvent>): string {
  const component = source?.component || reportingComponent || '';
  const host = source?.host || reportingInstance || '';
  return host ? `${component}, ${host}` : component;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const coreEvent = defineKind<CoreEvent>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  columns: [
    { name: 'Last Seen', type: 'string', description: 'Time since it last happened', of: lastSeen },
    { name: 'Type', type: 'string', description: 'Normal or Warning', of: (event) => event.type ?? '' },
    { name: 'Reason', type: 'string', description: 'Why, in a word', of: (event) => event.reason ?? '' },
    {
      name: 'Object',
      type: 'string',
      description: 'What it is about',
      of: ({ involvedObject }) =>
        involvedObject.name
          ? `${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name}`
          : (involvedObject.kind ?? '').toLowerCase(),
    },
    {
      name: 'Subobject',
      type: 'string',
      priority: 1,
      description: 'The part of the object',
      of: (event) => event.involvedObject.fieldPath ?? '',
    },
    { name: 'Source', type: 'string', priority: 1, description: 'Who reports it', of: sourceOf },
    { name: 'Message', type: 'string', description: 'What happened', of: (event) => (event.message ?? '').trim() },
    { name: 'First Seen', type: 'string', priority: 1, description: 'Time since it first happened', of: firstSeen },
    {
      name: 'Count',
      type: 'string',
      priority: 1,
      description: 'How often it happened',
      of: (event) => String(event.series?.count ?? (event.count || 1)),
    },
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      priority: 1,
      description: 'Name, unique within the namespace',
      of: (event) => event.metadata.name ?? '',
    },
  ],
  selectableFields: {
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  setDefaults(event) {
    event.involvedObject ??= {};
  },
});
