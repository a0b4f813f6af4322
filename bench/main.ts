/**
 * `npm run bench [-- NAME...]`: measures, and prints JSON: the machine, and each figure with its bar. Ratios are
 * between things measured in turn within one run, since machines are shared and noisy.
 */
import { cpus, release, totalmem } from 'node:os';
import type { Figure } from './figure.ts';
import { applies } from './figures/applies.ts';
import { decisions } from './figures/decisions.ts';
import { lists } from './figures/lists.ts';
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
  start,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(`bench: no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}

const figures: Figure[] = [];
const failures: Record<string, string> = {};
for (const [name, measure] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = performance.now();
  console.error(`bench: ${name} ...`);
  try {
    figures.push(...(await measure()));
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
