/** How main waits for a shard without turning, beside its other way of waiting. */
import { describe, expect, it } from 'vitest';
import { allocateShardChannel, ShardChannel } from '../../../src/record/shard-channel.ts';

const LONG_MS = 60_000;

function channelPair(): { main: ShardChannel; shard: ShardChannel } {
  const memory = allocateShardChannel();
  return { main: new ShardChannel(memory), shard: new ShardChannel(memory) };
}

describe('main that waits without turning', () => {
  it('does not wait for what is completed already', () => {
    const { main, shard } = channelPair();
    shard.publishCompleted(3);
    const startMs = performance.now();
    main.blockMain(2, LONG_MS);
    expect(performance.now() - startMs).toBeLessThan(LONG_MS / 2);
  });

  it('gives up when its time is over, and nobody is told to wake it then', () => {
    const { main, shard } = channelPair();
    main.blockMain(0, 1);
    expect(main.completed).toBe(0);
    expect(shard.publishCompleted(1)).toBe(false);
  });

  it('leaves whoever sleeps to be woken', async () => {
    const { main, shard } = channelPair();
    const woken = main.sleepMain(0);
    expect(woken).not.toBeNull();
    main.blockMain(0, 1);
    expect(shard.publishCompleted(1)).toBe(true);
    await expect(woken).resolves.toBe('ok');
  });
});
