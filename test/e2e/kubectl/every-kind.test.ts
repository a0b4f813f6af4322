import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

const SAMPLES = readFileSync(join(import.meta.dirname, 'testdata/every-kind.yaml'), 'utf8').split('---\n');
/** These are other views of a kind that has a sample. */
const VIEWS = ['autoscaling/v1 HorizontalPodAutoscaler', 'events.k8s.io/v1 Event'];

/** Patches replace their selector or requests as a whole, so kubectl sends one each time, on Kubernetes too. */
const ALWAYS_CONFIGURED = [
  'policy/v1 PodDisruptionBudget',
  'resource.k8s.io/v1 ResourceClaim',
  'resource.k8s.io/v1 ResourceClaimTemplate',
];

const kindOf = (sample: string): string =>
  `${/^apiVersion: (.*)$/m.exec(sample)![1]} ${/^kind: (.*)$/m.exec(sample)![1]}`;

describe('kubectl and every kind', () => {
  let shell: Shell;
  let served: string[];
  beforeAll(async () => {
    shell = await Shell.start('every');
    const rows = (await shell.ok('api-resources --verbs=create,get --no-headers')).trim().split('\n');
    served = rows.map((row) => / (\S+) +(?:true|false) +(\S+)$/.exec(row)!.slice(1).join(' '));
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('has a sample of each kind that is served', () => {
    const known = [...SAMPLES.map(kindOf), ...VIEWS];
    expect(served.filter((kind) => !known.includes(kind))).toEqual([]);
  });

  it.each(SAMPLES.map((sample) => [kindOf(sample), sample]))(
    'applies a %s, finds it as it was, prints and describes it, and deletes it',
    async (kind, sample) => {
      if (!served.includes(kind)) return;
      const path = shell.file('sample.yaml', sample);
      expect(await shell.ok(`apply -f ${path}`)).toMatch(/ created\n$/);
      const again = ALWAYS_CONFIGURED.includes(kind) ? 'configured' : 'unchanged';
      expect(await shell.ok(`apply -f ${path}`)).toMatch(new RegExp(` ${again}\n$`));
      expect(await shell.ok(`diff -f ${path}`)).toBe('');
      expect(await shell.ok(`get -f ${path} -o wide`)).toMatch(/^[A-Z ()-]+\n.+\n$/);
      expect(await shell.ok(`get -f ${path} -o yaml`)).toContain('uid: ');
      expect(await shell.ok(`describe -f ${path}`)).toMatch(/^Name: +\S+\n/);
      expect(await shell.ok(`delete -f ${path} --grace-period=1 --timeout=60s`)).toMatch(/ deleted/);
    },
  );
});
