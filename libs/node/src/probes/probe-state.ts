/**
 * How results of probes become the state of a container: a pure fold, as in
 * https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */

import type { ProbeState } from '../pod/pod-runtime.ts';
import type { Container, Probe } from '../pod/pod-types.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbeResult {
  ok: boolean;
  message: string;
}

/** Results of one kind in a row. */
interface Streak {
  ok: boolean;
  length: number;
}

export interface ProbeProgress {
  readonly state: ProbeState;
  readonly streaks: Readonly<Partial<Record<ProbeKind, Streak>>>;
}

export const probeOf = (container: Container, kind: ProbeKind): Probe | undefined =>
  kind === 'startup'
    ? container.startupProbe
    : kind === 'liveness'
      ? container.livenessProbe
      : container.readinessProbe;

const PROBE_KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

/** Where a container stands that has just started, or that was found running and told of as `was`. */
export function initialProgress(container: Container, was?: { started?: boolean; ready: boolean }): ProbeProgress {
  const started = !container.startupProbe || (was?.started ?? false);
  const ready = started && (!container.readinessProbe || (was?.ready ?? false));
  return { state: { started, ready, failed: null }, streaks: {} };
}

/** Which probes run now: none but the startup probe until that has succeeded. */
export function activeProbes(container: Container, { state }: ProbeProgress): ProbeKind[] {
  return PROBE_KINDS.filter((kind) => probeOf(container, kind) && (kind === 'startup') !== state.started);
}

export function afterResult(
  container: Container,
  progress: ProbeProgress,
  kind: ProbeKind,
  { ok }: ProbeResult,
): ProbeProgress {
  const before = progress.streaks[kind];
  const streak = { ok, length: before?.ok === ok ? before.length + 1 : 1 };
  const probe = probeOf(container, kind)!;
  const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  const streaks = { ...progress.streaks, [kind]: streak };
  if (streak.length < threshold) return { state: progress.state, streaks };
  return { state: settled(container, progress.state, kind, ok), streaks };
}

function settled(container: Container, state: ProbeState, kind: ProbeKind, ok: boolean): ProbeState {
  switch (kind) {
    case 'startup':
      return ok ? { ...state, started: true, ready: !container.readinessProbe } : { ...state, failed: 'startup' };
    case 'liveness':
      return ok ? state : { ...state, failed: 'liveness' };
    case 'readiness':
      return { ...state, ready: ok };
  }
}
