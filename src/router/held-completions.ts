/**
 * Completions of modelled disks that are held until they are due, of all disks of a plane together.
 *
 *   hold() ─▶ held, by the time they are due ──alarm or timer──▶ deliver()
 *                                            ──letGo(owner)────▶ deliver()
 *
 * 1. Each is delivered once, not before it is due but for PACING_SLACK_MS; those that are due
 *    together in the order they were held.
 * 2. One alarm is set, for whatever is due next, whichever disk it is of: nobody looks meanwhile.
 * 3. A timer of Node's is set for a little later. Without the alarm's thread everything would only
 *    be later; and it keeps the process alive while anything is held.
 *
 * **Thread:** main.
 */
import { systemClock } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import { PACING_LATE_MS, PACING_LEAD_MS, PACING_SLACK_MS, PACING_WAIT_MS_MAX } from '../limits.ts';
import { type Alarm, startAlarmThread } from '../threads/alarm-thread.ts';

export interface HeldCompletion {
  /** On systemClock.monotonic(). */
  readonly dueMs: number;
  readonly owner: object;
  /** Must not throw. */
  readonly deliver: () => void;
}

interface Entry extends HeldCompletion {
  order: number;
}

export class HeldCompletions {
  private readonly alarm: Alarm;
  /** A binary heap: each is due no later than the two below it. */
  private heap: Entry[] = [];
  private held = 0;
  private alarmAt = Number.POSITIVE_INFINITY;
  private timerAt = Number.POSITIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  constructor(startAlarm: (onRing: () => void) => Alarm = startAlarmThread) {
    this.alarm = startAlarm(() => {
      this.alarmAt = Number.POSITIVE_INFINITY;
      this.deliverDue();
    });
  }

  get count(): number {
    return this.heap.length;
  }

  /** @param completion moved */
  hold(completion: HeldCompletion): void {
    const entry = completion as Entry;
    entry.order = this.held++;
    this.insert(entry);
    if (this.heap[0] === entry) this.setAlarm();
  }

  /** Delivers all of an owner at once, in the order they are due. */
  letGo(owner: object): void {
    const own = this.heap.filter((entry) => entry.owner === owner).sort(byDue);
    const others = this.heap.filter((entry) => entry.owner !== owner);
    this.heap = [];
    for (const entry of others) this.insert(entry);
    for (const { deliver } of own) deliver();
  }

  async close(): Promise<void> {
    invariant(this.heap.length === 0, 'every volume was closed');
    clearTimeout(this.timer);
    await this.alarm.close();
  }

  private deliverDue(): void {
    const until = systemClock.monotonic() + PACING_SLACK_MS;
    for (let next = this.heap[0]; next !== undefined && next.dueMs <= until; next = this.heap[0]) {
      this.removeFirst();
      next.deliver();
    }
    this.setAlarm();
  }

  /** Unless it rings, and the timer fires, early enough already. */
  private setAlarm(): void {
    const next = this.heap[0];
    if (next === undefined) return;
    const now = systemClock.monotonic();
    const at = Math.min(next.dueMs, now + PACING_WAIT_MS_MAX);
    if (at < this.alarmAt) {
      this.alarmAt = at;
      this.alarm.set(Math.max(0, at - PACING_LEAD_MS - now));
    }
    const late = at + PACING_LATE_MS;
    if (late >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = late;
    this.timer = setTimeout(() => {
      this.timerAt = Number.POSITIVE_INFINITY;
      this.alarmAt = Number.POSITIVE_INFINITY;
      this.deliverDue();
    }, late - now);
  }

  private insert(entry: Entry): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Entry;
      if (byDue(parent, entry) <= 0) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  private removeFirst(): void {
    const { heap } = this;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && byDue(right, heap[below] as Entry) < 0) below++;
      const child = heap[below] as Entry;
      if (byDue(last, child) <= 0) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function byDue(one: Entry, other: Entry): number {
  return one.dueMs - other.dueMs || one.order - other.order;
}
