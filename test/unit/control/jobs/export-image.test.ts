/** ExportImage and its task, over the real metadata, KMS and files; volumes are what a test says. */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PlaneError } from '../../../../src/base/errors.ts';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import { callVerb } from '../../../../src/control/call.ts';
import {
  type ExportFiles,
  exportFilesIn,
  type OpenFile,
} from '../../../../src/control/jobs/export-files.ts';
import { TaskRunner } from '../../../../src/control/jobs/task-runner.ts';
import type { VolumeReader } from '../../../../src/control/jobs/task-work.ts';
import type { TaskDescription } from '../../../../src/control/verbs.ts';
import type { TaskRecord } from '../../../../src/record/document.ts';
import {
  type Caller,
  type ControlWorld,
  codeOf,
  controlWorld,
  OWNER,
} from '../../../support/control-world.ts';
import { expectBytes } from '../../../support/expect-bytes.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const SIZE = 2 * GIB;
const BUCKET = 'my-bucket';

const temporary: Disposable[] = [];
afterEach(() => {
  for (const each of temporary.splice(0)) each[Symbol.dispose]();
});

/** What the snapshot's volume holds: bytes by their offset, holes between. */
const CONTENT: readonly (readonly [number, Uint8Array])[] = [
  [4096, bytesOf(3 * MIB, 1)],
  [GIB, bytesOf(4096, 2)],
  [SIZE - 4096, bytesOf(4096, 3)],
];

function bytesOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 0xff);
}

interface ExportWorld {
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

async function exportWorld(
  options: { kind?: 'plain' | 'user'; openFile?: OpenFile; isMemory?: boolean } = {},
): Promise<ExportWorld> {
  const { kind = 'plain', openFile, isMemory = false } = options;
  const world = await controlWorld();
  const folder = tempDir();
  temporary.push(folder);
  const directory = `${folder.path}/export`;
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

async function until(world: ExportWorld, taskId: string, state: string): Promise<void> {
  await vi.waitFor(() => expect(world.task(taskId).state).toBe(state), { timeout: 20_000 });
}

async function describeTask({ call }: ExportWorld, TaskId: string): Promise<TaskDescription> {
  const { Tasks } = await call('DescribeTasks', { TaskIds: [TaskId] });
  return Tasks[0]!;
}

function files(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.includes('/'));
}

/** The exported file is the content, byte for byte, and no larger on disk than it has to be. */
function expectExported(path: string): void {
  const found = statSync(path);
  expect(found.size).toBe(SIZE);
  expect(found.mode & 0o777).toBe(0o600);
  // Blocks of 512 bytes: no more than what was written, and what a file system needs for itself.
  expect(found.blocks * 512).toBeLessThan(8 * MIB);
  const file = openSync(path, 'r');
  const chunk = new Uint8Array(64 * MIB);
  for (let at = 0; at < SIZE; at += chunk.length) {
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

describe('ExportImage', () => {
  it('writes the image whole, sparse, for its owner alone, and says how far it is', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory } = world;
    const asked = { ImageId, OSSBucket: BUCKET, OSSPrefix: 'nightly' };
    const { TaskId, RegionId } = await call('ExportImage', asked);
    expect(RegionId).toBe('cn-hangzhou');
    await until(world, TaskId, 'finished');
    const name = `${BUCKET}/nightly${ImageId}.raw`;
    expect(files(directory)).toEqual([name]);
    expectExported(`${directory}/${name}`);
    expect(await describeTask(world, TaskId)).toMatchObject({
      TaskAction: 'ExportImage',
      TaskStatus: 'Finished',
      ResourceId: ImageId,
      DoneBytes: SIZE,
      TotalBytes: SIZE,
      Code: '',
    });
    expect(world.seen.at(0)).toBe('open t-');
    expect(world.seen.at(-1)).toBe('close');
    // Again, over the one there is.
    const again = await call('ExportImage', asked);
    await until(world, again.TaskId, 'finished');
    expect(files(directory)).toEqual([name]);
  }, 60_000);

  it('goes on after a restart where the file is on stable storage, and anew without it', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory } = world;
    const paced = { ImageId, OSSBucket: BUCKET, BytesPerSecond: 256 * 1024 };
    const { TaskId } = await call('ExportImage', paced);
    await vi.waitFor(() => expect(world.seen.length).toBeGreaterThan(1));
    await world.runner().close();
    const { doneSectors, totalSectors } = world.task(TaskId);
    expect(doneSectors).toBeGreaterThan(0);
    expect(doneSectors).toBeLessThan(totalSectors);
    expect(files(directory)).toEqual([`${BUCKET}/${ImageId}.raw.${TaskId}.partial`]);
    world.seen.length = 0;
    await world.restart();
    await vi.waitFor(() => expect(world.seen).toContain(`read ${doneSectors * 4096}`));
    expect(world.seen).not.toContain('read 4096');
    // Cut short by somebody: it is not what was begun.
    await world.runner().close();
    truncateSync(`${directory}/${files(directory)[0]}`, 4096);
    world.seen.length = 0;
    const runner = await world.restart();
    await vi.waitFor(() => expect(world.seen).toContain('read 4096'));
    await runner.resume(TaskId, 0).catch(() => {});
    await runner.pause(TaskId);
    await runner.resume(TaskId, 0);
    await until(world, TaskId, 'finished');
    expectExported(`${directory}/${BUCKET}/${ImageId}.raw`);
  }, 60_000);

