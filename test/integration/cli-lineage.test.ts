/** The commands that look at a data directory, as a user has them: child processes of the build. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const LIBRARY = new URL('../../dist/src/index.js', import.meta.url).href;
const directory = mkdtempSync(join(tmpdir(), 'sealdisk-cli-'));
const dataDir = join(directory, 'plane');
afterAll(() => rmSync(directory, { recursive: true }));

function sealdisk(...words: string[]) {
  const run = spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', timeout: 60_000 });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

const OTHER = '2000000000000002';
let theirs = '';
let ids: { KeyId: string; DiskId: string; SnapshotId: string; made: string; other: string };

beforeAll(async () => {
  const { openPlane } = (await import(LIBRARY)) as typeof import('../../src/index.ts');
  const users = [{ name: 'bob', policies: ['AliyunKMSReadOnlyAccess'] }];
  const world = { accounts: [{ id: OTHER, users }] };
  await using plane = await openPlane({ dataDir, shards: 1, world });
  const others = plane.as({ accountId: OTHER, regionId: 'cn-beijing' });
  theirs = (await others.call('CreateDisk', { Size: 20, Encrypted: true })).DiskId;
  const { KeyId } = (await plane.call('CreateKey', {})).KeyMetadata;
  const under = { Size: 1, Encrypted: true, KMSKeyId: KeyId };
  const { DiskId } = await plane.call('CreateDisk', { ...under, DiskName: 'payroll' });
  const attached = await plane.attach(DiskId);
  await attached.write(0, new Uint8Array(4096).fill(7));
  await attached.close();
  const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
  const made = (await plane.call('CreateDisk', { SnapshotId })).DiskId;
  const other = (await plane.call('CreateDisk', under)).DiskId;
  await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
  ids = { KeyId, DiskId, SnapshotId, made, other };
});

test('lineage prints a tree with what was deleted, JSON, Graphviz and Mermaid', () => {
  const { DiskId, SnapshotId, made, KeyId } = ids;
  const tree = sealdisk('lineage', SnapshotId, '--data-dir', dataDir);
  expect([tree.code, tree.stderr]).toEqual([0, '']);
  const lines = tree.stdout.split('\n');
  expect(lines[0]).toMatch(new RegExp(`^disk ${DiskId}  "payroll" .* under ${KeyId} v1$`));
  expect(lines[1]).toMatch(new RegExp(`^└─ snapshot ${SnapshotId} .* deleted 20`));
  expect(lines[2]).toMatch(new RegExp(`^ {3}└─ disk ${made} `));
  const json = sealdisk('lineage', made, '--data-dir', dataDir, '--json');
  const document = JSON.parse(json.stdout) as { nodes: { Id: string }[] };
  expect(document.nodes.map((node) => node.Id)).toEqual([made, SnapshotId, DiskId]);
  const dot = sealdisk('lineage', made, '--data-dir', dataDir, '--format', 'dot').stdout;
  expect(dot).toContain('\\"payroll\\"');
  expect(dot).toContain(`"${SnapshotId}" -> "${made}";`);
  const mermaid = sealdisk('lineage', made, '--data-dir', dataDir, '--format', 'mermaid').stdout;
  expect(mermaid).toMatch(/^flowchart LR\n {2}n0\["disk d-/);
});

test('keys impact says what dies with a key', () => {
  const { KeyId, DiskId, made, other } = ids;
  const text = sealdisk('keys', 'impact', KeyId, '--data-dir', dataDir);
  expect([text.code, text.stderr]).toEqual([0, '']);
  expect(text.stdout).toContain(`${KeyId} is Enabled: 3 disks (0 attached) and 0 snapshots`);
  for (const id of [DiskId, made, other]) expect(text.stdout).toContain(`─ disk ${id}  `);
  const json = sealdisk('keys', 'impact', KeyId, '--data-dir', dataDir, '--json').stdout;
  expect(JSON.parse(json)).toMatchObject({ KeyState: 'Enabled', DiskCount: 3, Resources: {} });
  const dot = sealdisk('keys', 'impact', KeyId, '--data-dir', dataDir, '--format', 'dot').stdout;
  expect(dot).toContain(`"${KeyId}" -> "${DiskId}" [label="protects", style=dotted];`);
});

test('usage says what counts, and what is billed', () => {
  const { KeyId } = ids;
  const text = sealdisk('usage', '--data-dir', dataDir);
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(/^cn-hangzhou \d{4}-\d\d: 6 calls of the KMS API, 6 billed; 1 key/);
  expect(text.stdout).toMatch(new RegExp(`${KeyId} +user key +CreateDisk +3 calls +billed`));
  const json = sealdisk('usage', '--data-dir', dataDir, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ CountedCalls: 6, BilledKeyDays: 1 });
  const empty = sealdisk('usage', '--data-dir', dataDir, '--month', '2001-01', '--json').stdout;
  expect(JSON.parse(empty)).toMatchObject({ Operations: [], Keys: [] });
});

test('each account sees its own, and a RAM user what its policies allow', () => {
  const at = ['--data-dir', dataDir];
  const theirOwn = [...at, '--account', OTHER, '--region', 'cn-beijing'];
  expect(sealdisk('lineage', theirs, ...at).code).not.toBe(0);
  const lineage = sealdisk('lineage', theirs, ...theirOwn);
  expect([lineage.code, lineage.stderr]).toEqual([0, '']);
  expect(lineage.stdout).toContain(`disk ${theirs} `);
  expect(sealdisk('lineage', ids.made, ...theirOwn).code).not.toBe(0);
  const impact = sealdisk('keys', 'impact', 'alias/acs/ecs', ...theirOwn, '--json');
  expect(JSON.parse(impact.stdout)).toMatchObject({ DiskCount: 1, Resources: [{ Id: theirs }] });
  expect(sealdisk('keys', 'impact', ids.KeyId, ...theirOwn).code).toBe(4);
  const usage = sealdisk('usage', ...theirOwn, '--json');
  expect(JSON.parse(usage.stdout)).toMatchObject({ RegionId: 'cn-beijing', CountedCalls: 1 });
  const refused = sealdisk('usage', ...theirOwn, '--as', 'bob');
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  expect(refused.stderr).toContain('Forbidden.RAM');
  expect(sealdisk('usage', ...theirOwn, '--as', 'nobody').code).toBe(4);
  expect(sealdisk('usage', ...at, '--account', '1').code).toBe(4);
});

test('what is asked wrongly ends with 2, and makes nothing', () => {
  const absent = join(directory, 'absent');
  const asked = [
    ['lineage', ids.made, '--data-dir', absent],
    ['lineage', ids.made, '--data-dir', dataDir, '--format', 'svg'],
    ['lineage', 'nothing', '--data-dir', dataDir],
    ['lineage', ids.made],
    ['usage', '--data-dir', dataDir, '--month', 'May'],
  ];
  for (const words of asked) expect(sealdisk(...words)).toMatchObject({ code: 2, stdout: '' });
  expect(sealdisk('lineage', ids.made, '--data-dir', absent).stderr).toContain('no directory');
  const unknown = sealdisk('keys', 'impact', `key-${'0'.repeat(20)}`, '--data-dir', dataDir);
  expect(unknown).toMatchObject({ code: 4, stdout: '' });
});

test('an erased data key takes its lineage with it, and nothing else', async () => {
  const { openPlane } = (await import(LIBRARY)) as typeof import('../../src/index.ts');
  const { DiskId, made, other } = ids;
  {
    await using plane = await openPlane({ dataDir });
    const erased = await plane.call('EraseDataKey', { DiskId, Force: true });
    expect(erased).toEqual({ DataKeyId: DiskId, ErasedResources: 2 });
  }
  await using plane = await openPlane({ dataDir });
  for (const id of [DiskId, made]) {
    await expect(plane.attach(id)).rejects.toMatchObject({ code: 'DataKeyErased' });
  }
  await using disk = await plane.attach(other);
  await disk.write(0, new Uint8Array(4096).fill(9));
  const { Events } = await plane.call('LookupEvents', { EventName: 'EraseDataKey' });
  expect(Events).toMatchObject([{ Outcome: 'OK', EventType: 'Call' }]);
  expect((await plane.check()).problems).toEqual([]);
});

test('explain says why a disk that is there is encrypted as it is', () => {
  const { DiskId, made, KeyId, SnapshotId } = ids;
  const text = sealdisk('explain', made, '--data-dir', dataDir);
  expect([text.code, text.stderr]).toEqual([0, '']);
  expect(text.stdout).toContain('disk create, source encrypted: ');
  expect(text.stdout).toMatch(new RegExp(`now {7}under ${KeyId}\n$`));
  const json = sealdisk('explain', DiskId, '--data-dir', dataDir, '--json');
  const explained = { ResourceId: DiskId, KMSKeyId: KeyId, Outcome: 'specified' };
  expect(JSON.parse(json.stdout)).toMatchObject(explained);
  expect(sealdisk('explain', SnapshotId, '--data-dir', dataDir).code).not.toBe(0);
  expect(sealdisk('explain', DiskId).code).toBe(2);
  expect(sealdisk('explain', DiskId, '--data-dir', dataDir, '--key').code).toBe(2);
});
