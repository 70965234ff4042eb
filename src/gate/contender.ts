/**
 * The two things that are compared: what --a and --b may be, in this order, and how each takes a
 * turn.
 * - options (it begins with `-`): this sealdisk's load, with them
 * - a revision (a commit of this repository has the name): built, then run in its folder
 * - a command line otherwise, for the shell
 *
 * The loads of sealdisk stay for a round and are warm (turn-session.ts): a process of one's own for
 * each turn spends the turn on compiling, and its noise is ten times as large. Anything else is a
 * process a turn. Either way processes are made anew again and again, so that where memory happened
 * to lie and what was compiled when is drawn anew each time and counts as noise, which it is.
 */
import { type Measurement, type Reading, readMeasurements } from './metric.ts';
import { buildRevision, findCommit } from './revision.ts';
import { type ProgramCall, runProgram } from './turn-process.ts';
import { isTurnMetric, openSession, type TurnSession } from './turn-session.ts';

export interface Contender {
  readonly kind: 'options' | 'revision' | 'command';
  /** As given. */
  readonly name: string;
  /** Of a revision. */
  readonly commit: string | null;
  /** A process, to its end. */
  takeTurn(): Promise<Measurement[]>;
  /** A process that stays. null: this is none that does */
  openSession(): Promise<TurnSession | null>;
  close(): Promise<void>;
}

export interface ContenderOptions {
  readonly directory: string;
  /** This program: node and the file it runs. */
  readonly self: readonly [string, string];
  /** Job file of options and revisions, a whole path. */
  readonly jobFile: string;
  /** How a revision is built, and run; null: its own sealdisk's load of the job file. */
  readonly build: string;
  readonly run: string | null;
  readonly reading: Reading;
  /** Commands are loads of sealdisk, and can be told to stay. */
  readonly commandsStay: boolean;
  readonly signal: AbortSignal;
  readonly onBuild: (name: string) => void;
}

const TURN_MS_MAX = 120_000;
/** Of a process that stays: long for a request, short for what disturbs a machine. */
const SESSION_TURN_MS = 10;
/** Where a revision of sealdisk has its command, from its root. */
const MAIN_FILE = 'dist/src/cli/main.js';

/** Makes one of the two ready: a revision is built. */
export async function openContender(name: string, options: ContenderOptions): Promise<Contender> {
  const { directory, self, jobFile, run, signal } = options;
  const load = ['load', jobFile, '--json', '--quiet'];
  const inTurns = ['--in-turns', String(SESSION_TURN_MS)];
  if (name.startsWith('-')) {
    const words = [self[1], ...load, ...name.split(/\s+/).filter((word) => word !== '')];
    const call = { program: self[0], words, directory };
    return contender('options', name, options, call, inTurns);
  }
  const commit = await findCommit(name, { directory, signal });
  if (commit === null) {
    const call = { program: name, directory };
    return contender('command', name, options, call, options.commandsStay ? inTurns : []);
  }
  options.onBuild(`${name} (${commit.slice(0, 12)})`);
  const built = await buildRevision(commit, options);
  const call =
    run === null
      ? { program: self[0], words: [MAIN_FILE, ...load], directory: built.directory }
      : { program: run, directory: built.directory };
  return {
    ...contender('revision', name, options, call, run === null ? inTurns : []),
    commit,
    close: () => built.remove(),
  };
}

/** @param inTurns what to add to the words for a process that stays; none: it cannot */
function contender(
  kind: Contender['kind'],
  name: string,
  { reading, signal }: ContenderOptions,
  call: Omit<ProgramCall, 'timeoutMs' | 'signal'>,
  inTurns: readonly string[],
): Contender {
  const limits = { timeoutMs: TURN_MS_MAX, signal };
  return {
    kind,
    name,
    commit: null,
    takeTurn: async () => readMeasurements(await runProgram({ ...call, ...limits }), reading, name),
    openSession: async () => {
      if (inTurns.length === 0 || reading.kind !== 'load') return null;
      const metrics = reading.metrics.filter(isTurnMetric);
      if (metrics.length < reading.metrics.length) return null;
      const staying =
        call.words === undefined
          ? { program: `${call.program} ${inTurns.join(' ')}` }
          : { words: [...call.words, ...inTurns] };
      return openSession({ ...call, ...limits, ...staying }, metrics);
    },
    close: async () => {},
  };
}
