/**
 * How main learns of completions: it looks once per turn of the event loop while they keep coming,
 * and for a few tens of microseconds more; then it sleeps until a shard wakes it.
 *
 *   idle ──publish──▶ looking ──nothing for POLL──▶ sleeping ──notify──▶ looking
 *                        └─────nothing in flight────▶ idle
 *
 * Looking takes turns with the event loop (setImmediate), so sockets and timers are served
 * meanwhile.
 *
 * **Thread:** main.
 */
import { MAIN_POLL_MS } from '../limits.ts';
import type { ShardChannel } from '../record/shard-channel.ts';
import type { ShardDispatch } from './dispatch.ts';

interface Lane {
  readonly dispatch: ShardDispatch;
  readonly channel: ShardChannel;
  isSleeping: boolean;
}

export class CompletionPoller {
  private readonly lanes: Lane[] = [];
  private readonly cores: number;
  private isLooking = false;
  private lastProgress = 0;

  /** @param cores processors there are; looking is shortened where shards need them */
  constructor(cores: number) {
    this.cores = cores;
  }

  add(dispatch: ShardDispatch, channel: ShardChannel): void {
    this.lanes.push({ dispatch, channel, isSleeping: false });
  }

  /** The shard behind a dispatch is another: nobody wakes who sleeps on the former's counter. */
  renew(dispatch: ShardDispatch, channel: ShardChannel): void {
    const at = this.lanes.findIndex((lane) => lane.dispatch === dispatch);
    this.lanes[at] = { dispatch, channel, isSleeping: false };
  }

  /** Something was published: look for its completion. */
  start(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    this.lastProgress = performance.now();
    setImmediate(this.look);
  }

  private readonly look = (): void => {
    let busyLanes = 0;
    let hasProgress = false;
    for (const lane of this.lanes) {
      if (lane.dispatch.settle()) hasProgress = true;
      if (lane.dispatch.isInFlight) busyLanes++;
    }
    if (busyLanes === 0) {
      this.isLooking = false;
      return;
    }
    const now = performance.now();
    if (hasProgress) this.lastProgress = now;
    const pollMs = busyLanes + 1 <= this.cores ? MAIN_POLL_MS : 0;
    if (now - this.lastProgress <= pollMs) {
      setImmediate(this.look);
      return;
    }
    this.isLooking = false;
    for (const lane of this.lanes) if (lane.dispatch.isInFlight) this.sleep(lane);
  };

  private sleep(lane: Lane): void {
    if (lane.isSleeping) return;
    const woken = lane.channel.sleepMain(lane.dispatch.settledPosition);
    if (woken === null) {
      this.start();
      return;
    }
    lane.isSleeping = true;
    woken.then(() => {
      lane.isSleeping = false;
      lane.dispatch.settle();
      if (lane.dispatch.isInFlight) this.start();
    });
  }
}
