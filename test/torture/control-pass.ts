/**
 * Control operations, killed at any moment: each is done or not, never in part (C7).
 *
 * Several callers make, change and delete disks, snapshots and keys, each its own. What was
 * answered is so after the next opening; what was cut off is so, or is as before. A creation that
 * was cut off is repeated with its ClientToken: there is one resource then, not two. Nothing is
 * there that nobody asked for, and the plane's own check finds nothing.
 */
import {
  drawIntent,
  type Intent,
  idIn,
  type Kind,
  labelOf,
  listAll,
  type Resource,
  type State,
} from './control-resources.ts';
import { Ground } from './ground.ts';
import { killAfter } from './kill-pass.ts';
import { type Round, violate } from './pass.ts';
import { Refused, VictimEnded, type VictimProcess } from './victim-process.ts';

const CYCLES = 20;
const CALLERS = 3;
const RUN_MS_MAX = 250;
/** What is at rest is one of these. */
const AT_REST: Readonly<Record<Kind, string | undefined>> = {
  disk: 'Available',
  snapshot: 'accomplished',
  key: undefined,
};

interface Caller {
  readonly resources: Map<string, Resource>;
  /** Under way, or cut off. */
  intent: Intent | null;
}

export async function killControl(round: Round): Promise<void> {
  const { prng, figures } = round;
  const ground = new Ground(round, { shards: 1 + prng.nextBelow(2), disks: [], units: 8 });
  const callers = Array.from(
    { length: CALLERS },
    (): Caller => ({ resources: new Map(), intent: null }),
  );
  let victim = round.victim();
  await ground.open(victim);
  for (let cycle = 0; ; cycle++) {
    const names = (index: number, count: number): string => `torture-${cycle}-${index}-${count}`;
    const calling = Promise.all(
      callers.map((caller, index) =>
        keepCalling(round, victim, caller, (count) => names(index, count)),
      ),
    );
    await killAfter(victim, prng.nextFloat() * RUN_MS_MAX, calling);
    figures.kill('kill in control operations');
    victim = round.victim();
    await ground.open(victim);
    await compare(victim, callers);
    for (const caller of callers) await repeat(round, victim, caller);
    await compare(victim, callers);
    await ground.check(victim);
    await openOne(victim, callers[prng.nextBelow(CALLERS)]!);
    if (cycle >= CYCLES || round.isOver()) break;
  }
  await victim.ask('close', {});
  await victim.kill();
}

/** Until the victim ends. */
async function keepCalling(
  { prng, figures }: Round,
  victim: VictimProcess,
  caller: Caller,
  nameOf: (count: number) => string,
): Promise<void> {
  try {
    for (let count = 0; ; count++) {
      const intent = drawIntent([...caller.resources.values()], nameOf(count), prng);
      caller.intent = intent;
      const answered = await victim.call(intent.verb, { ...intent.parameters });
      settle(caller, intent, intent.target?.id ?? idIn(answered));
      figures.operations++;
    }
  } catch (error) {
    if (!(error instanceof VictimEnded)) throw error;
  }
}

/** It is done. */
function settle(caller: Caller, { kind, label, next }: Intent, id: string): void {
  caller.intent = null;
  if (next === null) caller.resources.delete(id);
  else caller.resources.set(id, { kind, label, id, state: next });
}

/** What is there is what was asked for. What was cut off is known then. */
async function compare(victim: VictimProcess, callers: readonly Caller[]): Promise<void> {
  const found = await listAll(victim);
  const problems: string[] = [];
  for (const caller of callers) problems.push(...compareCaller(caller, found));
  for (const [id, [kind, state]] of found) {
    problems.push(`${kind} ${id} is there, nobody asked for it: ${JSON.stringify(state)}`);
  }
  violate(problems);
}

/** @param found what is explained is removed */
function compareCaller(caller: Caller, found: Map<string, [Kind, State]>): string[] {
  const problems: string[] = [];
  const { intent } = caller;
  for (const resource of [...caller.resources.values()]) {
    const { id, kind, state } = resource;
    const actual = found.get(id)?.[1];
    found.delete(id);
    const isAsked = intent?.target?.id === id;
    if (isAsked && isSame(kind, actual, intent.next)) settle(caller, intent, id);
    else if (!isSame(kind, actual, state)) {
      const expected = isAsked ? `${show(state)} or ${show(intent.next)}` : show(state);
      problems.push(`${kind} ${id} is ${show(actual ?? null)}, expected ${expected}`);
    }
  }
  if (intent !== null && intent.target === null) problems.push(...adopt(caller, intent, found));
  else caller.intent = null;
  return problems;
}

/** A creation that was cut off: it made one, as it was asked for, or none. */
function adopt(caller: Caller, intent: Intent, found: Map<string, [Kind, State]>): string[] {
  const { kind, label, next } = intent;
  const made = [...found].filter(([, [of, state]]) => of === kind && labelOf(of, state) === label);
  if (made.length === 0) return [];
  for (const [id] of made) found.delete(id);
  if (made.length > 1) return [`one ${kind} ${label} was asked for, there are ${made.length}`];
  const [id, [, state]] = made[0]!;
  if (!isSame(kind, state, next))
    return [`${kind} ${id} is ${show(state)}, expected ${show(next)}`];
  caller.resources.set(id, { kind, label, id, state: next! });
  return [];
}

/** With the same ClientToken: what was made is answered, what was not is made. */
async function repeat(round: Round, victim: VictimProcess, caller: Caller): Promise<void> {
  const { intent } = caller;
  caller.intent = null;
  if (intent === null || round.prng.nextBelow(3) === 0) return;
  const made = [...caller.resources.values()].find(({ label }) => label === intent.label);
  const id = await repeatCall(victim, intent);
  if (id === null) return;
  if (made !== undefined && made.id !== id) {
    violate([`${intent.verb} ${intent.label} made ${made.id}, and ${id} when it was repeated`]);
  }
  settle(caller, intent, id);
}

/**
 * @returns null if the plane cannot tell whether the first call was done: keys are made elsewhere
 */
async function repeatCall(victim: VictimProcess, intent: Intent): Promise<string | null> {
  try {
    return idIn(await victim.call(intent.verb, { ...intent.parameters }));
  } catch (error) {
    const isUnknown = error instanceof Refused && error.code === 'LastTokenProcessing';
    if (isUnknown && intent.kind === 'key') return null;
    throw error;
  }
}

/** A disk that is there can be opened and read. */
async function openOne(victim: VictimProcess, { resources }: Caller): Promise<void> {
  const disk = [...resources.values()].find(({ kind }) => kind === 'disk');
  if (disk === undefined) return;
  await victim.ask('attach', { diskId: disk.id, disk: 1 });
  await victim.ask('detach', { disk: 1 });
}

function isSame(kind: Kind, actual: State | undefined, expected: State | null): boolean {
  if (actual === undefined || expected === null) return actual === undefined && expected === null;
  const rest = AT_REST[kind];
  if (rest !== undefined && actual.Status !== rest) return false;
  return Object.entries(expected).every(([name, value]) => actual[name] === value);
}

function show(state: State | null): string {
  return state === null ? 'gone' : JSON.stringify(state);
}
