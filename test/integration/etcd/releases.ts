import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StartEtcdOptions } from '@periplus/testing';
import { describe } from 'vitest';

const secondFolder =
  process.env.PERIPLUS_SECOND_ETCD_BIN_DIR ?? join(import.meta.dirname, '../../../.cache/second-etcd');

/** Runs the tests against the etcd of this machine and, where `scripts/second-etcd.sh` could fetch one, a newer release. */
export function describeReleases(tests: (options: StartEtcdOptions) => void): void {
  describe('with the default etcd', () => tests({}));
  if (existsSync(join(secondFolder, 'etcd')))
    describe('with a second etcd', () => tests({ binaryFolder: secondFolder }));
  else
    describe.skip(`with a second etcd: there is none in ${secondFolder}, see scripts/second-etcd.sh`, () => tests({}));
}
