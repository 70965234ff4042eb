/**
 * Job options on our command line, as on fio's: --bs=4k, --bs 4k, --time_based, --name=job.
 *
 * They are taken out of the arguments before the rest is parsed, because fio has two hundred of
 * them and we have a dozen. What neither knows is refused with the nearest of both.
 */
import { FIO_OPTION_NAMES, FIO_OPTIONS, properName } from '../load/fio-options.ts';
import type { OptionLine } from '../load/job-lines.ts';
import { didYouMean } from '../load/nearest.ts';
import { UsageError } from './exit-codes.ts';

export interface SplitArguments {
  readonly jobOptions: readonly OptionLine[];
  /** Everything else, in order. */
  readonly rest: readonly string[];
}

/**
 * @param ownOptions long options of the command itself, without --. They win over fio's of the same
 *   name unless written with =, as in --verify=crc32c
 * @throws UsageError
 */
export function splitJobOptions(
  words: readonly string[],
  ownOptions: readonly string[],
): SplitArguments {
  const jobOptions: OptionLine[] = [];
  const rest: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const match = /^--([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word);
    const name = match?.[1] ?? '';
    const value = match?.[2] ?? null;
    const proper = properName(name);
    const isOwn = ownOptions.includes(name) && (proper === null || value === null);
    if (match === null || isOwn) {
      rest.push(word);
      continue;
    }
    if (proper === null) {
      throw new UsageError(
        `unknown option '--${name}'${didYouMean(name, [...ownOptions, ...FIO_OPTION_NAMES])}`,
      );
    }
    const { kind } = FIO_OPTIONS.get(proper)!;
    const takesNext = value === null && (kind === 'value' || kind === 'boolean');
    if (takesNext) index += 1;
    jobOptions.push({ name, value: takesNext ? (words[index] ?? null) : value, line: 0 });
  }
  return { jobOptions, rest };
}
