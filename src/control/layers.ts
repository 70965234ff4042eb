/**
 * The trees behind disks and snapshots: shared for what is made from them, removed with them.
 *
 *   d-...          the tree of a resource with one layer
 *   d-....1, .2    trees below it
 *   d-....<chance> a tree put on top later: no name that a removal may have left behind
 *
 * Trees are shared before the record that names them is committed, and removed after the record
 * that named them is gone: a crash in between leaves trees nobody names, which reconcile.ts
 * removes. Where only the shard's thread is lost in between, it is told which trees to keep when it
 * is replaced (unnamed-trees.ts).
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import type { MetadataChange } from '../meta/metadata.ts';
import type { RandomBytes } from '../record/ids.ts';
import type { LayerRecord } from '../record/resource.ts';
import type { ShardRequest } from '../record/shard-message.ts';
import type { PlaneContext } from './context.ts';

/** Fresh names have numbers from here to twice as much: no resource has so many layers. */
const FRESH_DEPTHS = 400_000_000;

/** Where trees are. */
export interface LayeredRecord {
  readonly shardIndex: number;
  readonly layers: readonly LayerRecord[];
}

/**
 * @param resourceId of what is to be read, for the refusal
 * @throws PlaneError DataKeyErased
 */
export function checkNotErased(resourceId: string, layers: readonly LayerRecord[]): void {
  const erased = layers.find((layer) => layer.encryption?.erasedAt !== undefined);
  if (erased === undefined) return;
  throw new PlaneError(
    'DataKeyErased',
    `the data key ${erased.encryption?.lineageId} of ${resourceId} was erased`,
  );
}

/**
 * The layers a new resource has that shares another's content, encryption as it is.
 *
 * @throws PlaneError DataKeyErased
 */
export function layersLike(source: readonly LayerRecord[], newId: string): LayerRecord[] {
  checkNotErased(source[0]?.tree ?? '', source);
  return source.map(({ encryption }, depth) => ({ tree: treeName(newId, depth), encryption }));
}

/**
 * The layers a new resource has whose content is the source's, but is to be under another key: an
 * empty tree on top, and below it the source's.
 *
 * @throws PlaneError DataKeyErased
 */
export function layersOver(
  source: readonly LayerRecord[],
  newId: string,
  encryption: LayerRecord['encryption'],
): LayerRecord[] {
  checkNotErased(source[0]?.tree ?? '', source);
  const below = source.map((layer, depth) => ({ ...layer, tree: treeName(newId, depth + 1) }));
  return [{ tree: newId, encryption }, ...below];
}

/** The layer of a resource that is made empty. */
export function emptyLayers(
  newId: string,
  encryption: LayerRecord['encryption'],
): readonly LayerRecord[] {
  return [{ tree: newId, encryption }];
}

/**
 * Shares the source's trees under the names of `target`, then commits; what was shared is removed
 * again if that fails.
 *
 * @param target on the source's shard; its lowest layers are the source's, in their order
 * @throws PlaneError what a shard or the metadata refuses with
 */
export function shareAndCommit(
  context: PlaneContext,
  source: LayeredRecord,
  target: LayeredRecord,
  change: MetadataChange,
): Promise<void> {
  return shareThen(context, source, target, () => context.metadata.commit(change));
}

/** What is shared with what: see shareAndCommit(). */
export interface SharedPair {
  readonly source: LayeredRecord;
  readonly target: LayeredRecord;
  /** What has to be before it is shared. */
  readonly before?: () => Promise<void>;
}

/** shareAndCommit() of several resources at once: all of them, or none. */
export function shareAllAndCommit(
  context: PlaneContext,
  pairs: readonly SharedPair[],
  change: MetadataChange,
): Promise<void> {
  const [pair, ...others] = pairs;
  if (pair === undefined) return context.metadata.commit(change);
  const share = (): Promise<void> =>
    shareThen(context, pair.source, pair.target, () => shareAllAndCommit(context, others, change));
  return pair.before === undefined ? share() : pair.before().then(share);
}

async function shareThen(
  context: PlaneContext,
  source: LayeredRecord,
  target: LayeredRecord,
  step: () => Promise<void>,
): Promise<void> {
  const own = target.layers.slice(target.layers.length - source.layers.length);
  const { shardIndex } = target;
  const release = context.unnamedTrees.hold({ shardIndex, layers: own });
  let shared: readonly LayerRecord[] = [];
  try {
    await context.shards.call(shardIndex, sharing(source.layers, own));
    shared = own;
    await step();
  } catch (error) {
    // Not answered in time: it may be shared yet, before it is told to remove it.
    if (isCode(error, 'Busy')) shared = own;
    await removeTrees(context, { shardIndex, layers: shared });
    throw error;
  } finally {
    release();
  }
}

/** All trees in one request: between two, writes and re-encryption would come in. */
function sharing(from: readonly LayerRecord[], to: readonly LayerRecord[]): ShardRequest {
  const pairs = from.map(({ tree }, depth) => ({
    source: tree,
    target: (to[depth] as LayerRecord).tree,
  }));
  const [first, ...others] = pairs;
  if (first !== undefined && others.length === 0) return { op: 'shareTree', ...first };
  return { op: 'shareTrees', pairs };
}

/**
 * Removes trees no record names any more. What is to be done is done then, also where the shard is
 * lost meanwhile, or does not answer in time: it removes them when it is replaced, or comes to it.
 */
export async function removeTrees(
  context: Pick<PlaneContext, 'shards'>,
  record: LayeredRecord,
): Promise<void> {
  for (const { tree } of record.layers) {
    try {
      await context.shards.call(record.shardIndex, { op: 'removeTree', name: tree });
    } catch (error) {
      if (!isCode(error, 'ShardLost') && !isCode(error, 'Busy')) throw error;
    }
  }
}

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof PlaneError && error.code === code;
}

/** A tree name that no layer of the resource has, or has had. */
export function freshTreeName(id: string, randomBytes: RandomBytes): string {
  const chance = Buffer.from(randomBytes(4)).readUInt32LE();
  return `${id}.${FRESH_DEPTHS + (chance % FRESH_DEPTHS)}`;
}

function treeName(id: string, depth: number): string {
  return depth === 0 ? id : `${id}.${depth}`;
}
