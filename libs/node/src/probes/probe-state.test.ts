import { describe, expect, it } from 'vitest';
import type { Container } from '../pod/pod-types.ts';
import { activeProbes, afterResult, initialProgress, type ProbeKind } from './probe-state.ts';

const tcpSocket = { port: 80 };
const play = (container: Container, ...results: [ProbeKind, boolean][]) =>
  results.reduce(
    (progress, [kind, ok]) => afterResult(container, progress, kind, { ok, message: '' }),
    initialProgress(container),
  ).state;

describe('a container with probes', () => {
  const plain: Container = { name: 'main' };
  const ready: Container = { name: 'main', readinessProbe: { tcpSocket, successThreshold: 2, failureThreshold: 2 } };
  const live: Container = { name: 'main', livenessProbe: { tcpSocket, failureThreshold: 3 } };
  const all: Container = { ...ready, ...live, startupProbe: { tcpSocket, failureThreshold: 2 } };

  it.each<[string, Container, [ProbeKind, boolean][], object]>([
    ['is ready at once without probes', plain, [], { started: true, ready: true, failed: null }],
    ['is not ready before its probe says so', ready, [], { ready: false }],
    [
      'is ready after enough successes in a row',
      ready,
      [
        ['readiness', true],
        ['readiness', true],
      ],
      { ready: true },
    ],
    [
      'starts counting again after a failure',
      ready,
      [
        ['readiness', true],
        ['readiness', false],
        ['readiness', true],
      ],
      { ready: false },
    ],
    [
      'stays ready through a single failure',
      ready,
      [
        ['readiness', true],
        ['readiness', true],
        ['readiness', false],
      ],
      { ready: true },
    ],
    [
      'becomes unready after enough of them',
      ready,
      [
        ['readiness', true],
        ['readiness', true],
        ['readiness', false],
        ['readiness', false],
      ],
      { ready: false },
    ],
    [
      'is to be restarted after three failures of liveness',
      live,
      [
        ['liveness', false],
        ['liveness', false],
        ['liveness', false],
      ],
      { failed: 'liveness' },
    ],
    [
      'is left alone when a success comes between',
      live,
      [
        ['liveness', false],
        ['liveness', false],
        ['liveness', true],
        ['liveness', false],
      ],
      { failed: null },
    ],
    ['has not started before its startup probe succeeds', all, [], { started: false, ready: false }],
    [
      'is to be restarted when it does not start',
      all,
      [
        ['startup', false],
        ['startup', false],
      ],
      { failed: 'startup' },
    ],
    [
      'has started when that succeeds, which does not make it ready',
      all,
      [['startup', true]],
      { started: true, ready: false },
    ],
  ])('%s', (_, container, results, expected) => {
    expect(play(container, ...results)).toMatchObject(expected);
  });

  it('runs nothing but the startup probe until that has succeeded', () => {
    expect(activeProbes(all, initialProgress(all))).toEqual(['startup']);
    const started = afterResult(all, initialProgress(all), 'startup', { ok: true, message: '' });
    expect(activeProbes(all, started)).toEqual(['liveness', 'readiness']);
  });

  it('stays as it was told of when the agent comes back', () => {
    expect(initialProgress(all, { started: true, ready: true }).state).toEqual({
      started: true,
      ready: true,
      failed: null,
    });
    expect(initialProgress(all, { started: true, ready: false }).state).toMatchObject({ started: true, ready: false });
  });
});
