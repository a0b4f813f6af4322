import { defineConfig } from 'vitest/config';

/**
 * Three projects, one after the other, each with as many workers as it can have: `unit` sits beside the code and needs
 * nothing but Node; `integration` starts a real etcd; `e2e` starts whole clusters and real containers, one file at a time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 1 },
          include: ['libs/**/*.test.ts', 'apps/**/*.test.ts', 'scripts/*.test.ts'],
          // Properties try many cases, and a busy machine is no failure.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 2 },
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // What is waited for comes, however busy the machine is.
          expect: { poll: { timeout: 20_000 } },
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 3 },
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          maxWorkers: 1,
        },
      },
    ],
  },
});
