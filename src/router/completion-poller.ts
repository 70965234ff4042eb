/**
 * How main learns of completions: it looks once per turn of the event loop while they keep coming,
 * and for a few tens of microseconds more; then it sleeps until a shard wakes it.
 *
 *    ┌──────completed within SPIN────┐
 *   idle ──publish──▶ (few requests) spinning ──▶ looking
 *   idle ──publish──▶ looking ──nothing for POLL──▶ sleeping ──notify──▶ looking
 *                     │  ▲  └─────nothing in flight────▶ idle
 *        a turn without news, several requests in flight
 *                     ▼  │
 *      spinning, if they are few; then blocked (MAIN_BLOCK_MS at most)
 *
 * 1. Looking takes turns with the event loop (setImmediate), so sockets and timers are served
 *    meanwhile.
 * 2. A turn costs a few microseconds whether it finds something or not. Where a shard has several
 *    requests to do, main waits for it without turning: the processor is left to who has work (a
 *    client on this machine), and what arrives meanwhile is found all at once. Only while one
 *    shard is busy: main can wait for one.
 * 3. A few small requests are often done before a turn is over: main looks at nothing else until
 *    they are, for MAIN_SPIN_MS at most. Their replies leave together, and no thread has to be
 *    woken, which on a virtual machine costs more than the request: the shard polls, too, after so
 *    few (shard/serve-loop.ts). After MAIN_SPINS_MAX times there is a turn, or a caller that awaits
 *    one request after the other would keep sockets and timers from being served.
 *
 * **Thread:** main.
 */
import {
  MAIN_BLOCK_MS,
  MAIN_BLOCK_REQUESTS_MIN,
  MAIN_POLL_MS,
  MAIN_SPIN_BYTES_MAX,
  MAIN_SPIN_MS,
  MAIN_SPIN_REQUESTS_MAX,
  MAIN_SPINS_MAX,
} from '../limits.ts';
import type { ShardChannel } from '../record/shard-channel.ts';
import type { ShardDispatch } from './dispatch.ts';

/** Reading the clock costs as much as several looks. */
const LOOKS_PER_CLOCK = 16;

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
  /** Times something was waited for in place since the last turn. */
  private spins = 0;
  /** Whether something was published since the last look. */
  private hasPublished = false;

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
    this.hasPublished = true;
    if (this.isLooking || this.spin()) return;
    this.isLooking = true;
    this.lastProgress = performance.now();
    setImmediate(this.look);
  }

  /** @returns whether all that was in flight was completed meanwhile */
  private spin(): boolean {
    if (this.spins === MAIN_SPINS_MAX || this.cores < 2) return false;
    let busy: ShardDispatch | null = null;
    for (const { dispatch } of this.lanes) {
      if (dispatch.inFlight === 0) continue;
      if (busy !== null) return false;
      busy = dispatch;
    }
    if (busy === null || !areFew(busy)) return false;
    this.spins++;
    spinOn(busy);
    return busy.inFlight === 0;
  }

  private readonly look = (): void => {
    this.spins = 0;
    let busyLanes = 0;
    let busyLane: Lane | null = null;
    let hasProgress = false;
    for (const lane of this.lanes) {
      if (lane.dispatch.settle()) hasProgress = true;
      if (lane.dispatch.inFlight > 0) {
        busyLanes++;
        busyLane = lane;
      }
    }
    if (busyLane === null) {
      this.isLooking = false;
      return;
    }
    const hasNews = hasProgress || this.hasPublished;
    this.hasPublished = false;
    if (!hasNews && busyLanes === 1 && this.block(busyLane)) hasProgress = true;
    const now = performance.now();
    if (hasProgress) this.lastProgress = now;
    const pollMs = busyLanes + 1 <= this.cores ? MAIN_POLL_MS : 0;
    if (now - this.lastProgress <= pollMs) {
      setImmediate(this.look);
      return;
    }
    this.isLooking = false;
    for (const lane of this.lanes) if (lane.dispatch.inFlight > 0) this.sleep(lane);
  };

  /** @returns whether there were completions at its end; they are settled */
  private block({ dispatch, channel }: Lane): boolean {
    if (dispatch.inFlight < MAIN_BLOCK_REQUESTS_MIN) return false;
    if (this.cores > 1 && areFew(dispatch) && spinOn(dispatch)) return true;
    channel.blockMain(dispatch.settledPosition, MAIN_BLOCK_MS);
    return dispatch.settle();
  }

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
      if (lane.dispatch.inFlight > 0) this.start();
    });
  }
}

/** Whether what is in flight is soon done. */
function areFew({ inFlight, bytesInFlight }: ShardDispatch): boolean {
  return inFlight <= MAIN_SPIN_REQUESTS_MAX && bytesInFlight <= MAIN_SPIN_BYTES_MAX;
}

/** Settles until nothing is in flight, MAIN_SPIN_MS at most. @returns false if that was nothing */
function spinOn(dispatch: ShardDispatch): boolean {
  const deadline = performance.now() + MAIN_SPIN_MS;
  let hasSettled = false;
  do {
    for (let look = 0; look < LOOKS_PER_CLOCK; look++) {
      if (!dispatch.hasCompleted) continue;
      hasSettled = dispatch.settle();
      if (dispatch.inFlight === 0) return true;
    }
  } while (performance.now() < deadline);
  return hasSettled;
}
