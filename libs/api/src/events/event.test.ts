import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { type Event, event } from './event.ts';

const anEvent = (): Event => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'shop' },
  eventTime: '2026-11-21T12:00:00.000000Z',
  type: 'Normal',
  reason: 'Ready',
  action: 'Wait',
  note: 'It is ready',
  regarding: { kind: 'Pod', namespace: 'shop', name: 'web' },
  reportingController: 'example.com/agent',
  reportingInstance: 'agent-1',
});

describe('an event of the newer form', () => {
  it('is stored as the older one, and comes back as it was', () => {
    const object = created(event, anEvent());
    const stored = event.storedAs?.toStorage(object);
    expect(stored).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'shop' },
      eventTime: '2026-11-21T12:00:00.000000Z',
      type: 'Normal',
      reason: 'Ready',
      action: 'Wait',
      message: 'It is ready',
      involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web' },
      reportingComponent: 'example.com/agent',
      reportingInstance: 'agent-1',
      firstTimestamp: null,
      lastTimestamp: null,
      source: {},
    });
    const unsaid = { deprecatedFirstTimestamp: null, deprecatedLastTimestamp: null, deprecatedSource: {} };
    expect(event.storedAs?.fromStorage(stored!)).toEqual({ ...object, ...unsaid });
  });

  it('shows what only the older form has under other names', () => {
    const shown = event.storedAs?.fromStorage({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject: {},
      count: 2,
      firstTimestamp: '2026-11-21T12:00:00Z',
      lastTimestamp: '2026-11-21T12:01:00Z',
      source: { component: 'kubelet' },
    } as never);
    expect(shown).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      deprecatedCount: 2,
      deprecatedFirstTimestamp: '2026-11-21T12:00:00Z',
      deprecatedLastTimestamp: '2026-11-21T12:01:00Z',
      deprecatedSource: { component: 'kubelet' },
    });
  });

  it('may be sent again as it was read', () => {
    const read = event.storedAs!.fromStorage(event.storedAs!.toStorage(created(event, anEvent()))) as Event;
    expect(updateProblems(event, read, () => undefined)).toEqual([]);
  });

  it('says all that it must', () => {
    expect(createProblems(event, anEvent())).toEqual([]);
    const { apiVersion, kind, metadata } = anEvent();
    expect(createProblems(event, { apiVersion, kind, metadata, deprecatedCount: 1 } as Event)).toEqual([
      'regarding.namespace: Invalid value: "": does not match event.namespace',
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: ',
      'reportingController: Required value',
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
      'deprecatedCount: Invalid value: "": needs to be unset',
    ]);
  });
});
