/**
 * DATA: bugs that are planted one at a time, each the kind that somebody may once make. What stands
 * in `find` is a part of the real source file, and occurs there once: if the file has changed so
 * that it does not, planting fails, and so does the test.
 *
 * The simulator must find each within the histories CI runs for it. The first is the canary: what
 * does not find it at once looks at nothing.
 */
import { NO_DISK_FAULTS } from './simulated-disk.ts';
import { type Swarm, VERB_WEIGHTS } from './swarm.ts';

export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** What the histories are like that look for it, where chance alone would need thousands. */
  readonly wish?: Partial<Swarm>;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a write stores nothing',
    file: 'src/shard/volume.ts',
    find: 'this.top.write(first, last - first + 1, staging, stagingAt);',
    replace: '',
  },
  {
    name: 'a flush does not force segments',
    file: 'src/segment/segment-files.ts',
    find: 'this.#fileSystem.fdatasync(file);',
    replace: '',
  },
  {
    name: 'a flush does not force the names of new segments',
    file: 'src/segment/segment-files.ts',
    find: 'this.#fileSystem.fsyncDirectory(join(this.#directory, SEGMENTS_DIRECTORY));',
    replace: '',
  },
  {
    name: 'a flush does not force the log',
    file: 'src/segment/map-log.ts',
    find: 'this.#fileSystem.fdatasync(this.#file);',
    replace: '',
  },
  {
    name: 'the flush-mark is forced before the slots it speaks of',
    file: 'src/segment/journal.ts',
    find: `    this.#parts.segments.sync();
    if (!this.#isMarked) {
      this.#sparing(() => log.writeMark());
      this.#generations.syncLog();`,
    replace: `    if (!this.#isMarked) {
      this.#sparing(() => log.writeMark());
      this.#generations.syncLog();
      this.#parts.segments.sync();`,
  },
  {
    name: 'a batch is acknowledged before it is committed',
    file: 'src/shard/execute.ts',
    find: '    else store.commit();',
    replace: '',
  },
  {
    name: 'a commit that failed is acknowledged',
    file: 'src/shard/serve.ts',
    find: 'if (failure !== null) this.failBatch(this.executed, end, failure);',
    replace: '',
  },
  {
    name: 'a queued flush is dropped',
    file: 'src/shard/execute.ts',
    find: `      case OPERATION.flush:
        return true;`,
    replace: `      case OPERATION.flush:
        return false;`,
  },
  {
    name: 'a write that asks for stable storage does not get it',
    file: 'src/shard/execute.ts',
    find: 'return (channel.flags(position) & FLAG_FUA) !== 0;',
    replace: 'return false;',
  },
  {
    name: 'checksums are not compared',
    file: 'src/segment/log-store.ts',
    find: 'loadedMemory.findMismatch(loadedOffset, found, this.#run.checksums, done);',
    replace: '-1;',
  },
  {
    name: 'segments are removed before a checkpoint forgets them',
    file: 'src/segment/journal.ts',
    find: '(isMoved ? this.#awaitingCheckpoint : this.#awaitingFlush).push(segment);',
    replace: 'this.#awaitingFlush.push(segment);',
  },
  {
    name: 'segments are removed before a flush forgets them',
    file: 'src/segment/journal.ts',
    find: '(isMoved ? this.#awaitingCheckpoint : this.#awaitingFlush).push(segment);',
    replace: '(isMoved ? this.#awaitingCheckpoint : this.#removable).push(segment);',
  },
  {
    name: 'a snapshot is answered before it is durable',
    file: 'src/shard/share-trees.ts',
    find: '    store.flush();',
    replace: '    store.commit();',
  },
  {
    name: 're-encryption discards what is not durable yet',
    file: 'src/shard/reencryption.ts',
    find: 'if (this.unflushedSectors > 0) this.store.flush();',
    replace: '',
  },
  {
    name: 're-encryption overwrites what callers have written',
    file: 'src/shard/reencryption.ts',
    find: 'if (isHole) moved += this.moveHole(at, sectorCount);',
    replace: 'moved += this.moveHole(at, sectorCount);',
  },
  {
    name: 'a zero leaves what lower layers hold',
    file: 'src/shard/volume.ts',
    find: 'for (let index = this.layers.length - 1; index >= 0; index--) {',
    replace: 'for (let index = 0; index >= 0; index--) {',
  },
  {
    name: 'recovery believes slots that no flush has forced',
    file: 'src/segment/replay.ts',
    find: 'this.#isBelieved = batch.sequence <= counted.markSequence;',
    replace: 'this.#isBelieved = true;',
  },
  {
    name: 'recovery does not force what it believes',
    file: 'src/segment/believed-slots.ts',
    find: 'if (this.#segments.size === 0) return;',
    replace: 'if (this.#segments.size >= 0) return;',
  },
  {
    name: 'recovery forces what it believes without writing it',
    file: 'src/segment/believed-slots.ts',
    find: 'fileSystem.pwrite(file, bytes, 0, count * SECTOR_BYTES, slot * SECTOR_BYTES);',
    replace: '',
    // A flush is refused, the next process believes what it was to force, and the power is cut.
    wish: {
      geometryIndex: 3,
      operations: 80,
      verbPart: 0.02,
      eventRates: { kill: 0.01, powerCut: 0.01 },
      diskRates: { ...NO_DISK_FAULTS, syncError: 0.05 },
      keptPart: 0.2,
    },
  },
  {
    name: 'a checkpoint does not keep the roots it writes',
    file: 'src/segment/checkpoint.ts',
    find: 'for (const root of this.#frozenRoots) this.#map.share(root);',
    replace: '',
  },
  {
    name: 'a failed fsync is taken for a good one',
    file: 'src/segment/store-health.ts',
    find: `      this.#base.fdatasync(file);
    } catch (error) {`,
    replace: `      this.#base.fdatasync(file);
    } catch (error) {
      if (error !== null) return;`,
  },
  {
    name: 'a deleted disk loses its tree before its record',
    file: 'src/control/disks/delete-disk.ts',
    find: `    await context.metadata.commit({ removeDisks: [DiskId] });
    await removeTrees(context, disk);`,
    replace: `    await removeTrees(context, disk);
    await context.metadata.commit({ removeDisks: [DiskId] });`,
  },
  {
    name: 'trees that nobody names stay after a crash',
    file: 'src/control/reconcile.ts',
    find: "await shards.call(shardIndex, { op: 'retainTrees', names });",
    replace: '',
  },
  {
    name: 'a disk with a new key is written under the old one',
    file: 'src/control/jobs/rekey-disk.ts',
    find: 'await volumes.pushLayer(disk.diskId, volumeLayerOf(layer));',
    replace: `await volumes.pushLayer(
      disk.diskId,
      volumeLayerOf({ ...layer, encryption: disk.encryption }),
    );`,
  },
  {
    name: 'an unwrap that is never answered is waited for',
    file: 'src/shard/keyring.ts',
    find: 'if (waiting.deadline > now) continue;',
    replace: 'continue;',
  },
  {
    name: 'a lost shard is settled again',
    file: 'src/router/dispatch.ts',
    find: 'if (completed === this.settledCount || this.lost !== null) return false;',
    replace: 'if (completed === this.settledCount) return false;',
  },
  {
    name: 'a shard that was not placed on counts as not a number',
    file: 'src/meta/metadata.ts',
    find: 'for (const [shardIndex, placing = 0] of this.#placing.entries()) {',
    replace: 'for (const [shardIndex, placing] of this.#placing.entries()) {',
    // A disk placed on the second shard, one from a snapshot on the first, and one more.
    wish: {
      shardCount: 2,
      verbPart: 0.5,
      verbWeights: { ...VERB_WEIGHTS, createDisk: 4, diskFromSnapshot: 4 },
    },
  },
  {
    name: 'a volume is taken for open whose thread was lost as it answered',
    file: 'src/router/shard-set.ts',
    find: 'if (lane.losses !== losses) {',
    replace: 'if (lane.losses < losses) {',
    wish: {
      verbPart: 0.5,
      verbWeights: { ...VERB_WEIGHTS, detach: 8, openSnapshot: 4 },
      eventRates: { shardCrash: 0.02 },
    },
  },
  {
    name: 'a store that failed as it was opened again is opened once more',
    file: 'src/router/shard-lane.ts',
    find: 'this.noteFailure(failure);',
    replace: '',
    // Nothing is forced before the thread is lost: what fails is the opening. Then it is read.
    wish: {
      geometryIndex: 3,
      spanSectors: 48,
      sectorsMax: 8,
      operations: 60,
      verbPart: 0.02,
      ioWeights: { write: 10, fuaWrite: 0, read: 10, flush: 0, zero: 0 },
      eventRates: { shardCrash: 0.01 },
      diskRates: { ...NO_DISK_FAULTS, syncError: 0.1 },
    },
  },
];
