// The server that is fuzzed: exports wild, clean and healthy on the unix socket given, until SIGTERM;
// then it prints the bugs it was told of, as a JSON array. A second word plants a bug:
//   twice   some flushes are answered twice          crash   a trim of nothing throws
//   hang    some reads are never answered            leak    every write is kept
//   bytes   some reads have a byte nobody wrote      mixed   some reads are of the neighbour
import { listExports } from '../../dist/src/front/nbd/exports.js';
import { startNbdServer } from '../../dist/src/front/nbd/server.js';
import { Transmission } from '../../dist/src/front/nbd/transmission.js';
import { openPlane } from '../../dist/src/index.js';

const [socketPath, planted] = process.argv.slice(2);
const plane = await openPlane({ memory: true });
const kept = [];
let reads = 0;

const faults = {
  hang: (disk) => ({
    read: (offset, into) =>
      ++reads % 20 === 0 ? new Promise(() => {}) : disk.read(offset, into),
  }),
  bytes: (disk) => ({
    read: async (offset, into) => {
      const bytes = await disk.read(offset, into);
      if (++reads % 20 === 0 && bytes.length > 0) bytes[bytes.length - 1] = 0xab;
      return bytes;
    },
  }),
  mixed: (disk) => ({
    read: (offset, into) => disk.read(++reads % 20 === 0 && offset > 4096 ? offset - 4096 : offset, into),
  }),
  crash: (disk) => ({
    trim: (offset, length) => {
      if (length === 0) setImmediate(() => { throw new TypeError('planted'); });
      return disk.trim(offset, length);
    },
  }),
  leak: (disk) => ({
    write: (offset, bytes, options) => {
      kept.push(Buffer.alloc(2 ** 22, 1));
      return disk.write(offset, bytes, options);
    },
  }),
};

/** The disk, with the calls of the planted fault in place of its own. */
function withFault(disk) {
  const own = faults[planted]?.(disk) ?? {};
  return new Proxy(disk, {
    get: (target, name) => {
      if (own[name] !== undefined) return own[name];
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

if (planted === 'twice') {
  const { request } = Transmission.prototype;
  let flushes = 0;
  Transmission.prototype.request = function twice(one, payload) {
    request.call(this, one, payload);
    if (one.command === 3 && one.refusal === null && ++flushes % 50 === 0) {
      request.call(this, one, payload);
    }
  };
}

const exports = [];
for (const name of ['wild', 'clean', 'healthy']) {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  const disk = withFault(await plane.attach(DiskId));
  const open = async () => ({ disk, close: async () => {} });
  exports.push({ name, description: '', isReadOnly: false, open });
}
const bugs = [];
const server = await startNbdServer({
  address: { socketPath },
  directory: listExports(exports),
  registerBuffer: (buffer) => plane.registerBuffer(buffer),
  onBug: (error) => bugs.push(String(error)),
});
process.once('SIGTERM', async () => {
  await server.stop();
  await plane.close();
  console.log(JSON.stringify(bugs));
});
console.log('listening');