  it('leaves nothing when it is cancelled, paused or not', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory } = world;
    const { TaskId } = await call('ExportImage', {
      ImageId,
      OSSBucket: BUCKET,
      BytesPerSecond: 4096,
    });
    await vi.waitFor(() => expect(files(directory)).toHaveLength(1));
    const asked = { ImageId, OSSBucket: BUCKET };
    expect(await codeOf(call('ExportImage', asked))).toBe('OperationConflict');
    expect(await codeOf(call('DeleteImage', { ImageId }))).toBe('ImageIsExporting');
    await call('PauseTask', { TaskId });
    expect((await describeTask(world, TaskId)).TaskStatus).toBe('Paused');
    expect(files(directory)).toHaveLength(1);
    await call('CancelTask', { TaskId });
    expect(files(directory)).toEqual([]);
    expect((await describeTask(world, TaskId)).TaskStatus).toBe('Cancelled');
    await call('DeleteImage', { ImageId });
  });

  it('of an image that is gone when the plane is opened again is cancelled, its file with it', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory, world: inner } = world;
    const { TaskId } = await call('ExportImage', {
      ImageId,
      OSSBucket: BUCKET,
      BytesPerSecond: 4096,
    });
    await vi.waitFor(() => expect(files(directory)).toHaveLength(1));
    await world.runner().close();
    const removeDocuments = [{ kind: 'image', key: ImageId } as const];
    await inner.control.context.metadata.commit({ removeDocuments });
    await world.restart();
    await until(world, TaskId, 'cancelled');
    expect(files(directory)).toEqual([]);
  });

  it.each([
    ['ENOSPC', 'NoSpace'],
    ['EDQUOT', 'NoSpace'],
    ['EIO', 'ExportFailed'],
  ] as const)(
    'that meets %s has failed with %s, and no file is left',
    async (errno, code) => {
      let writes = 0;
      const openFile = (async (...parameters: Parameters<OpenFile>) => {
        const file = await open(...parameters);
        const write = file.write.bind(file) as typeof file.write;
        file.write = (async (...all: Parameters<typeof write>) => {
          if (++writes === 3) throw Object.assign(new Error(errno), { code: errno });
          // In part: the rest is written by another call.
          const [bytes, offset, length, position] = all as unknown as [
            Uint8Array,
            number,
            number,
            number,
          ];
          return write(bytes, offset, Math.min(length, 100_000), position);
        }) as typeof file.write;
        return file;
      }) as OpenFile;
      const world = await exportWorld({ openFile });
      const { call, ImageId, directory } = world;
      const { TaskId } = await call('ExportImage', { ImageId, OSSBucket: BUCKET });
      await until(world, TaskId, 'failed');
      expect(await describeTask(world, TaskId)).toMatchObject({ TaskStatus: 'Failed', Code: code });
      expect(files(directory)).toEqual([]);
      expect(world.seen.at(-1)).toBe('close');
      // There is space again.
      const again = await call('ExportImage', { ImageId, OSSBucket: BUCKET });
      await until(world, again.TaskId, 'finished');
      expectExported(`${directory}/${BUCKET}/${ImageId}.raw`);
    },
    60_000,
  );

  it('that the directory cannot be made for has failed', async () => {
    const folder = tempDir();
    temporary.push(folder);
    await (await open(`${folder.path}/file`, 'w')).close();
    const world = await exportWorld();
    await world.restart(exportFilesIn(`${folder.path}/file`));
    const { TaskId } = await world.call('ExportImage', {
      ImageId: world.ImageId,
      OSSBucket: BUCKET,
    });
    await until(world, TaskId, 'failed');
    expect(world.task(TaskId).code).toBe('ExportFailed');
    expect(await codeOf(world.runner().cancel(TaskId))).toBe('IncorrectTaskStatus');
  });

  it('waits with the code of what may pass, and ends with that of damage', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory, failNext } = world;
    failNext.read = new PlaneError('ReadFailed', 'the test says so');
    const { TaskId } = await call('ExportImage', { ImageId, OSSBucket: BUCKET });
    await vi.waitFor(() => expect(world.task(TaskId).code).toBe('ReadFailed'));
    expect(world.task(TaskId).state).toBe('paused');
    failNext.read = new PlaneError('ChecksumMismatch', 'the test says so');
    await world.runner().resume(TaskId);
    await until(world, TaskId, 'failed');
    expect(world.task(TaskId).code).toBe('ChecksumMismatch');
    expect(files(directory)).toEqual([]);
  });

  it('of a plane in memory is refused, and says what would help', async () => {
    const world = await exportWorld({ isMemory: true });
    const { call, ImageId } = world;
    const refusal = call('ExportImage', { ImageId, OSSBucket: BUCKET });
    await expect(refusal).rejects.toMatchObject({
      code: 'UnsupportedOperation',
      message: expect.stringContaining('exportDirectory'),
    });
  });

  it('that goes on in a plane without a directory has failed', async () => {
    const world = await exportWorld();
    const { call, ImageId } = world;
    const { TaskId } = await call('ExportImage', {
      ImageId,
      OSSBucket: BUCKET,
      BytesPerSecond: 4096,
    });
    await world.restart(null);
    await until(world, TaskId, 'failed');
    expect(world.task(TaskId).code).toBe('UnsupportedOperation');
  });

  it('takes buckets and prefixes as the cloud does, so that no name leads elsewhere', async () => {
    const { call, ImageId, runner } = await exportWorld();
    const refused = (parameters: object) =>
      codeOf(call('ExportImage', { ImageId, OSSBucket: BUCKET, ...parameters }));
    const buckets = [
      '..',
      'a',
      'ab',
      'a/../b',
      '-abc',
      'abc-',
      'ABC',
      'a.b',
      'a\0bc',
      'x'.repeat(64),
    ];
    for (const OSSBucket of buckets) expect(await refused({ OSSBucket })).toBe('InvalidParameter');
    for (const OSSPrefix of ['../', '/etc/', 'a/b', '.', 'a\0', 'x'.repeat(31)]) {
      expect(await refused({ OSSPrefix })).toBe('InvalidParameter');
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (OSSBucket, OSSPrefix) => {
        fc.pre(/[^a-z0-9-]/.test(OSSBucket) || /[^A-Za-z0-9]/.test(OSSPrefix));
        expect(await refused({ OSSBucket, OSSPrefix })).toBe('InvalidParameter');
      }),
    );
    await runner().close();
  });

  it('of a dry run writes nothing', async () => {
    const { call, ImageId, directory } = await exportWorld();
    const asked = { ImageId, OSSBucket: BUCKET, DryRun: true };
    expect(await codeOf(call('ExportImage', asked))).toBe('DryRunOperation');
    expect(files(directory)).toEqual([]);
  });
});

