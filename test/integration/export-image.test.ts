/** ExportImage through the library: the file's bytes are those that were written to the disk. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { openPlane, type Plane } from 'sealdisk';
import { afterAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const SPAN = 3 * MIB;
const BUCKET = 'images';

const temporary = tempDir();
afterAll(() => temporary[Symbol.dispose]());

/** A plain disk of 1 GiB with bytes at its ends, an image of it, and what its file hashes to. */
async function imageOf(plane: Plane): Promise<{ ImageId: string; DiskId: string; sha256: string }> {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1 });
  const bytes = new Uint8Array(SPAN);
  createPrng(11).fill(bytes);
  {
    await using disk = await plane.attach(DiskId);
    await disk.write(0, bytes);
    await disk.write(GIB - 5000, bytes.subarray(0, 5000));
  }
  const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
  {
    await using disk = await plane.attach(DiskId);
    await disk.write(0, new Uint8Array(SPAN).fill(0xee));
  }
  const hash = createHash('sha256').update(bytes);
  const zeros = new Uint8Array(MIB);
  for (let at = SPAN; at < GIB - MIB; at += MIB) hash.update(zeros);
  hash.update(zeros.subarray(5000)).update(bytes.subarray(0, 5000));
  const { ImageId } = await plane.call('CreateImage', { SnapshotId });
  return { ImageId, DiskId, sha256: hash.digest('hex') };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

async function untilDone(plane: Plane, TaskId: string): Promise<string> {
  for (let looks = 0; looks < 2400; looks++) {
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [TaskId] });
    const [task] = Tasks;
    if (task?.TaskStatus !== 'Processing') return `${task?.TaskStatus} ${task?.Code}`.trim();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${TaskId} did not end in 60 s`);
}

describe('ExportImage', () => {
  it('writes into the data directory; a task cut off goes on with the next open', async () => {
    const dataDir = `${temporary.path}/plane`;
    let made: Awaited<ReturnType<typeof imageOf>>;
    let taskId: string;
    {
      await using plane = await openPlane({ dataDir });
      made = await imageOf(plane);
      const { ImageId } = made;
      const asked = { ImageId, OSSBucket: BUCKET, OSSPrefix: 'v1', BytesPerSecond: MIB };
      taskId = (await plane.call('ExportImage', asked)).TaskId;
      for (let looks = 0; looks < 600; looks++) {
        const { Tasks } = await plane.call('DescribeTasks', { ResourceIds: [ImageId] });
        if ((Tasks[0]?.DoneBytes ?? 0) > 0) break;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(existsSync(`${dataDir}/export/${BUCKET}/v1${ImageId}.raw`)).toBe(false);
    }
    await using plane = await openPlane({ dataDir });
    await plane.call('PauseTask', { TaskId: taskId }).catch(() => {});
    await plane.call('ResumeTask', { TaskId: taskId, BytesPerSecond: 0 }).catch(() => {});
    expect(await untilDone(plane, taskId)).toBe('Finished');
    const name = `v1${made.ImageId}.raw`;
    expect(readdirSync(`${dataDir}/export/${BUCKET}`)).toEqual([name]);
    const path = `${dataDir}/export/${BUCKET}/${name}`;
    expect(statSync(path).size).toBe(GIB);
    expect(statSync(path).blocks * 512).toBeLessThan(16 * MIB);
    expect(await sha256Of(path)).toBe(made.sha256);
    expect((await plane.check()).problems).toEqual([]);
    const { shards } = await plane.stats();
    expect(shards.reduce((sum, shard) => sum + shard.openVolumes, 0)).toBe(0);
  }, 120_000);

  it('of a plane in memory needs a directory, and an encrypted image is refused', async () => {
    const exportDirectory = `${temporary.path}/elsewhere`;
    {
      await using plane = await openPlane({ memory: true });
      const { ImageId } = await imageOf(plane);
      const refusal = plane.call('ExportImage', { ImageId, OSSBucket: BUCKET });
      expect(await codeOf(refusal)).toBe('UnsupportedOperation');
    }
    await using plane = await openPlane({ memory: true, exportDirectory });
    const { ImageId, sha256 } = await imageOf(plane);
    const { TaskId } = await plane.call('ExportImage', { ImageId, OSSBucket: BUCKET });
    expect(await untilDone(plane, TaskId)).toBe('Finished');
    expect(await sha256Of(`${exportDirectory}/${BUCKET}/${ImageId}.raw`)).toBe(sha256);
    const copy = await plane.call('CopyImage', { ImageId, Encrypted: true });
    for (let looks = 0; looks < 600; looks++) {
      const { Images } = await plane.call('DescribeImages', { ImageId: copy.ImageId });
      if (Images[0]?.Status === 'Available') break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const refusal = plane.call('ExportImage', { ImageId: copy.ImageId, OSSBucket: BUCKET });
    expect(await codeOf(refusal)).toBe('ImageNotSupported');
    expect(readdirSync(`${exportDirectory}/${BUCKET}`)).toEqual([`${ImageId}.raw`]);
  }, 120_000);
});
