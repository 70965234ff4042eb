/** fio itself, where it is installed: the oracle of how its own files are read. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';

const found = spawnSync('fio', ['--version'], { encoding: 'utf8' });

/** Empty where fio can be asked; otherwise why not. */
export const fioAbsent: string = found.status === 0 ? '' : 'fio is not installed';

export function fio(...options: string[]): string {
  // Jobs that verify leave a state file where fio was started.
  const { stdout, stderr } = spawnSync('fio', options, { encoding: 'utf8', cwd: tmpdir() });
  return stdout + stderr;
}

/** What fio's parser makes of numbers: the values it stores, all asked for in one go. */
export function fioNumbers(
  option: string,
  values: readonly string[],
  ...before: string[]
): number[] {
  const asked = values.map((value) => `--${option}=${value}`);
  const common = ['--debug=parse', '--parse-only', '--name=a', '--ioengine=null'];
  const lines = fio(...common, ...before, ...asked).split('\n');
  const parsed = lines.flatMap((line, at) =>
    line.includes(`__handle_option=${option},`)
      ? [Number(/out=(\d+)/.exec(lines[at + 1]!)?.[1])]
      : [],
  );
  return parsed.slice(-values.length);
}
