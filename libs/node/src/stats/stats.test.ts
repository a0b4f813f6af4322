import { describe, expect, it } from 'vitest';
import { LABEL } from '../pod/container-names.ts';
import { readMachineUse, workingSetOf } from './machine-use.ts';
import { type Reading, summaryOf, UsageMeter } from './usage-meter.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const MIB = 1024 * 1024;

const container = (id: string, atMs: number, cpuSeconds: number, pod = 'p') => ({
  ...{ id, name: id, atMs, cpuNanoSeconds: cpuSeconds * 1e9, workingSetBytes: 5 * MIB },
  labels: { [LABEL.podUid]: `uid-${pod}`, [LABEL.podName]: pod, [LABEL.podNamespace]: 'd' },
});
const reading = (atMs: number, cpuSeconds: number, ...containers: Reading['containers']): Reading => ({
  ...{ atMs, containers },
  machine: { cpuNanoSeconds: cpuSeconds * 1e9, workingSetBytes: 100 * MIB },
});

describe('the summary of a node', () => {
  it('gives rates between two readings, of the node and of each container', () => {
    const before = reading(START_MS, 100, container('a', START_MS, 1));
    const later = START_MS + 10_000;
    // The runtime reads each counter at a moment of its own.
    const summary = summaryOf('n', reading(later, 115, container('a', later + 500, 3.1)), before)!;
    expect(summary.windowMs).toBe(10_000);
    expect(summary.node.cpu).toEqual({
      time: '2026-01-01T00:00:10Z',
      usageNanoCores: 1.5e9,
      usageCoreNanoSeconds: 115e9,
    });
    expect(summary.node.memory.workingSetBytes).toBe(100 * MIB);
    expect(summary.pods).toHaveLength(1);
    expect(summary.pods[0]!.podRef).toEqual({ name: 'p', namespace: 'd', uid: 'uid-p' });
    expect(summary.pods[0]!.containers[0]!.cpu!.usageNanoCores).toBe(2e8);
    expect(summary.pods[0]!.containers[0]!.memory!.workingSetBytes).toBe(5 * MIB);
  });

  it('knows no rate of a container that is new, or was not read again', () => {
    const old = container('a', START_MS, 1);
    const before = reading(START_MS, 1, old);
    const summary = summaryOf('n', reading(START_MS + 10_000, 2, old, container('b', START_MS + 9_000, 1)), before)!;
    expect(summary.pods[0]!.containers).toEqual([{ name: 'a' }, { name: 'b' }]);
  });

  it('is there from the second reading on', () => {
    const meter = new UsageMeter('n');
    meter.add(reading(START_MS, 1));
    expect(meter.summary).toBeNull();
    meter.add(reading(START_MS + 10_000, 2));
    expect(meter.summary?.node.cpu.usageNanoCores).toBe(1e8);
  });
});

describe('the use of the machine', () => {
  it('counts no memory that is free or holds files that nobody reads', () => {
    const meminfo = 'MemTotal:  1000 kB\nMemFree:  300 kB\nInactive:  500 kB\nInactive(file):     200 kB\n';
    expect(workingSetOf(meminfo)).toBe(500 * 1024);
  });

  it('is read from this one', () => {
    const { cpuNanoSeconds, workingSetBytes } = readMachineUse();
    expect(cpuNanoSeconds).toBeGreaterThan(0);
    expect(workingSetBytes).toBeGreaterThan(MIB);
  });
});
