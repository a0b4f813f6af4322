import { describe, expect, it } from 'vitest';
import { aPodWith, created } from '../testing/objects.ts';
import { pod } from './pod.ts';

describe('quality of service', () => {
  const both = { cpu: '1', memory: '1Gi' };
  it.each([
    [{}, 'BestEffort'],
    [{ requests: { cpu: '0' } }, 'BestEffort'],
    [{ requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } }, 'BestEffort'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ limits: both }, 'Guaranteed'],
    [{ limits: both, requests: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
    [{ limits: both, requests: { cpu: '500m' } }, 'Burstable'],
  ])('of %j is %s', (resources, qosClass) => {
    expect(created(pod, aPodWith({ resources })).status?.qosClass).toBe(qosClass);
  });
});
