/** How main looks for completions, with a real channel and the shard's side played by the test. */
import { describe, expect, it } from 'vitest';
import {
  MAIN_SPIN_BYTES_MAX,
  MAIN_SPIN_REQUESTS_MAX,
  MAIN_SPINS_MAX,
} from '../../../src/limits.ts';
import {
  allocateShardChannel,
  OPERATION,
  ShardChannel,
} from '../../../src/record/shard-channel.ts';
import { CompletionPoller } from '../../../src/router/completion-poller.ts';
import { type IoRequest, ShardDispatch } from '../../../src/router/dispatch.ts';
import { RegisteredBuffers } from '../../../src/router/registered-buffers.ts';

interface Played {
  /**
   * Asks for a write of so many bytes; 0: for a flush. Resolves when main has been told of its
   * completion.
   */
  readonly ask: (lengthBytes?: number) => Promise<void>;
  /** The shard completes everything it was shown. */
  readonly complete: () => void;
}

/** @param isQuick the shard completes a request in the tick in which it is published */
function played(cores: number, isQuick: boolean): Played {
  const memory = allocateShardChannel();
  const [main, shard] = [new ShardChannel(memory), new ShardChannel(memory)];
  const poller = new CompletionPoller(cores);
  const buffers = new RegisteredBuffers(async () => undefined);
  const complete = (): void => void shard.publishCompleted(shard.submitted);
  const dispatch = new ShardDispatch(main, buffers, () => {
    if (isQuick) complete();
    poller.start();
  });
  poller.add(dispatch, main);
  const ask = (lengthBytes = 0): Promise<void> =>
    new Promise((resolve) => {
      const request: IoRequest = {
        operation: lengthBytes === 0 ? OPERATION.flush : OPERATION.write,
        handle: 1,
        flags: 0,
        offsetBytes: 0,
        lengthBytes,
        bytes: lengthBytes === 0 ? null : new Uint8Array(lengthBytes),
        registered: null,
        placedBytes: 0,
        piecesInRing: 0,
        times: null,
        error: null,
        settled: () => resolve(),
      };
      dispatch.enqueue(request);
    });
  return { ask, complete };
}

/** Whether the event loop turned before all that was asked at once was completed. */
async function turnsFor({ ask }: Played, lengths: readonly number[]): Promise<boolean> {
  let hasTurned = false;
  setImmediate(() => {
    hasTurned = true;
  });
  await Promise.all(lengths.map((length) => ask(length)));
  return hasTurned;
}

describe('main', () => {
  it('is told of a quick completion without a turn of the event loop', async () => {
    const { ask } = played(2, true);
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    for (let request = 0; request < MAIN_SPINS_MAX; request++) await ask();
    expect(hasTurned).toBe(false);
  });

  it('is told of few completions without a turn, of many or long ones by turns', async () => {
    const few = Array<number>(MAIN_SPIN_REQUESTS_MAX).fill(4096);
    expect(await turnsFor(played(2, true), few)).toBe(false);
    expect(await turnsFor(played(2, true), [...few, 4096])).toBe(true);
    expect(await turnsFor(played(2, true), [MAIN_SPIN_BYTES_MAX])).toBe(false);
    expect(await turnsFor(played(2, true), [MAIN_SPIN_BYTES_MAX, 4096])).toBe(true);
  });

  it('is told again without a turn of few after it was told of much', async () => {
    const subject = played(2, true);
    await turnsFor(subject, Array<number>(4).fill(MAIN_SPIN_BYTES_MAX));
    // Looking goes on for a while, and a look may be a turn: what counts is that it ends.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await turnsFor(subject, [4096, 4096])).toBe(false);
  });

  it('lets timers run under a caller that awaits one request after the other', async () => {
    const { ask } = played(2, true);
    let isOver = false;
    setTimeout(() => {
      isOver = true;
    }, 5);
    let requests = 0;
    // Without a turn now and then this ends by the bound alone.
    while (!isOver && requests < 5_000_000) {
      await ask();
      requests++;
    }
    expect(isOver).toBe(true);
  });

  it('looks by turns where there is one core', async () => {
    expect(await turnsFor(played(1, true), [0])).toBe(true);
    expect(await turnsFor(played(1, true), [0, 0])).toBe(true);
  });

  it('is told of what completes later, of one request and of several', async () => {
    for (const requests of [1, 2, 5]) {
      const { ask, complete } = played(2, false);
      const asked = Promise.all(Array.from({ length: requests }, () => ask()));
      setTimeout(complete, 20);
      await asked;
    }
  });
});
