import { startCluster } from '@periplus/testing';
import { expect, it } from 'vitest';

it('clusters that start at the same moment have ports of their own, and come up', async () => {
  const starting = [startCluster(1), startCluster(1)];
  const started = await Promise.allSettled(starting);
  try {
    const clusters = await Promise.all(starting);
    const ports = clusters.flatMap(({ settings }) => Object.values(settings.ports));
    expect(new Set(ports).size).toBe(ports.length);
    for (const cluster of clusters) {
      expect(await cluster.kubectl('get', 'nodes', '-o', 'name')).toMatch(/^node\/\S+\n$/);
    }
  } finally {
    for (const one of started) if (one.status === 'fulfilled') await one.value[Symbol.asyncDispose]();
  }
});
