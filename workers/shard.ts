/**
 * Entry of a shard thread: a piscina task that serves its ring until it is told to stop.
 *
 * The engine passes its known answers before the thread takes any key.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.ts';
import { PlaneError } from '../src/base/errors.ts';
import { haveFault } from '../src/base/faults.ts';
import { invariant } from '../src/base/invariant.ts';
import { nativeLibrary } from '../src/base/native.ts';
import { openThreadProcessor } from '../src/base/thread-processor.ts';
import { selectEngine } from '../src/cipher/select-engine.ts';
import type { UnwrapReply } from '../src/record/kms-message.ts';
import { ShardChannel } from '../src/record/shard-channel.ts';
import {
  type SabotageMessage,
  type ShardCall,
  type ShardStart,
  START_ID,
} from '../src/record/shard-message.ts';
import { openFileStore } from '../src/segment/file-store.ts';
import { nodeFileSystem } from '../src/segment/file-system.ts';
import { openMemoryStore } from '../src/segment/memory-store.ts';
import { ObservedFileSystem } from '../src/segment/observed-file-system.ts';
import { ProcessorHold } from '../src/shard/processor-hold.ts';
import { Shard } from '../src/shard/serve.ts';
import { serveUntilStopped } from '../src/shard/serve-loop.ts';

export default function serve(start: ShardStart<MessagePort>): void {
  const { control } = start;
  let { kms } = start;
  const channel = new ShardChannel(start.memory);
  let shard: Shard;
  try {
    const { engine, considered } = selectEngine(start.engine);
    const opened =
      start.store.kind === 'memory'
        ? { store: openMemoryStore(start.store), recovery: null }
        : openFileStore(start.store.directory, {
            fileSystem: new ObservedFileSystem(nodeFileSystem, () => channel.beat()),
            onFailed: () => channel.markStoreFailed(),
          });
    shard = new Shard({
      channel,
      store: opened.store,
      engine,
      clock: systemClock,
      reply: (reply) => control.postMessage(reply),
      unwrap: (request) => kms.postMessage(request),
      connectKms: (port) => {
        kms.close();
        kms = port as MessagePort;
      },
      yieldProcessor: nativeLibrary()?.find('int sched_yield()') ?? (() => {}),
    });
    control.postMessage({ id: START_ID, result: { considered, recovery: opened.recovery } });
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    control.postMessage({ id: START_ID, error: error.toRecord() });
    return;
  }
  const drainPorts = (): void => {
    for (let got = receiveMessageOnPort(kms); got; got = receiveMessageOnPort(kms)) {
      shard.takeKey(got.message as UnwrapReply);
    }
    for (let got = receiveMessageOnPort(control); got; got = receiveMessageOnPort(control)) {
      const message = got.message as ShardCall | SabotageMessage;
      if ('sabotage' in message) {
        invariant(start.isSabotageAllowed, 'only a test sabotages');
        haveFault(message.sabotage);
      } else {
        shard.handle(message);
      }
    }
  };
  const hold = start.pollMicroseconds > 0 ? makeHold() : null;
  try {
    serveUntilStopped(shard, channel, drainPorts, start.pollMicroseconds, hold);
  } catch (error) {
    shard.eraseKeys();
    throw error;
  } finally {
    hold?.close();
  }
}

function makeHold(): ProcessorHold | null {
  const processor = openThreadProcessor();
  return processor && new ProcessorHold(processor, systemClock.monotonic);
}
