/**
 * `npm run check`: format, lint, types, layers, dead code. Each step is also proven to have read the code.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const planted = join(root, 'scripts/planted-violations');
const failures: string[] = [];

interface Outcome {
  ok: boolean;
  stdout: string;
  output: string;
}

function run(command: string, args: string[], cwd = root): Outcome {
  const result = spawnSync(join(root, 'node_modules/.bin', command), args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return { ok: result.status === 0, stdout: result.stdout, output: result.stdout + result.stderr };
}

function step(name: string, check: () => string | undefined): void {
  const started = performance.now();
  const failure = check();
  console.log(`${failure ? 'FAIL' : 'ok  '} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!failure) return;
  failures.push(name);
  console.log(failure.trimEnd().replace(/^/gm, '     '));
}

const sources = globSync('{libs,apps}/*/src/**/*.ts', { cwd: root });

interface Cruise {
  modules: { source: string }[];
  summary: { violations: { from: string; to: string; rule: { name: string } }[] };
}

function cruise(cwd: string, folders: string[]): Cruise | string {
  const config = join(root, '.dependency-cruiser.cjs');
  const { stdout, output } = run('depcruise', ['--config', config, '--output-type', 'json', ...folders], cwd);
  try {
    return JSON.parse(stdout) as Cruise;
  } catch {
    return output;
  }
}

step('format and lint', () => {
  const { ok, output } = run('biome', ['ci', '--colors=off', '--diagnostic-level=warn', '--error-on-warnings', '.']);
  if (!ok) return `${output}\nMend what can be mended with: npm run format`;
  const read = Number(/Checked (\d+) files/.exec(output)?.[1] ?? 0);
  return read < sources.length ? `read ${read} files of at least ${sources.length}` : undefined;
});

step('types', () => {
  const { ok, output } = run('tsc', ['--project', '.', '--listFiles']);
  if (!ok)
    return output
      .split('\n')
      .filter((line) => line.includes('error TS'))
      .join('\n');
  const missed = sources.filter((file) => !output.includes(file));
  return missed.length > 0 ? `not read: ${missed.join(', ')}` : undefined;
});

step('layers', () => {
  const result = cruise(
    root,
    ['libs', 'apps', 'test', 'bench', 'scripts'].filter((folder) => existsSync(join(root, folder))),
  );
  if (typeof result === 'string') return result;
  const { violations } = result.summary;
  if (violations.length > 0) return violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).join('\n');
  const read = new Set(result.modules.map((module) => module.source));
  const missed = sources.filter((file) => !read.has(file));
  return missed.length > 0 ? `not read: ${missed.join(', ')}` : undefined;
});

step('layers: every rule catches its planted violation', () => {
  const rules: { name: string }[] = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')).forbidden;
  const result = cruise(planted, ['libs', 'apps']);
  if (typeof result === 'string') return result;
  const caught = new Set(result.summary.violations.map((violation) => violation.rule.name));
  const perLayer = 'looks-down-only';
  const expected = new Set(rules.map(({ name }) => (name.endsWith(perLayer) ? `apimachinery-${perLayer}` : name)));
  const blind = [...expected].filter((name) => !caught.has(name));
  return blind.length > 0 ? `these rules saw nothing: ${blind.join(', ')}` : undefined;
});

step('dead code', () => {
  const { ok, output } = run('knip', ['--no-progress']);
  return ok ? undefined : output;
});

if (failures.length > 0) {
  console.log(`\ncheck failed: ${failures.join(', ')}`);
  process.exit(1);
}
console.log('\ncheck passed');
