// The process whose memory is scanned: a plane on the data directory given, told what to do by lines
// on stdin, answering each with one line on stdout.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';
import { writeHeapSnapshot } from 'node:v8';
import { openPlane } from 'sealdisk';

const [, , dataDir, engine, debugging] = process.argv;
const allowDebugging = debugging === 'allow-debugging';
const open = () => openPlane({ dataDir, engine, allowDebugging });
let plane = await open();
let disk = null;
let keyId = '';
let planted = null;
const errors = [];

/** How an error looks wherever one may be printed. */
function told(error) {
  return [error.stack, inspect(error, { depth: 9 }), JSON.stringify(error), String(error.cause)];
}

async function finished(taskId) {
  for (;;) {
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [taskId] });
    if (Tasks[0].TaskStatus !== 'Processing') return Tasks[0].TaskStatus;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const commands = {
  async create() {
    keyId = (await plane.call('CreateKey', {})).KeyMetadata.KeyId;
    const parameters = { Size: 1, Encrypted: true, KMSKeyId: keyId };
    return (await plane.call('CreateDisk', parameters)).DiskId;
  },
  async disable() {
    await plane.call('DisableKey', { KeyId: keyId });
    return 'disabled';
  },
  async enable() {
    await plane.call('EnableKey', { KeyId: keyId });
    return 'enabled';
  },
  async refusedAttach(diskId) {
    return plane.attach(diskId).then(
      () => 'attached',
      (error) => errors.push(...told(error)) && error.code,
    );
  },
  // All threads that held keys end, and others take their place.
  async reopen() {
    await plane.close();
    plane = await open();
    return 'reopened';
  },
  async remove(diskId) {
    await plane.call('DeleteDisk', { DiskId: diskId });
    return 'removed';
  },
  async canary(hex, sectors) {
    const bytes = Buffer.alloc(Number(sectors) * 4096, Buffer.from(hex, 'hex'));
    await disk.write(0, bytes);
    await disk.flush();
    return 'written';
  },
  async snapshotAndClone() {
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId: disk.diskId });
    const { DiskId } = await plane.call('CreateDisk', { SnapshotId });
    const clone = await plane.attach(DiskId);
    await clone.write(3 * 4096 + 7, await clone.read(0, 9000), { fua: true });
    await clone.close();
    return DiskId;
  },
  async crash() {
    setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    return 'crashing';
  },
  async abort() {
    setImmediate(() => process.abort());
    return 'aborting';
  },
  // What anybody might print: reports, the audit log, the objects themselves, every error met.
  async reports(path) {
    const { Events } = await plane.call('LookupEvents', { MaxResults: 100 });
    const parts = [
      JSON.stringify(process.report.getReport()),
      JSON.stringify(Events),
      inspect(plane, { depth: 12, showHidden: true }),
      inspect(disk, { depth: 12, showHidden: true }),
      JSON.stringify(await plane.stats()),
      ...errors,
    ];
    writeFileSync(path, parts.join('\n'));
    return `${errors.length} texts of errors, ${Events.length} events`;
  },
  async heap(path) {
    writeHeapSnapshot(path);
    return 'written';
  },
  async leak(path, hex) {
    writeFileSync(path, Buffer.from(hex, 'hex'));
    return 'leaked';
  },
  async plantText(...words) {
    planted = { words: words.map((word) => `${word}`) };
    return 'planted';
  },
  async inspector() {
    const { url, open: openInspector } = await import('node:inspector');
    openInspector(0, '127.0.0.1');
    return url();
  },
  async attach(diskId) {
    disk = await plane.attach(diskId);
    return 'attached';
  },
  async load(rounds) {
    const bytes = new Uint8Array(100_000).fill(0x5a);
    for (let round = 0; round < Number(rounds); round++) {
      await disk.write(round * 4097, bytes);
      await disk.read(round * 4097, bytes);
    }
    return 'loaded';
  },
  async errors() {
    let refused = 0;
    for (let round = 0; round < 200; round++) {
      const keep = (error) => round % 50 === 0 && errors.push(...told(error));
      await disk.read(-1, 1).catch((error) => keep(error, refused++));
      await plane.attach(disk.diskId).catch((error) => keep(error, refused++));
    }
    return `${refused} refused`;
  },
  async detach() {
    await disk.close();
    disk = null;
    return 'detached';
  },
  // Answers when the task is under way for good, or at its end.
  async rekey(bytesPerSecond) {
    const parameters = { DiskId: disk.diskId, BytesPerSecond: Number(bytesPerSecond) };
    const { TaskId } = await plane.call('RekeyDisk', parameters);
    return Number(bytesPerSecond) > 0 ? TaskId : finished(TaskId);
  },
  async finish(taskId) {
    await plane.call('PauseTask', { TaskId: taskId });
    await plane.call('ResumeTask', { TaskId: taskId, BytesPerSecond: 0 });
    return finished(taskId);
  },
  async churn(diskId, rounds) {
    for (let round = 0; round < Number(rounds); round++) {
      const attached = await plane.attach(diskId);
      await attached.write(0, new Uint8Array(5000).fill(round));
      await attached.close();
    }
    return 'churned';
  },
  // The canary: bytes that lie on main in plain must be found.
  async plant(hex) {
    planted = Buffer.from(new ArrayBuffer(4096));
    planted.write(hex, 100, 'hex');
    return 'planted';
  },
  async close() {
    await plane.close();
    return `closed ${planted?.length ?? 0}`;
  },
  async quit() {
    setImmediate(() => process.exit(0));
    return 'bye';
  },
};
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.split(' ');
  console.log(await commands[name](...rest));
}
