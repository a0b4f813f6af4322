import { persistentVolume } from '@periplus/api';
import { formatTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { idle, type Plan, type PlannedEvent } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';
import type { Volume } from './claim-index.ts';

type Phase = 'Available' | 'Bound' | 'Released' | 'Failed';

/** Says that the volume is in this phase, and why when that is a problem. Idle when it says so already. */
export function enter(phase: Phase, volume: Volume, view: View, problem?: { reason: string; message: string }): Plan {
  if (volume.status?.phase === phase && (volume.status.message ?? '') === (problem?.message ?? '')) return idle;
  const isNew = volume.status?.phase !== phase;
  const wanted = {
    phase,
    message: problem?.message,
    lastPhaseTransitionTime: isNew ? formatTime(view.nowMs) : volume.status?.lastPhaseTransitionTime,
  };
  const events: PlannedEvent[] = problem ? [{ about: volume, type: 'Warning', ...problem }] : [];
  return { steps: [setStatus(persistentVolume as never, volume, wanted)], events };
}
