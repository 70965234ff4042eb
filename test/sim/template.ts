/**
 * What a history begins with: a plane that was made, furnished and closed, once for each geometry
 * and number of shards, from a seed of its own. Making one for each history would take longer than
 * the history.
 */
import { createPrng } from '../../src/base/prng.ts';
import { type Durable, Machine } from './machine.ts';
import { Content } from './model.ts';
import { NO_DISK_FAULTS } from './simulated-disk.ts';
import { SimulatedTime, settleMicrotasks, withSimulatedTimers } from './simulated-time.ts';
import { drawSwarm, type Swarm } from './swarm.ts';
import { Trace } from './trace.ts';

export interface Template {
  readonly durable: Durable;
  readonly disks: readonly { readonly id: string; readonly isEncrypted: boolean }[];
  /** Master keys. */
  readonly keys: readonly string[];
  /** What each disk holds, as the model has it: nothing yet. */
  readonly contents: () => Content[];
}

const KEYS = 2;
const templates = new Map<string, Promise<Template>>();

export function templateFor(swarm: Swarm): Promise<Template> {
  const name = `${swarm.geometryIndex} ${swarm.shardCount}`;
  const template = templates.get(name) ?? makeTemplate(swarm.geometryIndex, swarm.shardCount);
  templates.set(name, template);
  return template;
}

async function makeTemplate(geometryIndex: number, shardCount: number): Promise<Template> {
  const prng = createPrng(0x5ea1);
  const calm = { eventRates: {}, diskRates: NO_DISK_FAULTS, commitErrorRate: 0, unevenness: 0 };
  const swarm: Swarm = { ...drawSwarm(prng), geometryIndex, shardCount, ...calm };
  const time = new SimulatedTime(prng);
  const seams = { prng, time, swarm, trace: new Trace(), count: () => {} };
  const machine = new Machine(seams, null);
  return withSimulatedTimers(time, async () => {
    const furnishing = furnish(machine);
    let isDone = false;
    furnishing.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    while (!isDone) {
      time.step();
      await settleMicrotasks();
    }
    const furnished = await furnishing;
    machine.takeBack();
    return { ...furnished, durable: machine.durable, contents: () => [new Content()] };
  });
}

async function furnish(machine: Machine): Promise<Pick<Template, 'disks' | 'keys'>> {
  const process = machine.open();
  await process.open();
  const keys: string[] = [];
  for (let made = 0; made < KEYS; made++) {
    keys.push((await process.call('CreateKey', {})).KeyMetadata.KeyId);
  }
  const wishes = [
    { Encrypted: false },
    { Encrypted: true },
    { Encrypted: true, KMSKeyId: keys[0]! },
  ];
  const disks: { id: string; isEncrypted: boolean }[] = [];
  for (const wish of wishes) {
    const { DiskId } = await process.call('CreateDisk', { Size: 1, ...wish });
    disks.push({ id: DiskId, isEncrypted: wish.Encrypted });
  }
  await process.close();
  return { disks, keys };
}
