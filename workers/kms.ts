/** Entry of the KMS thread: ports on one side, kms/serve.ts on the other. No decisions here. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { scrubStack } from '../src/base/bytes.ts';
import { PlaneError } from '../src/base/errors.ts';
import { haveFault } from '../src/base/faults.ts';
import { invariant } from '../src/base/invariant.ts';
import { Simulation } from '../src/base/simulation.ts';
import { openVaultAt, type VaultPlace } from '../src/kms/open-vault.ts';
import { createKmsServer, type KmsServer } from '../src/kms/serve.ts';
import type { Vault } from '../src/kms/vault.ts';
import { KMS_IDLE_CHECK_MS } from '../src/limits.ts';
import type { KmsCall, KmsReply, UnwrapRequest } from '../src/record/kms-message.ts';

interface KmsThreadStart {
  readonly place: VaultPlace;
  readonly throttling: boolean;
  readonly isSabotageAllowed: boolean;
  /** Memory of a Simulation. */
  readonly simulation: SharedArrayBuffer | null;
}

invariant(parentPort !== null, 'this file is the entry of a thread');
const main = parentPort;
const shards = new Set<MessagePort>();
let idleTimer: NodeJS.Timeout | undefined;
const reply = (message: KmsReply): void => main.postMessage(message);

try {
  const { place, throttling, simulation: memory } = workerData as KmsThreadStart;
  const simulation = memory === null ? null : new Simulation(memory);
  const vault = await openVaultAt(place, simulation?.clock);
  const isDown = (): boolean => simulation?.isKmsDown === true;
  const server = createKmsServer({ vault, throttling, isDown });
  idleTimer = setInterval(() => void idle(server), KMS_IDLE_CHECK_MS).unref();
  main.on('message', (call: KmsCall) => void serve(vault, server, call));
  reply({ kind: 'ready' });
} catch (error) {
  if (!(error instanceof PlaneError)) throw error;
  reply({ kind: 'failed', error: error.toRecord() });
}

/** A store that failed says so to whoever asks next: nobody waits for this. */
async function idle(server: KmsServer): Promise<void> {
  await server.idle().catch((error: unknown) => {
    if (!(error instanceof PlaneError)) throw error;
  });
}

/** A PlaneError is an answer; anything else is a bug, left unhandled so that it ends the thread. */
async function serve(vault: Vault, server: KmsServer, call: KmsCall): Promise<void> {
  const { id } = call;
  try {
    switch (call.kind) {
      case 'call':
        reply({ kind: 'result', id, result: await server.handle(call.request) });
        break;
      case 'introduce':
        introduce(server, call.port as MessagePort, call.doorbell);
        reply({ kind: 'result', id, result: null });
        break;
      case 'ping':
        reply({ kind: 'result', id, result: null });
        break;
      case 'sabotage':
        invariant((workerData as KmsThreadStart).isSabotageAllowed, 'only a test sabotages');
        haveFault(call.fault);
        break;
      case 'close':
        clearInterval(idleTimer);
        for (const port of shards) port.close();
        await vault.close();
        scrubStack();
        reply({ kind: 'result', id, result: null });
        main.close();
        break;
    }
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    reply({ kind: 'error', id, error: error.toRecord() });
  }
}

/**
 * The shard sleeps in Atomics.wait on its doorbell and hears no port: it is rung for each reply.
 */
function introduce(server: KmsServer, port: MessagePort, doorbell: Int32Array): void {
  shards.add(port);
  port.on('close', () => shards.delete(port));
  port.on('message', (request: UnwrapRequest) => {
    const answer = server.unwrap(request);
    if ('key' in answer) {
      port.postMessage(answer, [answer.key]);
      invariant(answer.key.byteLength === 0, 'a plaintext key leaves by transfer, never by clone');
    } else {
      port.postMessage(answer);
    }
    Atomics.add(doorbell, 0, 1);
    Atomics.notify(doorbell, 0);
  });
}
