/**
 * Snapshots that were to be kept for some days (RetentionDays) are deleted when these have passed.
 *
 *   looks, when a plane is opened and every RETENTION_SWEEP_MS, for those that are due; deletes
 *   each as DeleteSnapshot without Force would, and says so in the audit log
 *
 * 1. What DeleteSnapshot refuses stays: an image, a share, a disk needs it. It is tried again each
 *    time, and told of once for each code it is refused with, as long as the plane is open.
 * 2. Whether a snapshot is due is said by its record and the clock, nothing else.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { RETENTION_PAGE_SNAPSHOTS, RETENTION_SWEEP_MS } from '../../limits.ts';
import type { SnapshotRecord } from '../../record/resource.ts';
import { auditCall } from '../audit/audit-call.ts';
import type { ControlContext, PlaneContext } from '../context.ts';
import { deleteSnapshot } from './delete-snapshot.ts';

export class RetentionSweeps {
  readonly #plane: PlaneContext;
  /** The code each snapshot was refused with that is due and still there. */
  #refused = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(plane: PlaneContext) {
    this.#plane = plane;
  }

  /** Looks now, and then again and again. */
  start(): void {
    this.#sweeping = this.#sweepAgain();
  }

  /** Waits for a deletion that has begun. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sweeping;
  }

  /** Deletes everything that is due. */
  async sweep(): Promise<void> {
    const { metadata, clock } = this.#plane;
    const stillRefused = new Map<string, string>();
    for (let kept = 0; ; ) {
      const due = metadata.snapshotsDue(clock.now(), kept, RETENTION_PAGE_SNAPSHOTS);
      if (due.length === 0) break;
      for (const snapshot of due) {
        if (this.#isClosed) return;
        const code = await this.#delete(snapshot);
        if (code === null) continue;
        kept++;
        stillRefused.set(snapshot.snapshotId, code);
      }
    }
    this.#refused = stillRefused;
  }

  async #sweepAgain(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      // The metadata cannot be read now: the next look says whether it can again.
      if (!(error instanceof PlaneError)) throw error;
    }
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.start(), RETENTION_SWEEP_MS);
    this.#timer.unref();
  }

  /** @returns null: it is gone; else the code it was refused with */
  async #delete({ snapshotId, accountId, regionId }: SnapshotRecord): Promise<string | null> {
    const plane = this.#plane;
    const principal = { accountId, userName: null, regionId };
    const parameters = { SnapshotId: snapshotId };
    const run = (its: PlaneContext, passValidation = (): void => {}): Promise<unknown> => {
      const context: ControlContext = { ...its, principal, accountId, regionId, passValidation };
      return deleteSnapshot(context, parameters);
    };
    const known = this.#refused.get(snapshotId);
    // Refused before: whether it still is, is asked without a word in the log.
    if (known !== undefined && (await codeOf(run(plane, refuse))) === known) return known;
    const reason = 'RetentionDays';
    const told = { verb: 'DeleteSnapshot', access: 'write', principal, regionId, reason } as const;
    return codeOf(auditCall(plane, { ...told, parameters, isDryRun: false }, run));
  }
}

function refuse(): never {
  throw new PlaneError('DryRunOperation', 'it would be deleted');
}

/** @returns null: it was done, or had been done already */
async function codeOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    return error.code === 'InvalidSnapshotId.NotFound' ? null : error.code;
  }
}
