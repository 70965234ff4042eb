/**
 * The two things that are compared: what --a and --b may be, and how each takes a turn.
 *
 * A turn is a process of its own, so that where memory happened to lie and what was compiled when
 * is drawn anew each time and counts as noise, which it is. Three kinds, told apart in this order:
 * - options (it begins with `-`): this sealdisk's load, with them
 * - a revision (a commit of this repository has the name): built, then run in its folder
 * - a command line otherwise, for the shell
 */
import { type Measurement, type Reading, readMeasurements } from './metric.ts';
import { buildRevision, findCommit } from './revision.ts';
import { type ProgramCall, runProgram } from './turn-process.ts';

export interface Contender {
  readonly kind: 'options' | 'revision' | 'command';
  /** As given. */
  readonly name: string;
  /** Of a revision. */
  readonly commit: string | null;
  takeTurn(): Promise<Measurement[]>;
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
  readonly signal: AbortSignal;
  readonly onBuild: (name: string) => void;
}

const TURN_MS_MAX = 120_000;
/** Where a revision of sealdisk has its command, from its root. */
const MAIN_FILE = 'dist/src/cli/main.js';

/** Makes one of the two ready: a revision is built. */
export async function openContender(name: string, options: ContenderOptions): Promise<Contender> {
  const { directory, self, jobFile, run, signal } = options;
  const load = ['load', jobFile, '--json', '--quiet'];
  if (name.startsWith('-')) {
    const words = [self[1], ...load, ...name.split(/\s+/).filter((word) => word !== '')];
    return contender('options', name, options, { program: self[0], words, directory });
  }
  const commit = await findCommit(name, { directory, signal });
  if (commit === null) return contender('command', name, options, { program: name, directory });
  options.onBuild(`${name} (${commit.slice(0, 12)})`);
  const built = await buildRevision(commit, options);
  const call =
    run === null
      ? { program: self[0], words: [MAIN_FILE, ...load], directory: built.directory }
      : { program: run, directory: built.directory };
  return {
    ...contender('revision', name, options, call),
    commit,
    close: () => built.remove(),
  };
}

function contender(
  kind: Contender['kind'],
  name: string,
  { reading, signal }: ContenderOptions,
  call: Omit<ProgramCall, 'timeoutMs' | 'signal'>,
): Contender {
  return {
    kind,
    name,
    commit: null,
    takeTurn: async () => {
      const output = await runProgram({ ...call, timeoutMs: TURN_MS_MAX, signal });
      return readMeasurements(output, reading, name);
    },
    close: async () => {},
  };
}
