import { describe, expect, it } from 'vitest';
import { podLimits, podRequests } from './pod-resources.ts';

const asks = (name: string, cpu: string, more = {}) => ({
  name,
  resources: { requests: { cpu }, limits: { cpu } },
  ...more,
});
const sidecar = { restartPolicy: 'Always' };

describe('what a pod asks for', () => {
  it.each<[string, Parameters<typeof podRequests>[0], string]>([
    ['is the sum of its containers', { containers: [asks('a', '1'), asks('b', '500m')] }, '1500m'],
    ['or its largest init container', { containers: [asks('a', '1')], initContainers: [asks('i', '2')] }, '2'],
    [
      'with the sidecars that run by then',
      { containers: [asks('a', '1')], initContainers: [asks('s', '1', sidecar), asks('i', '2')] },
      '3',
    ],
    [
      'but not those that start later',
      { containers: [asks('a', '1')], initContainers: [asks('i', '2'), asks('s', '500m', sidecar)] },
      '2',
    ],
    [
      'unless it says so itself',
      { containers: [asks('a', '1')], resources: { requests: { cpu: '4' }, limits: { cpu: '4' } } },
      '4',
    ],
    ['and overhead', { containers: [asks('a', '1')], overhead: { cpu: '250m' } }, '1250m'],
  ])('%s', (_what, spec, cpu) => {
    expect(String(podRequests(spec).get('cpu'))).toBe(cpu);
    expect(String(podLimits(spec).get('cpu'))).toBe(cpu);
  });

  it('has no limit where there is none, whatever the overhead', () => {
    const spec = { containers: [{ name: 'a' }], overhead: { cpu: '1' } };
    expect([podLimits(spec).has('cpu'), String(podRequests(spec).get('cpu'))]).toEqual([false, '1']);
  });
});
