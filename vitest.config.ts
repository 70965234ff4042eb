import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { plantedBugs } from './test/sim/plant.ts';

/**
 * Six projects, run together by `npm test`:
 * - unit: modules of src/ by themselves, in one thread, no build needed
 * - contract: one suite per interface, run over every implementation of it
 * - integration: the built package (dist/), used as a customer uses it: threads, files, processes
 * - sim: whole planes in simulated time, from seeds
 * - torture: planes in processes of their own, killed and starved; built by the package's build
 * - tidy: the rules of the house
 */
const root = fileURLToPath(new URL('.', import.meta.url));
const shared = {
  root,
  resolve: { alias: { sealdisk: `${root}dist/src/index.js` } },
};
/** The built package is loaded by Node itself, as a customer's process loads it. */
const server = { deps: { external: [/\/dist\//] } };

/** Where random tests begin. */
const setupFiles = ['./test/support/properties.setup.ts'];

/** Building a fixture takes long on a machine that does something else, too. */
const hookTimeout = 60_000;

/** `npm run coverage`: the folders where a branch nobody took may lose data or a key. */
const COVERED = ['segment', 'shard', 'cipher', 'kms'] as const;
const coverage = {
  provider: 'v8' as const,
  include: COVERED.map((folder) => `src/${folder}/**/*.ts`),
  reporter: ['text', 'json-summary'],
  reportsDirectory: 'coverage',
  thresholds: Object.fromEntries(
    COVERED.map((folder) => [`src/${folder}/**/*.ts`, { branches: 95 }]),
  ),
};

export default defineConfig({
  test: {
    // Files of integration and of torture run one at a time, beside those of other projects.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage,
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          setupFiles,
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout,
          server,
        },
      },
      {
        ...shared,
        test: {
          name: 'contract',
          setupFiles,
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout,
          server,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          setupFiles,
          include: ['integration', 'custody', 'soak'].map(
            (folder) => `test/${folder}/**/*.test.ts`,
          ),
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout,
          server,
        },
      },
      {
        ...shared,
        plugins: [plantedBugs()],
        test: {
          name: 'sim',
          include: ['test/sim/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout,
          server,
        },
      },
      {
        ...shared,
        test: {
          name: 'torture',
          include: ['test/torture/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          maxConcurrency: 2,
          testTimeout: 300_000,
          hookTimeout,
          server,
        },
      },
      {
        ...shared,
        test: {
          name: 'tidy',
          // The rules only read: they share the compiler and the tree.
          isolate: false,
          include: ['test/tidy/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout,
          server,
        },
      },
    ],
  },
});
