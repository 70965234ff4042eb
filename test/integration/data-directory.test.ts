/**
 * A plane on files: closed and opened again, shared with nobody, never taking what is not its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openPlane } from 'sealdisk';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const root = new URL('../../', import.meta.url).pathname;

function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  createPrng(seed).fill(bytes);
  return bytes;
}

describe('a plane on a data directory', () => {
  it('has everything there when it is opened again', async () => {
    using dir = tempDir();
    const first = await openPlane({ dataDir: dir.path });
    const { DiskId } = await first.call('CreateDisk', { Size: 20, Encrypted: true });
    const disk = await first.attach(DiskId);
    await disk.write(12_345, pattern(3_000_000, 1));
    const { SnapshotId } = await first.call('CreateSnapshot', { DiskId });
    await disk.write(12_345, pattern(3_000_000, 2));
    await first.close();

    await using again = await openPlane({ dataDir: dir.path });
    const { Disks } = await again.call('DescribeDisks', {});
    expect(Disks.map(({ DiskId, Status, Size }) => ({ DiskId, Status, Size }))).toEqual([
      { DiskId, Status: 'Available', Size: 20 },
    ]);
    await using reopened = await again.attach(DiskId);
    expectBytes(await reopened.read(12_345, 3_000_000), pattern(3_000_000, 2));
    const clone = await again.call('CreateDisk', { SnapshotId });
    await using copy = await again.attach(clone.DiskId);
    expectBytes(await copy.read(12_345, 3_000_000), pattern(3_000_000, 1));
    expect((await again.check()).problems).toEqual([]);
  });

  it('keeps what was acknowledged when its process is killed', async () => {
    using dir = tempDir();
    const script = `
      import { openPlane } from 'sealdisk';
      const plane = await openPlane({ dataDir: ${JSON.stringify(dir.path)} });
      const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
      const disk = await plane.attach(DiskId);
      for (let version = 1; ; version++) {
        await disk.write(0, new Uint8Array(8192).fill(version % 251));
        console.log(DiskId, version % 251);
        if (version === 100) break;
      }
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (output.includes(' 100\n')) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    const diskId = output.split(' ')[0] as string;
    await using plane = await openPlane({ dataDir: dir.path });
    await using disk = await plane.attach(diskId);
    expectBytes(await disk.read(0, 8192), new Uint8Array(8192).fill(100));
  });

  it('is open in one plane at a time, in this process and in others', async () => {
    using dir = tempDir();
    const plane = await openPlane({ dataDir: dir.path });
    expect(await codeOf(openPlane({ dataDir: dir.path }))).toBe('DataDirectoryLocked');
    const script = `import { openPlane } from 'sealdisk';
      await openPlane({ dataDir: ${JSON.stringify(dir.path)} }).catch((e) => console.log(e.code));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(said.trim()).toBe('DataDirectoryLocked');
    await plane.close();
    await (await openPlane({ dataDir: dir.path })).close();
  });

  it('refuses a directory that is not its own and leaves it as it is', async () => {
    using dir = tempDir();
    writeFileSync(join(dir.path, 'letters.txt'), 'mine');
    expect(await codeOf(openPlane({ dataDir: dir.path }))).toBe('DataDirectoryForeign');
    expect(readdirSync(dir.path)).toEqual(['letters.txt']);
  });

  it('refuses a path no directory can be made at, and makes parents where it can', async () => {
    using dir = tempDir();
    writeFileSync(join(dir.path, 'file'), 'mine');
    for (const path of [join(dir.path, 'file'), join(dir.path, 'file', 'below')]) {
      expect(await codeOf(openPlane({ dataDir: path }))).toBe('DataDirectoryUnusable');
    }
    expect(readFileSync(join(dir.path, 'file'), 'utf8')).toBe('mine');
    const deep = join(dir.path, 'a', 'b', 'c');
    await (await openPlane({ dataDir: deep })).close();
    expect(readdirSync(deep)).toContain('sealdisk.json');
  });

  it.skipIf(process.platform !== 'linux')(
    'refuses where the kernel makes no directory',
    async () => {
      expect(await codeOf(openPlane({ dataDir: '/proc/sealdisk' }))).toBe('DataDirectoryUnusable');
    },
  );

  it.each([
    ['{"format":"other","version":1}', 'DataDirectoryForeign'],
    ['{"format":"sealdisk","version":2,"shards":2,"planeId":"x"}', 'DataDirectoryVersion'],
    ['{"format":"sealdisk","version":1,"shards":0,"planeId":"x"}', 'DataDirectoryCorrupt'],
    ['{"format":"sealdisk"', 'DataDirectoryCorrupt'],
    ['null', 'DataDirectoryForeign'],
  ])('refuses the identity %s', async (identity, code) => {
    using dir = tempDir();
    await (await openPlane({ dataDir: dir.path })).close();
    writeFileSync(join(dir.path, 'sealdisk.json'), identity);
    expect(await codeOf(openPlane({ dataDir: dir.path }))).toBe(code);
  });

  it('refuses another number of shards than it was made with', async () => {
    using dir = tempDir();
    await (await openPlane({ dataDir: dir.path, shards: 1 })).close();
    expect(await codeOf(openPlane({ dataDir: dir.path, shards: 3 }))).toBe('InvalidArgument');
    await (await openPlane({ dataDir: dir.path })).close();
  });

  it.each([
    ['meta', 'is gone', (path: string) => renameSync(path, `${path}.aside`)],
    ['kms', 'is gone', (path: string) => renameSync(path, `${path}.aside`)],
    ['meta/data.mdb', 'is gone', (path: string) => rmSync(path)],
    ['kms/data.mdb', 'is gone', (path: string) => rmSync(path)],
    ['meta/data.mdb', 'is empty', (path: string) => truncateSync(path)],
    ['kms/data.mdb', 'is empty', (path: string) => truncateSync(path)],
  ])('refuses a directory whose %s %s, and removes nothing', async (name, _, lose) => {
    using dir = tempDir();
    using aside = tempDir();
    const plane = await openPlane({ dataDir: dir.path });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    await disk.write(0, pattern(100_000, 1));
    await plane.close();
    const path = join(dir.path, name);
    cpSync(path, join(aside.path, 'kept'), { recursive: true });
    lose(path);
    expect(await codeOf(openPlane({ dataDir: dir.path }))).toBe('DataDirectoryCorrupt');
    expect(await codeOf(openPlane({ dataDir: dir.path }))).toBe('DataDirectoryCorrupt');
    rmSync(path, { recursive: true, force: true });
    cpSync(join(aside.path, 'kept'), path, { recursive: true });
    await using again = await openPlane({ dataDir: dir.path });
    await using reopened = await again.attach(DiskId);
    expectBytes(await reopened.read(0, 100_000), pattern(100_000, 1));
  });

  it('refuses another root key', async () => {
    using dir = tempDir();
    const plane = await openPlane({ dataDir: dir.path });
    await plane.call('CreateKey', {});
    await plane.close();
    expect(readFileSync(join(dir.path, 'root.key')).length).toBe(32);
    writeFileSync(join(dir.path, 'root.key'), pattern(32, 3));
    expect(await codeOf(openPlane({ dataDir: dir.path }))).toBe('RootKeyInvalid');
  });
});

describe('openPlane', () => {
  it.each([
    [{}],
    [{ memory: true, dataDir: '/nowhere' }],
    [{ memory: true, shards: 0 }],
    [{ memory: true, shards: 1.5 }],
    [{ memory: true, shards: 65 }],
    [{ memory: true, memoryLimitBytes: 1 }],
    [{ memory: 'yes', dataDir: '/nowhere' }],
    [{ memory: true, memoryLimit: 2 ** 30 }],
    [{ memory: true, engine: 'rot13' }],
    [{ memory: true, ruleSet: '1999' }],
    [{ memory: true, quotas: 5 }],
    [{ memory: true, exportDirectory: 5 }],
    [{ memory: true, rootKeyFile: '' }],
    [{ memory: true, kmsThrottling: 'no' }],
    [{ memory: true, allowDebugging: 'no' }],
    [{ memory: true, simulation: null }],
    [{ memory: true, performance: 'fast' }],
    [{ dataDir: '' }],
    [{ dataDir: 'a\0b' }],
    [undefined],
    [null],
    ['memory'],
  ])('refuses the options %j', async (options) => {
    expect(await codeOf(openPlane(options as never))).toBe('InvalidArgument');
  });

  it('takes undefined for an option that is not given', async () => {
    const given = { memory: true, dataDir: undefined, world: undefined, shards: undefined };
    await (await openPlane(given as never)).close();
  });

  it('runs on every engine, and they read each other’s disks', async () => {
    using dir = tempDir();
    let diskId = '';
    const engines = ['openssl-ffi', 'node-crypto', 'noble-reference'] as const;
    for (const [index, engine] of engines.entries()) {
      await using plane = await openPlane({ dataDir: dir.path, engine });
      const { shards } = await plane.stats();
      expect(shards.every((shard) => shard.engine === engine)).toBe(true);
      diskId ||= (await plane.call('CreateDisk', { Size: 1, Encrypted: true })).DiskId;
      await using disk = await plane.attach(diskId);
      for (let earlier = 0; earlier < index; earlier++) {
        expectBytes(await disk.read(earlier * 10_000, 9_999), pattern(9_999, earlier));
      }
      await disk.write(index * 10_000, pattern(9_999, index));
    }
  });

  it('refuses writes over the memory limit, loses nothing, and goes on after a trim', async () => {
    await using plane = await openPlane({ memory: true, memoryLimitBytes: 128 << 20 });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    await using disk = await plane.attach(DiskId);
    const piece = pattern(1 << 20, 1);
    let written = 0;
    let refusal = '';
    while (refusal === '' && written < 200) {
      const code = await codeOf(disk.write(written << 20, piece));
      if (code === 'it was not refused') written++;
      else refusal = code;
    }
    expect(refusal).toBe('NoSpace');
    expect(written).toBeGreaterThan(40);
    for (let at = 0; at < written; at++) {
      expectBytes(await disk.read(at << 20, 1 << 20), piece);
    }
    await disk.trim(0, (written >> 1) << 20);
    await disk.write(0, piece);
    expectBytes(await disk.read(0, 1 << 20), piece);
  });
});
