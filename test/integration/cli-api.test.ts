/** `sealdisk serve`, `ecs` and `kms` as a user has them: processes of what was built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { ecs, ecsClient } from '../support/official-sdk.ts';
import { tempDir } from '../support/temp-dir.ts';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const regionId = 'cn-hangzhou';

interface Served {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  /** Standard error so far. */
  talk(): string;
}

async function serve(...words: string[]): Promise<Served> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let talk = '';
  child.stderr.on('data', (chunk: Buffer) => {
    talk += chunk.toString();
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const url = (await lines.next()).value as string;
  return { child, url, port: Number(url.split(':').at(-1)), talk: () => talk };
}

function end({ child }: Served, signal: NodeJS.Signals): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return ended;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function sealdisk(words: string[], environment: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, [MAIN, ...words], { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function answerOf({ stdout }: Ended): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('sealdisk serve', () => {
  test('prints its URL and the lines to paste, serves the SDK, and ends with 0', async () => {
    const served = await serve('--verbose');
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const client = ecsClient(served.port);
    await client.createDisk(new ecs.CreateDiskRequest({ regionId, size: 20, encrypted: true }));
    const endpoint = `127.0.0.1:${served.port}`;
    for (const line of [`endpoint: '${endpoint}'`, `--endpoint ${endpoint}`, 'endpoints {']) {
      expect(served.talk()).toContain(line);
    }
    await expect.poll(() => served.talk()).toContain('"action":"CreateDisk"');
    const logged = served
      .talk()
      .split('\n')
      .find((line) => line.startsWith('{'));
    expect(JSON.parse(logged ?? '')).toMatchObject({ service: 'ecs', status: 200, code: '' });
    expect(await end(served, 'SIGTERM')).toBe(0);
  });

  test('keeps a plane in files, seeded from a world, and verifies strictly', async () => {
    using directory = tempDir();
    const dataDir = join(directory.path, 'plane');
    const seed = join(directory.path, 'world.yaml');
    const keys = join(directory.path, 'keys.json');
    writeFileSync(seed, 'disks: [{ id: d-seeded00000000000000, size: 20, encrypted: true }]\n');
    const key = { accessKeyId: 'alice', accessKeySecret: 'secret' };
    writeFileSync(keys, JSON.stringify([key]));
    const words = ['--data-dir', dataDir, '--auth', 'strict', '--access-keys', keys, '--quiet'];
    const first = await serve(...words, '--seed', seed);
    const list = (port: number, credentials = key) =>
      ecsClient(port, credentials).describeDisks(new ecs.DescribeDisksRequest({ regionId }));
    expect((await list(first.port)).body!.totalCount).toBe(1);
    await expect(list(first.port, { ...key, accessKeySecret: 'guessed' })).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    expect(await end(first, 'SIGINT')).toBe(0);
    const second = await serve(...words);
    expect((await list(second.port)).body!.totalCount).toBe(1);
    expect(second.talk()).toBe('');
    expect(await end(second, 'SIGTERM')).toBe(0);
  });

  test('exports what its disks hold by NBD, each under its id', async () => {
    using directory = tempDir();
    const socket = join(directory.path, 'disks.sock');
    const served = await serve('--nbd', socket, '--quiet');
    const created = await ecsClient(served.port).createDisk(
      new ecs.CreateDiskRequest({ regionId, size: 20, encrypted: true }),
    );
    const client = new RawClient(socket);
    await client.go(created.body!.diskId!);
    client.send(requestBytes({ command: 1, length: 5, payload: Buffer.from('hello') }));
    expect(await client.simple()).toBe(0);
    client.send(requestBytes({ command: 0, length: 5 }));
    expect(await client.simple()).toBe(0);
    expect((await client.take(5)).toString()).toBe('hello');
    expect(await end(served, 'SIGTERM')).toBe(0);
  });

  test('refuses options that cannot be, with exit code 2', async () => {
    using directory = tempDir();
    const file = join(directory.path, 'keys.json');
    writeFileSync(file, '{"accessKeyId": "not a list"}');
    const refused = [
      ['--port', '70000'],
      ['--auth', 'maybe'],
      ['--auth', 'strict'],
      ['--memory', '--data-dir', 'x'],
      ['--access-keys', file],
      ['--access-keys', join(directory.path, 'gone.json')],
      ['--tls-certificates', directory.path],
      ['--shards', 'x'],
      ['--port', '0', '--host', '0.0.0.0'],
    ];
    const codes = await Promise.all(refused.map((words) => sealdisk(['serve', ...words])));
    expect(codes.map(({ code }) => code)).toEqual(refused.map(() => 2));
  });
});

describe('sealdisk ecs and kms', () => {
  test('call a plane on files: JSON on stdout, 4 for a refusal', async () => {
    using directory = tempDir();
    const dataDir = ['--data-dir', join(directory.path, 'plane')];
    const tag = ['--tag.1.Key', 'a', '--tag.1.Value', 'b'];
    const made = await sealdisk([
      'ecs',
      'CreateDisk',
      '--size',
      '20',
      '--encrypted',
      ...tag,
      ...dataDir,
    ]);
    expect(made.stderr).toBe('');
    const { DiskId } = answerOf(made) as { DiskId: string };
    const shown = await sealdisk(['ecs', 'DescribeDisks', `--disk-ids=["${DiskId}"]`, ...dataDir]);
    expect(answerOf(shown).Disks).toMatchObject({
      Disk: [{ DiskId, Encrypted: true, Tags: { Tag: [{ TagKey: 'a', TagValue: 'b' }] } }],
    });
    const keys = await sealdisk(['kms', 'ListKeys', ...dataDir]);
    expect(answerOf(keys)).toMatchObject({ TotalCount: 1 });
    const gone = await sealdisk(['kms', 'DescribeKey', '--key-id', 'key-gone', ...dataDir]);
    expect(gone.code).toBe(4);
    expect(answerOf(gone)).toMatchObject({ Code: 'Forbidden.KeyNotFound', HttpStatus: 404 });
  });

  test('call a server, signed by the access key of the environment', async () => {
    using directory = tempDir();
    const keys = join(directory.path, 'keys.json');
    writeFileSync(keys, JSON.stringify([{ accessKeyId: 'bob', accessKeySecret: 'secret' }]));
    const served = await serve('--auth', 'strict', '--access-keys', keys, '--quiet');
    const odd = ['--Description', "a (b)*!'~+"];
    const words = ['ecs', 'CreateDisk', '--Size', '20', ...odd, '--endpoint'];
    const bob = { ALIBABA_CLOUD_ACCESS_KEY_ID: 'bob', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' };
    const made = await sealdisk([...words, served.url], bob);
    expect(answerOf(made).DiskId).toMatch(/^d-/);
    const nobody = await sealdisk([...words, served.url]);
    expect(nobody.code).toBe(4);
    expect(answerOf(nobody)).toMatchObject({ Code: 'InvalidAccessKeyId.NotFound' });
    expect(await end(served, 'SIGTERM')).toBe(0);
  });

  test('say what there is, and what there is not', async () => {
    const list = await sealdisk(['ecs', '--help']);
    expect(list.stdout.split('\n')).toContain('CreateDisk');
    const parameters = await sealdisk(['ecs', 'CreateDisk', '--help']);
    expect(parameters.stdout.split('\n')).toContain('KMSKeyId');
    const wrong = await sealdisk(['ecs', 'CreateDisc', '--endpoint', 'x']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('CreateDisk');
    const unknown = await sealdisk(['ecs', 'CreateDisk', '--sise', '20', '--endpoint', 'x']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('sise');
    expect((await sealdisk(['ecs', 'CreateDisk', '--size', '20'])).code).toBe(2);
    const nobody = ['kms', 'ListKeys', '--endpoint', '127.0.0.1:1'];
    expect((await sealdisk(nobody)).stderr).toContain('does not answer');
  });
});
