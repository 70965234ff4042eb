/**
 * Gives the KMS thread its end of a shard's private channel. Main keeps no end, so what travels on
 * it, plaintext data keys, cannot be received here.
 *
 * **Thread:** main.
 */
import type { MessagePort } from 'node:worker_threads';
import type { KmsThread } from './kms-thread.ts';

/**
 * @param port moved: unusable on main afterwards
 * @param doorbell shared: rung by the KMS thread after each answer
 */
export function introduce(kms: KmsThread, port: MessagePort, doorbell: Int32Array): void {
  kms.introduce(port, doorbell);
}
