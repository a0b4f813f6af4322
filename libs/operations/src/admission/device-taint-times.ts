import { type ResourceSlice, resourceSlice } from '@periplus/api';
import { formatTime } from '@periplus/apimachinery';
import type { Admission } from './admission.ts';

/**
 * Devices have taints since now whose drivers don't say since when, which a kind by itself cannot know.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#device-taints-and-tolerations
 */
export const deviceTaintTimes: Admission = {
  name: 'DeviceTaintTimes',
  handles: ({ kind }, operation) => kind === (resourceSlice as unknown) && operation !== 'delete',
  admit({ object, context }) {
    const { spec } = object as ResourceSlice;
    const taints = (spec.devices ?? []).flatMap((device) => device.taints ?? []);
    for (const taint of taints) taint.timeAdded ??= formatTime(context.nowMs);
  },
};
