/**
 * ExportImage over the real metadata, KMS and files; the volume of the image's snapshot holds what
 * CONTENT says.
 */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { expect, vi } from 'vitest';
import type { PlaneError } from '../../src/base/errors.ts';
import { callVerb } from '../../src/control/call.ts';
import {
  type ExportFiles,
  exportFilesIn,
  type OpenFile,
} from '../../src/control/jobs/export-files.ts';
import { TaskRunner } from '../../src/control/jobs/task-runner.ts';
import type { VolumeReader } from '../../src/control/jobs/task-work.ts';
import type { TaskDescription } from '../../src/control/verbs.ts';
import type { TaskRecord } from '../../src/record/document.ts';
import { type Caller, type ControlWorld, controlWorld } from './control-world.ts';
import { expectBytes } from './expect-bytes.ts';
import { tempDir } from './temp-dir.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
export const SIZE = 2 * GIB;
export const BUCKET = 'my-bucket';

const temporary: Disposable[] = [];

/** A directory of its own until removeDirectories(). */
export function ownDirectory(): string {
  const folder = tempDir();
  temporary.push(folder);
  return folder.path;
}

export function removeDirectories(): void {
  for (const each of temporary.splice(0)) each[Symbol.dispose]();
}

/** What the snapshot's volume holds: bytes by their offset, holes between. */
const CONTENT: readonly (readonly [number, Uint8Array])[] = [
  [4096, bytesOf(3 * MIB, 1)],
  [GIB, bytesOf(4096, 2)],
  [SIZE - 4096, bytesOf(4096, 3)],
];

function bytesOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 0xff);
}

export interface ExportWorld {
  readonly call: Caller;
  readonly world: ControlWorld;
  readonly directory: string;
  readonly ImageId: string;
  readonly SnapshotId: string;
  readonly KMSKeyId: string;
  /** Refuses the next read, or the next opening. */
  readonly failNext: { read: PlaneError | null; open: PlaneError | null };
  readonly seen: string[];
  /** A runner of the same records, as after a restart. */
  readonly restart: (files?: ExportFiles | null) => Promise<TaskRunner>;
  readonly runner: () => TaskRunner;
  readonly task: (taskId: string) => TaskRecord;
}

export async function exportWorld(
  options: { kind?: 'plain' | 'user'; openFile?: OpenFile; isMemory?: boolean } = {},
): Promise<ExportWorld> {
  const { kind = 'plain', openFile, isMemory = false } = options;
  const world = await controlWorld();
  const directory = `${ownDirectory()}/export`;
  const failNext: ExportWorld['failNext'] = { read: null, open: null };
  const seen: string[] = [];
  const usual = isMemory ? null : exportFilesIn(directory, openFile);
  const makeRunner = (files: ExportFiles | null): TaskRunner =>
    new TaskRunner({
      ...world.control.context,
      exportFiles: files,
      taskVolumes: {
        openReencryption: () => Promise.reject(new Error('nothing is re-encrypted here')),
        dropLowerLayers: async () => {},
        openReader: async ({ diskId }) => {
          const refusal = failNext.open;
          failNext.open = null;
          if (refusal !== null) throw refusal;
          seen.push(`open ${diskId.slice(0, 2)}`);
          return contentReader(failNext, seen);
        },
      },
    });
  let runner = makeRunner(usual);
  const { SnapshotId, KMSKeyId } = await world.snapshotOf(kind);
  const { context } = world.control;
  const principal = context.principal;
  const call: Caller = (verb, parameters) =>
    callVerb({ ...context, tasks: runner }, principal, verb, parameters);
  const { ImageId } = await call('CreateImage', { SnapshotId });
  const restart = async (files = usual): Promise<TaskRunner> => {
    await runner.close();
    runner = makeRunner(files);
    await runner.start();
    return runner;
  };
  const task = (taskId: string) => context.metadata.getDocument('task', taskId)!;
  const made = { call, world, directory, ImageId, SnapshotId, KMSKeyId, failNext, seen };
  return { ...made, restart, runner: () => runner, task };
}

function contentReader(failNext: ExportWorld['failNext'], seen: string[]): VolumeReader {
  return {
    read: async (offset, into) => {
      await new Promise(setImmediate);
      const refusal = failNext.read;
      failNext.read = null;
      if (refusal !== null) throw refusal;
      seen.push(`read ${offset}`);
      into.fill(0);
      for (const [at, bytes] of CONTENT) {
        const from = Math.max(at, offset);
        const to = Math.min(at + bytes.length, offset + into.length);
        if (from < to) into.set(bytes.subarray(from - at, to - at), from - offset);
      }
      return into;
    },
    allocation: async (offset, length) => {
      const extents: { length: number; isHole: boolean }[] = [];
      let at = offset;
      const add = (to: number, isHole: boolean): void => {
        if (to > at) extents.push({ length: to - at, isHole });
        at = Math.max(at, to);
      };
      for (const [start, bytes] of CONTENT) {
        add(start, true);
        add(start + bytes.length, false);
        // An answer is in part: the rest is asked for again.
        if (extents.length >= 2) return extents;
      }
      add(offset + length, true);
      return extents;
    },
    close: async () => void seen.push('close'),
  };
}

export async function until(world: ExportWorld, taskId: string, state: string): Promise<void> {
  await vi.waitFor(() => expect(world.task(taskId).state).toBe(state), { timeout: 20_000 });
}

export async function describeTask(
  { call }: ExportWorld,
  TaskId: string,
): Promise<TaskDescription> {
  const { Tasks } = await call('DescribeTasks', { TaskIds: [TaskId] });
  return Tasks[0]!;
}

export function files(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.includes('/'));
}

/** The exported file is the content, byte for byte, and no larger on disk than it has to be. */
export function expectExported(path: string): void {
  const found = statSync(path);
  expect(found.size).toBe(SIZE);
  expect(found.mode & 0o777).toBe(0o600);
  // Blocks of 512 bytes: no more than what was written, and what a file system needs for itself.
  expect(found.blocks * 512).toBeLessThan(8 * MIB);
  const file = openSync(path, 'r');
  const chunk = new Uint8Array(8 * MIB);
  // Around what there is: that the rest is holes, the blocks say.
  const starts = CONTENT.map(([from]) => from - (from % chunk.length));
  for (const at of [...starts, 512 * MIB]) {
    readSync(file, chunk, 0, chunk.length, at);
    const expected = new Uint8Array(chunk.length);
    for (const [from, bytes] of CONTENT) {
      // No content spans two chunks.
      if (from >= at && from < at + chunk.length) expected.set(bytes, from - at);
    }
    expectBytes(chunk, expected);
  }
  closeSync(file);
}
