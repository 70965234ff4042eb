import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * Five projects, run together by `npm test`:
 * - unit: modules of src/ by themselves, in one thread, no build needed
 * - contract: one suite per interface, run over every implementation of it
 * - integration: the built package (dist/), used as a customer uses it: threads, files, processes
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

export default defineConfig({
  test: {
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
          include: ['test/integration/**/*.test.ts', 'test/custody/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
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
