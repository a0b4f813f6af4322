/**
 * `npm run bench [-- NAME...]`: measures, and prints JSON: the machine, and each figure with its bar. Ratios are
 * between things measured in turn within one run, since machines are shared and noisy. `NAME` alone stands for all
 * cases called `NAME/...` too.
 */
import { cpus, release, totalmem } from 'node:os';
import type { Figure } from './figure.ts';
import { applies } from './figures/applies.ts';
import { controllers } from './figures/controllers.ts';
import { decisions } from './figures/decisions.ts';
import { lists } from './figures/lists.ts';
import { scheduler } from './figures/scheduler.ts';
import { scheduling } from './figures/scheduling.ts';
import { start } from './figures/start.ts';
import { watches } from './figures/watches.ts';
import { writes } from './figures/writes.ts';

const benchmarks: Record<string, () => Promise<Figure[]>> = {
  writes,
  applies,
  lists,
  watches,
  decisions,
  scheduling,
  ...scheduler,
  ...controllers,
  start,
};

const wanted = process.argv.slice(2);
const isMeant = (name: string, by: string): boolean => name === by || name.startsWith(`${by}/`);
const unknown = wanted.filter((by) => !Object.keys(benchmarks).some((name) => isMeant(name, by)));
if (unknown.length > 0) {
  console.error(`bench: no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}

const figures: Figure[] = [];
const failures: Record<string, string> = {};
for (const [name, measure] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.some((by) => isMeant(name, by))) continue;
  const started = performance.now();
  console.error(`bench: ${name} ...`);
  try {
    const measured = await measure();
    figures.push(...measured);
    for (const { figure, value, unit, bar } of measured)
      console.error(`bench: ${figure}: ${value} ${unit}${bar ? ` (${bar})` : ''}`);
  } catch (error) {
    failures[name] = (error as Error).stack ?? String(error);
  }
  console.error(`bench: ${name} took ${Math.round((performance.now() - started) / 1000)} s`);
}

const machine = {
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
};
console.log(JSON.stringify({ date: new Date().toISOString(), machine, figures, failures }, null, 2));
process.exit(Object.keys(failures).length > 0 ? 1 : 0);
