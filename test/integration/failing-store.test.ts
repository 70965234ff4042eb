/** A plane whose files can no longer grow: what it says, what it leaves behind, what is kept. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempDir } from '../support/temp-dir.ts';

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

/** Run by a process of its own: the limit is the process's. */
const SUBJECT = `
import { execFileSync } from 'node:child_process';
import { openPlane } from 'sealdisk';
const limitFiles = (bytes) =>
  execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes]);
const codeOf = (promise) => promise.then(() => 'OK', (error) => error.code);
const dataDir = process.argv[1];
const plane = await openPlane({ dataDir, shards: 1 });
const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
const disk = await plane.attach(DiskId);
await disk.write(0, new Uint8Array(4096).fill(1));
await disk.flush();
limitFiles('0:unlimited');
const written = await codeOf(disk.write(0, new Uint8Array(1 << 20).fill(2)));
const closed = await codeOf(plane.close());
limitFiles('unlimited');
const again = await openPlane({ dataDir });
const { problems } = await again.check();
const [first] = await (await again.attach(DiskId)).read(0, 1);
await again.close();
console.log(JSON.stringify({ written, closed, problems, first }));
`;

test.skipIf(!hasPrlimit)(
  'a store that cannot be closed is an error, and the plane is closed all the same',
  async () => {
    using directory = tempDir();
    const parameters = ['--input-type=module', '--eval', SUBJECT, `${directory.path}/plane`];
    const { stdout } = await promisify(execFile)(process.execPath, parameters);
    // The directory is free again and opens: the lock, the threads and the vault were let go.
    expect(JSON.parse(stdout)).toEqual({
      written: 'NoSpace',
      closed: 'NoSpace',
      problems: [],
      first: 1,
    });
  },
);
