import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * Four projects, run together by `npm test`:
 * - unit: modules of src/ by themselves, in one thread, no build needed
 * - contract: one suite per interface, run over every implementation of it
 * - integration: the built package (dist/), used as a customer uses it: threads, files, processes
 * - tidy: the rules of the house
 */
const root = fileURLToPath(new URL('.', import.meta.url));
const shared = {
  root,
  resolve: { alias: { sealdisk: `${root}dist/src/index.js` } },
};
/** The built package is loaded by Node itself, as a customer's process loads it. */
const server = { deps: { external: [/\/dist\//] } };

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
    coverage,
    projects: [
      {
        ...shared,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000, server },
      },
      {
        ...shared,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 120_000,
          server,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['integration', 'custody', 'soak'].map(
            (folder) => `test/${folder}/**/*.test.ts`,
          ),
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
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
          server,
        },
      },
    ],
  },
});
