import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { runDemo } from '../../../src/cli/demo.ts';
import type { OpenPlane } from '../../../src/cli/load-targets.ts';
import { type PlaneDouble, planeDouble } from '../load/doubles.ts';
import { terminalDouble } from './doubles.ts';

let directory = '';
afterEach(() => {
  if (directory !== '') rmSync(directory, { recursive: true, force: true });
  directory = '';
});

/** A double that stores plain disks as they are and encrypted ones changed, in one file. */
function storing(change: (bytes: Uint8Array) => Uint8Array): {
  open: OpenPlane;
  double: PlaneDouble;
} {
  const double = planeDouble();
  return {
    double,
    open: async ({ dataDir }) => {
      directory = dataDir!;
      mkdirSync(join(dataDir!, 'segments'), { recursive: true });
      double.onStored = (bytes, encrypted) =>
        appendFileSync(join(dataDir!, 'segments', '0'), encrypted ? change(bytes) : bytes);
      return double.plane;
    },
  };
}

const scrambled = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0x5a);

interface DemoDocument {
  readonly ok: boolean;
  readonly steps: { step: string; isOk: boolean; detail: string }[];
}

async function demo(open: OpenPlane): Promise<{ code: number; document: DemoDocument }> {
  const terminal = terminalDouble();
  const code = await runDemo({ json: true }, open, terminal);
  expect(terminal.printed).toHaveLength(1);
  return { code, document: JSON.parse(terminal.printed[0]!) as DemoDocument };
}

test('a right plane passes every check, and the temporary directory is removed', async () => {
  const { code, document } = await demo(storing(scrambled).open);
  expect(document.steps.filter(({ isOk }) => !isOk)).toEqual([]);
  expect([code, document.ok, document.steps.length]).toEqual([0, true, 14]);
  expect(document.steps.find(({ step }) => /encrypted disk's text/.test(step))!.detail).toMatch(
    /^0 hits in 1 files, \d{6} bytes$/,
  );
  expect(existsSync(directory)).toBe(false);
});

test('for people there is a line a check', async () => {
  const terminal = terminalDouble();
  expect(await runDemo({}, storing(scrambled).open, terminal)).toBe(0);
  expect(terminal.printed).toHaveLength(14);
  expect(terminal.printed.every((line) => /^ok {4}\S.*: .*\n$/.test(line))).toBe(true);
});

test("a directory of one's own is kept", async () => {
  const own = mkdtempSync(join(tmpdir(), 'sealdisk-test-'));
  await runDemo({ dataDir: own }, storing(scrambled).open, terminalDouble());
  expect(readdirSync(own)).toEqual(['segments']);
});

test('plaintext on disk fails the search', async () => {
  const { code, document } = await demo(storing((bytes) => bytes).open);
  const failed = document.steps.filter(({ isOk }) => !isOk);
  expect(failed.map(({ step }) => step)).toEqual([
    "search every file for the encrypted disk's text",
  ]);
  expect(failed[0]!.detail).not.toMatch(/^0 hits/);
  expect([code, document.ok]).toEqual([1, false]);
});

test('plaintext over the edge of a chunk is found too', async () => {
  const edge = (bytes: Uint8Array): Uint8Array =>
    Buffer.concat([Buffer.alloc(2 ** 20 - 262_144 - 20), bytes.subarray(0, 100)]);
  const { document } = await demo(storing(edge).open);
  expect(document.steps.find(({ step }) => /encrypted disk's text/.test(step))!.isOk).toBe(false);
});

test('a search that finds nothing at all proves nothing', async () => {
  const { open, double } = storing(scrambled);
  const { document } = await demo(async (options) => {
    const plane = await open(options);
    double.onStored = () => {};
    return plane;
  });
  expect(document.steps.filter(({ isOk }) => !isOk)).toHaveLength(2);
});

test('a key that is disabled and not heeded fails the check', async () => {
  const { open, double } = storing(scrambled);
  double.isKeyChecked = false;
  const { document } = await demo(open);
  expect(document.steps.filter(({ isOk }) => !isOk)).toEqual([
    { step: 'detach, attach: refused', isOk: false, detail: 'it was not refused' },
  ]);
});

test('wrong bytes fail the checks that read', async () => {
  const { open, double } = storing(scrambled);
  double.corrupt = (bytes) => void bytes.fill(0, 0, 1);
  const { code, document } = await demo(open);
  expect(code).toBe(1);
  expect(document.steps.filter(({ isOk }) => !isOk).length).toBeGreaterThanOrEqual(5);
});

test('what goes wrong otherwise is thrown, and the directory removed', async () => {
  const { open } = storing(scrambled);
  const failing: OpenPlane = async (options) => {
    const plane = await open(options);
    return { ...plane, check: () => Promise.reject(new PlaneError('ReadFailed', 'gone')) };
  };
  await expect(runDemo({}, failing, terminalDouble())).rejects.toThrow('ReadFailed: gone');
  expect(existsSync(directory)).toBe(false);
});
