import { configMap, coreEvent, job, type Kind, type Namespace, namespace, pod } from '@periplus/api';
import type { KubeObject, ObjectMeta } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import type { DeleteOptions } from '../types.ts';
import { decideDeletion, decideNamespaceDeletion } from './deletion.ts';

const NOW = Date.UTC(2026, 10, 21, 10);
const kindOf = (kind: unknown): Kind => kind as Kind;
const object = (metadata: ObjectMeta, more: object = {}): KubeObject => ({
  kind: 'X',
  apiVersion: 'v1',
  metadata: { name: 'x', ...metadata },
  ...more,
});
const running = { spec: { nodeName: 'n', terminationGracePeriodSeconds: 20 }, status: { phase: 'Running' } };
const marked = (seconds: number, at = '2026-11-21T10:00:20Z', finalizers: string[] = []): ObjectMeta => ({
  deletionTimestamp: at,
  deletionGracePeriodSeconds: seconds,
  generation: 3,
  ...(finalizers.length > 0 && { finalizers }),
});

describe('a deletion', () => {
  const cases: [string, unknown, KubeObject, DeleteOptions, object][] = [
    ['removes what nothing holds', configMap, object({}), {}, { do: 'remove' }],
    ['removes a pod without a node', pod, object({}, { spec: {} }), { gracePeriodSeconds: 30 }, { do: 'remove' }],
    [
      'removes a pod that has ended',
      pod,
      object({}, { spec: running.spec, status: { phase: 'Failed' } }),
      {},
      { do: 'remove' },
    ],
    [
      'leaves the pods of a job unless it is told otherwise',
      job,
      object({}),
      {},
      { do: 'mark', metadata: { deletionTimestamp: '2026-11-21T10:00:00Z', finalizers: ['orphan'] } },
    ],
    ['removes a job whose pods may go', job, object({}), { propagationPolicy: 'Background' }, { do: 'remove' }],
    [
      'gives a running pod the time of its spec',
      pod,
      object({ generation: 2 }, running),
      {},
      {
        do: 'mark',
        metadata: { deletionTimestamp: '2026-11-21T10:00:20Z', deletionGracePeriodSeconds: 20, generation: 3 },
      },
    ],
    [
      'gives a running pod the time of the request',
      pod,
      object({}, running),
      { gracePeriodSeconds: 5 },
      { do: 'mark', metadata: { deletionTimestamp: '2026-11-21T10:00:05Z', deletionGracePeriodSeconds: 5 } },
    ],
    [
      'takes less than nothing for a second',
      pod,
      object({}, running),
      { gracePeriodSeconds: -1 },
      { do: 'mark', metadata: { deletionGracePeriodSeconds: 1 } },
    ],
    [
      'removes a running pod at once when told so',
      pod,
      object({}, running),
      { gracePeriodSeconds: 0 },
      { do: 'remove' },
    ],
    ['does not lengthen the time', pod, object(marked(20), running), { gracePeriodSeconds: 60 }, { do: 'nothing' }],
    ['does not renew the time', pod, object(marked(20), running), {}, { do: 'nothing' }],
    [
      'shortens the time, counted from the first request',
      pod,
      object(marked(20), running),
      { gracePeriodSeconds: 5 },
      {
        do: 'mark',
        metadata: { deletionTimestamp: '2026-11-21T10:00:05Z', deletionGracePeriodSeconds: 5, generation: 3 },
      },
    ],
    ['ends the time', pod, object(marked(20), running), { gracePeriodSeconds: 0 }, { do: 'remove' }],
    [
      'ends the time, but leaves the finalizers',
      pod,
      object(marked(20, '2026-11-21T10:00:20Z', ['a/b']), running),
      { gracePeriodSeconds: 0 },
      {
        do: 'mark',
        metadata: { deletionGracePeriodSeconds: 0, finalizers: ['a/b'], deletionTimestamp: '2026-11-21T10:00:00Z' },
      },
    ],
    [
      'marks what its finalizers hold',
      configMap,
      object({ finalizers: ['a/b'] }),
      {},
      {
        do: 'mark',
        metadata: { deletionTimestamp: '2026-11-21T10:00:00Z', deletionGracePeriodSeconds: 0, finalizers: ['a/b'] },
      },
    ],
    ['marks once', configMap, object(marked(0, '2026-11-21T09:00:00Z', ['a/b'])), {}, { do: 'nothing' }],
    [
      'can still ask for its dependents first',
      configMap,
      object({}),
      { propagationPolicy: 'Foreground' },
      { do: 'mark', metadata: { finalizers: ['foregroundDeletion'] } },
    ],
    [
      'replaces one policy by another',
      configMap,
      object({ finalizers: ['foregroundDeletion'] }),
      { propagationPolicy: 'Orphan' },
      { do: 'mark', metadata: { finalizers: ['orphan'] } },
    ],
    [
      'in the background waits for nobody',
      configMap,
      object({ finalizers: ['orphan'] }),
      { propagationPolicy: 'Background' },
      { do: 'remove' },
    ],
    [
      'keeps a policy that stands in the object',
      configMap,
      object({ finalizers: ['orphan'] }),
      {},
      { do: 'mark', metadata: { finalizers: ['orphan'] } },
    ],
    [
      'has no policy for events',
      coreEvent,
      { ...object({}), kind: 'Event' },
      { propagationPolicy: 'Foreground' },
      { do: 'remove' },
    ],
  ];
  it.each(cases)('%s', (_, kind, before, options, expected) => {
    const frozen = JSON.stringify(before);
    const decided = decideDeletion(kindOf(kind), before, options, NOW);
    const shown = decided.do === 'mark' ? { do: 'mark', metadata: decided.object.metadata } : decided;
    expect(shown).toMatchObject(expected);
    expect(JSON.stringify(before)).toBe(frozen);
  });
});

describe('the deletion of a namespace', () => {
  const of = (metadata: ObjectMeta, finalizers: string[]): Namespace =>
    ({ ...object(metadata), spec: { finalizers }, status: { phase: 'Active' } }) as unknown as Namespace;
  const decide = (one: Namespace) => decideNamespaceDeletion(kindOf(namespace), one, {}, NOW);

  it('starts its termination', () => {
    expect(decide(of({}, ['kubernetes']))).toMatchObject({
      do: 'mark',
      object: { metadata: { deletionTimestamp: '2026-11-21T10:00:00Z' }, status: { phase: 'Terminating' } },
    });
  });

  it('waits until it is empty', () => {
    expect(decide(of({ deletionTimestamp: '2026-11-21T09:00:00Z' }, ['kubernetes'])).do).toBe('nothing');
    expect(decide(of({ deletionTimestamp: '2026-11-21T09:00:00Z' }, [])).do).toBe('remove');
  });
});
