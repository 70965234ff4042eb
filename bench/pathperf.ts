import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { CompletionPoller } from '../src/router/completion-poller.ts';
import { DiskIo } from '../src/router/disk-io.ts';
import { ShardDispatch } from '../src/router/dispatch.ts';
import { ShardThread } from '../src/threads/shard-thread.ts';

const poll = Number(process.env.POLL ?? 40);
const poller = new CompletionPoller(Number(process.env.CORES ?? availableParallelism()));
const disks: DiskIo[] = [];
const threads: ShardThread[] = [];

import { startKmsThread } from '../src/threads/kms-thread.ts';

const kms = await startKmsThread({ dataDir: null, rootKeyFile: null });
const svc = await kms.call({
  op: 'serviceKey',
  accountId: '1000000000000001',
  regionId: 'cn-hangzhou',
});
const context = {
  accountId: '1000000000000001',
  regionId: 'cn-hangzhou',
  lineageId: 'd-aaaaaaaaaaaaaaaaaaaa',
};
const wrappedKey = await kms.call({ op: 'generateWrappedDataKey', keyId: svc.keyId, context });
const FILE = process.env.FILE;
for (let s = 0; s < 2; s++) {
  const th = await ShardThread.start({
    shardIndex: s,
    store: FILE
      ? { kind: 'file', directory: FILE + '/shard-' + s }
      : { kind: 'memory', memoryLimitBytes: 2e9 },
    engine: 'auto',
    pollMicroseconds: poll,
    introduce: (port, doorbell) => kms.introduce(port, doorbell),
  });
  const dispatch = new ShardDispatch(th.channel, () => poller.start());
  poller.add(dispatch, th.channel);
  th.onLost = (e) => dispatch.fail(e);
  await th.call({
    op: 'openVolume',
    handle: 1,
    diskId: 'd',
    sizeBytes: 1 << 30,
    wrappedKey,
    context,
  });
  disks.push(
    new DiskIo({
      diskId: 'd' + s,
      sizeBytes: 1 << 30,
      encrypted: true,
      handle: 1,
      dispatch,
      detach: async () => {},
    }),
  );
  threads.push(th);
}
async function load(use: DiskIo[], rw: 'r' | 'w', bs: number, depth: number, ms: number) {
  let ops = 0;
  const end = performance.now() + ms;
  const lat: number[] = [];
  const loop = async (d: DiskIo, seed: number) => {
    const buf = new Uint8Array(bs).fill(seed);
    let x = seed * 7919 + 1;
    const n = Math.floor((1 << 28) / bs);
    for (;;) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      const off = (x % n) * bs;
      const t = performance.now();
      if (rw === 'r') await d.read(off, buf);
      else await d.write(off, buf);
      ops++;
      const t2 = performance.now();
      if (ops % 16 === 0) lat.push(t2 - t);
      if (t2 > end) return;
    }
  };
  const t0 = performance.now();
  await Promise.all(
    use.flatMap((d, i) => Array.from({ length: depth }, (_, k) => loop(d, i * 1000 + k))),
  );
  const s = (performance.now() - t0) / 1000;
  lat.sort((a, b) => a - b);
  const cpu = process.cpuUsage();
  console.log(
    `${use.length} disks ${rw} ${bs} qd${depth}: ${(ops / s / 1000).toFixed(0)}k IOPS ${((ops * bs) / s / 1e9).toFixed(2)} GB/s p50 ${(lat[lat.length >> 1]! * 1000).toFixed(0)}us p99 ${(lat[Math.floor(lat.length * 0.99)]! * 1000).toFixed(0)}us`,
  );
}
const T = 700;
await load(disks, 'w', 1048576, 4, 1500);
for (let k = 0; k < 2; k++)
  for (const rw of ['w', 'r'] as const) {
    await load(disks, rw, 131072, 16, T);
    await load(disks, rw, 1 << 20, 4, T);
    await load(disks.slice(0, 1), rw, 131072, 16, T);
    await load(disks, rw, 4096, 64, T);
    await load(disks.slice(0, 1), rw, 4096, 128, T);
    await load(disks.slice(0, 1), rw, 4096, 1, T);
  }
for (const t of threads) await t.close();
await kms.close();
