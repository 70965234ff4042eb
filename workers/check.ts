/** Entry of a thread that checks shard directories nobody has open. No decisions here. */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../src/base/invariant.ts';
import type { CheckStart } from '../src/record/check-message.ts';
import { checkStoreDirectory } from '../src/segment/check-directory.ts';
import { nodeFileSystem } from '../src/segment/file-system.ts';
import { ObservedFileSystem } from '../src/segment/observed-file-system.ts';

invariant(parentPort !== null, 'this file is the entry of a thread');
const { directories, beat } = workerData as CheckStart;
const fileSystem = new ObservedFileSystem(nodeFileSystem, () => {
  Atomics.add(beat, 0, 1);
});
for (const directory of directories) {
  parentPort.postMessage(checkStoreDirectory(fileSystem, directory));
}
