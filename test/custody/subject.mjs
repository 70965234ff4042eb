// The process whose memory is scanned: a plane on the data directory given, told what to do by lines
// on stdin, answering each with one line on stdout.
import { createInterface } from 'node:readline';
import { openPlane } from 'sealdisk';

const plane = await openPlane({ dataDir: process.argv[2], engine: process.argv[3] });
let disk = null;
let planted = null;
async function finished(taskId) {
  for (;;) {
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [taskId] });
    if (Tasks[0].TaskStatus !== 'Processing') return Tasks[0].TaskStatus;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const commands = {
  async create() {
    return (await plane.call('CreateDisk', { Size: 1, Encrypted: true })).DiskId;
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
      await disk.read(-1, 1).catch(() => refused++);
      await plane.attach(disk.diskId).catch(() => refused++);
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