describe('the task of an encrypted image, which no rule set lets begin', () => {
  it('uses its key, says so in the audit log, and waits while the key is not enabled', async () => {
    const world = await exportWorld({ kind: 'user' });
    const { ImageId, KMSKeyId, SnapshotId, failNext, world: inner } = world;
    const { metadata } = inner.control.context;
    const refusal = world.call('ExportImage', { ImageId, OSSBucket: BUCKET });
    expect(await codeOf(refusal)).toBe('ImageNotSupported');
    const image = metadata.getDocument('image', ImageId)!;
    failNext.open = new PlaneError('Rejected.Disabled', 'the test says so');
    const taskId = await world.runner().exportImage(image, `${BUCKET}/${ImageId}.raw`);
    await vi.waitFor(() => expect(world.task(taskId).code).toBe('Rejected.Disabled'));
    await world.runner().resume(taskId);
    await until(world, taskId, 'finished');
    const uses = metadata
      .listDocuments('audit', null, 0, 100)
      .records.filter(({ reason }) => reason === 'ExportImage');
    expect(uses.map(({ action, outcome, keyId }) => [action, outcome, keyId])).toEqual([
      ['UnwrapDataKey', 'Rejected.Disabled', KMSKeyId],
      ['UnwrapDataKey', 'OK', KMSKeyId],
    ]);
    expect(uses[0]?.resourceIds).toContain(SnapshotId);
    expect(uses[0]?.principal).toBe('root');
  }, 30_000);

  it('is not begun for want of the role to use keys', async () => {
    const world = await exportWorld();
    const record = { ...fullAccount(OWNER, 0), roles: [] };
    const { metadata } = world.world.control.context;
    await metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const refusal = world.call('ExportImage', { ImageId: world.ImageId, OSSBucket: BUCKET });
    expect(await codeOf(refusal)).toBe('NoSetRoletoECSServiceAcount');
  });
});
