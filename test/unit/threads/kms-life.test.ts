/** The KMS thread watched from main, over a worker that is an object: what is taken for a hang. */
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KMS_HANG_MS, KMS_TIMEOUT_MS } from '../../../src/limits.ts';
import type { KmsCall } from '../../../src/record/kms-message.ts';
import { KmsLife } from '../../../src/threads/kms-life.ts';

class FakeWorker extends EventEmitter {
  /** Kinds of calls it answers. */
  answered: readonly KmsCall['kind'][] = ['call', 'ping', 'close'];
  readonly asked: KmsCall['kind'][] = [];
  terminated = 0;

  postMessage(call: KmsCall): void {
    this.asked.push(call.kind);
    if (!this.answered.includes(call.kind)) return;
    this.emit('message', { kind: 'result', id: call.id, result: null });
    if (call.kind === 'close') this.emit('exit', 0);
  }

  terminate(): void {
    this.terminated++;
    this.emit('exit', 1);
  }
}

function served() {
  const worker = new FakeWorker();
  const life = new KmsLife(worker as unknown as Worker, KMS_TIMEOUT_MS);
  worker.emit('message', { kind: 'ready' });
  life.serve(null);
  return { worker, life };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const DESCRIBE = { op: 'describeKey', keyId: 'k', accountId: '1', regionId: 'r' } as const;

describe('a KMS thread', () => {
  it('that waits for a slow disk is asked for signs of life meanwhile, and not ended', async () => {
    const { worker, life } = served();
    worker.answered = ['ping', 'close'];
    for (let round = 0; round < 10; round++) {
      const refused = expect(life.call(DESCRIBE)).rejects.toThrow(/did not answer within 5000 ms/);
      await vi.advanceTimersByTimeAsync(KMS_HANG_MS / 2);
      await refused;
    }
    expect(worker.terminated).toBe(0);
    expect(worker.asked.filter((kind) => kind === 'ping').length).toBeGreaterThan(10);
    await life.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that gives no sign of life is ended, and asked for one at a time until then', async () => {
    const { worker, life } = served();
    worker.answered = [];
    await vi.advanceTimersByTimeAsync(KMS_HANG_MS - 1);
    expect(worker.terminated).toBe(0);
    await vi.advanceTimersByTimeAsync(KMS_HANG_MS);
    expect(worker.terminated).toBe(1);
    expect(worker.asked.length).toBeLessThanOrEqual(Math.ceil((2 * KMS_HANG_MS) / KMS_TIMEOUT_MS));
    expect(life.ended).toMatchObject({ code: 'KmsUnavailable' });
    expect(life.ended!.message).toContain('hung: it gave no sign of life for 10000 ms');
  });
});
