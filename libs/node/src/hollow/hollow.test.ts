import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../pod/pod-types.ts';
import { AddressPool, nodeCidr, nodesThatFit } from './address-pool.ts';
import { nextStage, STAGES } from './stages.ts';

const testdata = join(import.meta.dirname, 'testdata');
const context = { nowMs: Date.UTC(2026, 10, 21, 12), hostAddress: '10.128.0.1', podAddress: '10.128.0.2' };
const delays = { readyMs: 100, completeMs: 1_000, stopMs: 5_000 };

/** Run with UPDATE_GOLDEN=1 to write the outputs anew, and read the difference. */
describe('the stages of a pod', () => {
  const inputs = readdirSync(testdata).filter((name) => name.endsWith('.input.json'));

  it.each(inputs)('%s', (name) => {
    const pod = JSON.parse(readFileSync(join(testdata, name), 'utf8')) as Pod;
    const stage = nextStage(pod);
    const output = {
      stage: stage?.name ?? null,
      ...(stage && { delayMs: stage.delay(pod, delays), effect: stage.effect(pod, context) }),
    };
    const golden = join(testdata, name.replace('.input.json', '.output.json'));
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, `${JSON.stringify(output, null, 2)}\n`);
    expect(output).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
  });

  it('all have a pair of files', () => {
    expect(STAGES.map(({ name }) => name).filter((name) => !inputs.includes(`${name}.input.json`))).toEqual([]);
  });
});

describe('AddressPool', () => {
  it('gives each address once, until it is given back', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('take' as const), fc.nat(300)), { maxLength: 600 }), (steps) => {
        const pool = new AddressPool('10.128.3.0/24');
        const taken: string[] = [];
        for (const step of steps) {
          if (step === 'take') {
            const address = pool.take();
            if (taken.length === 253) expect(address).toBe('');
            else {
              expect(address).toMatch(/^10\.128\.3\.\d+$/);
              expect(taken).not.toContain(address);
              taken.push(address);
            }
          } else if (taken.length > 0) pool.giveBack(taken.splice(step % taken.length, 1)[0]!);
        }
      }),
    );
  });

  it('leaves out what a pod has already', () => {
    const pool = new AddressPool('10.128.3.0/24');
    pool.keep('10.128.3.2');
    expect(pool.take()).toBe('10.128.3.3');
  });

  it('has a range for each node', () => {
    expect([nodeCidr('10.128.0.0/9', 0), nodeCidr('10.128.0.0/9', 300)]).toEqual(['10.128.0.0/24', '10.129.44.0/24']);
    expect([nodesThatFit('10.128.0.0/9'), nodesThatFit('10.0.0.0/24'), nodesThatFit('10.0.0.0/30')]).toEqual([
      32_768, 1, 0,
    ]);
  });
});
