import { ageOf, type DeepReadonly, type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { IEvent } from 'kubernetes-models/v1/Event';
import { defineKind } from '../define.ts';
import { checkRequiredText, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
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

const TEXT_LENGTH_MAX = 128;
const MESSAGE_LENGTH_MAX = 1024;

const tooLong = (lengthMax: number): string => `can have at most ${lengthMax} characters`;

/** An event about an object lives in its namespace; one about a cluster-scoped object in \`default\`. */
export function checkEventNamespace(errors: Errors, at: FieldPath, about: string, of: string, namespace: string): void {
  if (of ? of === namespace : namespace === '' || namespace === 'default') return;
  errors.push(at.child(about, 'namespace').invalid(of, 'does not match event.namespace'));
}

/** What reporters of the newer sort say, who set \`eventTime\`. The field of the reporter has two names. */
export function checkReport(
  errors: Errors,
  at: FieldPath,
  report: { reporter?: string; reportingInstance?: string; action?: string; reason?: string; message?: string },
  names: { reporter: string; message: string },
): void {
  checkRequiredText(errors, at, names.reporter, report.reporter, qualifiedName);
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const text = report[field];
    if (!text) errors.push(at.child(field).required());
    else if (text.length > TEXT_LENGTH_MAX) errors.push(at.child(field).invalid('', tooLong(TEXT_LENGTH_MAX)));
  }
  if ((report.message?.length ?? 0) > MESSAGE_LENGTH_MAX) {
    errors.push(at.child(names.message).invalid('', tooLong(MESSAGE_LENGTH_MAX)));
  }
}

function check(errors: Errors, at: FieldPath, event: DeepReadonly<CoreEvent>): void {
  const { involvedObject, metadata } = event;
  checkEventNamespace(errors, at, 'involvedObject', involvedObject.namespace ?? '', metadata.namespace ?? '');
  if (!event.eventTime) return;
  const names = { reporter: 'reportingComponent', message: 'message' };
  checkReport(errors, at, { ...event, reporter: event.reportingComponent }, names);
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const coreEvent = defineKind<CoreEvent>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  createdByUpdate: true,
  columns: [
    { name: 'Last Seen', type: 'string', description: fieldText('v1.Event.lastTimestamp'), of: lastSeen },
    { name: 'Type', type: 'string', description: fieldText('v1.Event.type'), of: (event) => event.type ?? '' },
    { name: 'Reason', type: 'string', description: fieldText('v1.Event.reason'), of: (event) => event.reason ?? '' },
    {
      name: 'Object',
      type: 'string',
      description: fieldText('v1.Event.involvedObject'),
      of: ({ involvedObject }) =>
        involvedObject.name
          ? `${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name}`
          : (involvedObject.kind ?? '').toLowerCase(),
    },
    {
      name: 'Subobject',
      type: 'string',
      priority: 1,
      description: fieldText('v1.ObjectReference.fieldPath'),
      of: (event) => event.involvedObject.fieldPath ?? '',
    },
    { name: 'Source', type: 'string', priority: 1, description: fieldText('v1.Event.source'), of: sourceOf },
    {
      name: 'Message',
      type: 'string',
      description: fieldText('v1.Event.message'),
      of: (event) => (event.message ?? '').trim(),
    },
    {
      name: 'First Seen',
      type: 'string',
      priority: 1,
      description: fieldText('v1.Event.firstTimestamp'),
      of: firstSeen,
    },
    {
      name: 'Count',
      type: 'string',
      priority: 1,
      description: fieldText('v1.Event.count'),
      of: (event) => String(event.series?.count ?? (event.count || 1)),
    },
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      priority: 1,
      description: fieldText('meta/v1.ObjectMeta.name'),
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
  check,
  setDefaults(event) {
    event.involvedObject ??= {};
  },
});
