/**
 * Scrub: every stored sector of a plane read and compared with its checksum, while it serves.
 *
 *   each shard: step ─▶ findings to the audit log ─▶ pause ─▶ step ... ─▶ the next shard
 *
 * 1. A step is small and awaited; the pause after it keeps to the pace asked for.
 * 2. A damaged sector stays what it is: an error for whoever reads it, until it is written again.
 *    Sectors beside it are not touched.
 * 3. What a step finds is in the audit log before the next one begins: an entry for each disk or
 *    snapshot, in its own account, with the first sectors by number.
 * 4. A shard that is lost meanwhile is begun again by the thread that replaces it; what was found
 *    before is not told again.
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import {
  SCRUB_DAMAGE_MAX,
  SCRUB_LAG_MS_MAX,
  SCRUB_RETRIES_MAX,
  SCRUB_STEP_SECTORS,
} from '../limits.ts';
import type { AuditEntry } from '../meta/metadata.ts';
import type { ScrubDamage, ScrubStep } from '../record/shard-message.ts';
import type { PlaneContext } from './context.ts';

/** A ScrubFinding of types.ts, which this layer does not import. */
interface Finding {
  readonly resourceId: string;
  readonly sector: number;
  readonly code: ErrorCode;
}

interface Progress {
  readonly shardsDone: number;
  readonly treesDone: number;
  readonly trees: number;
  readonly sectorsRead: number;
  readonly damagedSectors: number;
}

export interface ScrubRun {
  /** 0: without a pause. */
  readonly bytesPerSecond: number;
  readonly isStopped: () => boolean;
  readonly onProgress: (progress: Progress) => void;
  readonly wait: (milliseconds: number) => Promise<void>;
}

export interface ScrubOutcome {
  readonly isComplete: boolean;
  readonly sectorsRead: number;
  readonly damagedSectors: number;
  readonly damage: readonly Finding[];
}

type ScrubContext = Pick<PlaneContext, 'clock' | 'metadata' | 'shards'>;

/** Sectors one audit entry names; it says how many there are. */
const SECTORS_TOLD = 16;

export class Scrubber {
  private readonly context: ScrubContext;
  private readonly run: ScrubRun;
  private readonly damage: Finding[] = [];
  /** Told of already, as far as they are kept. */
  private readonly known = new Set<string>();
  private sectorsRead = 0;
  private damagedSectors = 0;
  private dueMs: number;

  constructor(context: ScrubContext, run: ScrubRun) {
    this.context = context;
    this.run = run;
    this.dueMs = context.clock.monotonic();
  }

  /** @throws PlaneError ShardLost: a shard is not replaced; what a commit of the metadata throws */
  async scrub(): Promise<ScrubOutcome> {
    let isComplete = true;
    for (let shardIndex = 0; shardIndex < this.context.shards.count; shardIndex++) {
      isComplete &&= await this.scrubShard(shardIndex);
    }
    const { sectorsRead, damagedSectors, damage } = this;
    return { isComplete, sectorsRead, damagedSectors, damage };
  }

  /** @returns false if it was stopped */
  private async scrubShard(shardIndex: number): Promise<boolean> {
    // Another pass than any before: the shard begins with it.
    const pass = this.context.clock.monotonic();
    for (let isDone = false; !isDone; ) {
      if (this.run.isStopped()) return false;
      const step = await this.step(shardIndex, pass);
      isDone = step.isDone;
      this.sectorsRead += step.sectorsRead;
      await this.take(step.damage);
      const { sectorsRead, damagedSectors } = this;
      const { treesDone, trees } = step;
      const shardsDone = shardIndex + (isDone ? 1 : 0);
      this.run.onProgress({ shardsDone, treesDone, trees, sectorsRead, damagedSectors });
      await this.pause(step.sectorsRead * SECTOR_BYTES);
    }
    return true;
  }

  private async step(shardIndex: number, pass: number): Promise<ScrubStep> {
    const request = { op: 'scrubStep', pass, sectorsMax: SCRUB_STEP_SECTORS } as const;
    for (let retries = 0; ; retries++) {
      try {
        return (await this.context.shards.call(shardIndex, request)) as ScrubStep;
      } catch (error) {
        const isLost = error instanceof PlaneError && error.code === 'ShardLost';
        if (!isLost || retries === SCRUB_RETRIES_MAX) throw error;
      }
    }
  }

  private async take(found: readonly ScrubDamage[]): Promise<void> {
    const byResource = new Map<string, Finding[]>();
    for (const { tree, sector, code } of found) {
      if (this.known.has(`${tree} ${sector}`)) continue;
      this.damagedSectors++;
      const finding = { resourceId: resourceOf(tree), sector, code };
      byResource.set(finding.resourceId, [...(byResource.get(finding.resourceId) ?? []), finding]);
      if (this.damage.length === SCRUB_DAMAGE_MAX) continue;
      this.known.add(`${tree} ${sector}`);
      this.damage.push(finding);
    }
    const entries = [...byResource].map(([id, findings]) => this.entry(id, findings));
    const appendAudit = entries.filter((entry) => entry !== null);
    if (appendAudit.length > 0) await this.context.metadata.commit({ appendAudit });
  }

  /** @returns null: the disk or snapshot was deleted meanwhile */
  private entry(resourceId: string, findings: readonly Finding[]): AuditEntry | null {
    const { metadata, clock } = this.context;
    const record = metadata.getDisk(resourceId) ?? metadata.getSnapshot(resourceId);
    if (record === undefined) return null;
    const { accountId, regionId } = record;
    const told = findings.slice(0, SECTORS_TOLD).map(({ sector }) => sector);
    const more = findings.length > told.length ? ', ...' : '';
    return {
      at: clock.now(),
      accountId,
      regionId,
      principal: 'root',
      action: 'Scrub',
      resourceIds: [resourceId],
      keyId: '',
      keyVersion: 0,
      outcome: findings[0]?.code ?? '',
      reason: `${findings.length} damaged sectors: ${told.join(', ')}${more}`,
    };
  }

  private async pause(bytes: number): Promise<void> {
    const { bytesPerSecond, wait } = this.run;
    if (bytesPerSecond === 0) return;
    const now = this.context.clock.monotonic();
    // What was missed long ago is not made up for: it would come all at once.
    this.dueMs = Math.max(this.dueMs + (bytes / bytesPerSecond) * 1000, now - SCRUB_LAG_MS_MAX);
    if (this.dueMs > now) await wait(this.dueMs - now);
  }
}

/** Trees are named after what they were made for: layers.ts. */
function resourceOf(tree: string): string {
  return tree.split('.')[0] ?? tree;
}
