/**
 * A job file as sections of option lines: the INI layer, which knows no option by name.
 *
 * Grammar (fio HOWTO, "Job file format"; init.c __parse_jobs_ini, parse.c strip_blank_end):
 *
 *   file    = { line }
 *   line    = blank | section | option, then an optional comment
 *   section = '[' name ']'
 *   option  = name [ '=' value ]
 *   comment = ';' or '#' to the end of the line, anywhere in it
 *
 * 1. [global] may come more than once: each sets defaults for the sections after it.
 * 2. Any other section name comes once: two jobs of one name could not be told apart in a report.
 * 3. ${NAME} in a value is the environment variable NAME, which must be set.
 * 4. $pagesize, $mb_memory and $ncpus in a value are the machine's, and the value may then be a
 *    product: 8*1024*$pagesize (fio options.c, fio_keyword_replace).
 * 5. A line 'include FILE' stands for the lines of that file, which may begin with options of the
 *    section it stands in. FILE is looked for beside the file that names it.
 */
import { availableParallelism, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { PlaneError } from '../base/errors.ts';

export interface OptionLine {
  /** As written: may be an alias, may be unknown. */
  readonly name: string;
  /** null: no '=' on the line. */
  readonly value: string | null;
  /** From 1. */
  readonly line: number;
  /** The file the line stands in, if it is an included one. */
  readonly fileName?: string;
}

export interface Section {
  readonly name: string;
  readonly line: number;
  readonly options: readonly OptionLine[];
}

/** Environment variables, for ${NAME}. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface OpenSection {
  readonly name: string;
  readonly line: number;
  readonly options: OptionLine[];
}

/** A JobFileInvalid at a place in a file. Line 0 is the command line, which has no lines. */
export function jobFileInvalid(fileName: string, line: number, detail: string): PlaneError {
  const place = line === 0 ? fileName : `${fileName}:${line}`;
  return new PlaneError('JobFileInvalid', `${place}: ${detail}`);
}

/** fio reads a section called global, or beginning with it, as defaults (init.c, strncmp 6). */
export function isGlobal(sectionName: string): boolean {
  return sectionName.startsWith('global');
}

/** Includes inside includes: more is a circle. */
const INCLUDE_DEPTH_MAX = 16;
/** Bytes of a page, as fio reports it on every machine we run on. */
const PAGE_BYTES = 4096;

/** Reads an included file. @param fileName resolved against the file that names it */
export type IncludeReader = (fileName: string) => string;

/** What the lines of a file, and of those it includes, are read with. */
interface LineContext {
  readonly environment: Environment;
  readonly include: IncludeReader;
  readonly sections: OpenSection[];
  readonly seen: Map<string, number>;
}

/**
 * @param text the whole file; \n or \r\n
 * @param fileName for messages, and what included files are looked for beside
 * @param include throws what says why a file cannot be read
 * @throws PlaneError JobFileInvalid with file:line
 */
export function readSections(
  text: string,
  fileName: string,
  environment: Environment,
  include: IncludeReader = noInclude,
): Section[] {
  const context: LineContext = { environment, include, sections: [], seen: new Map() };
  readLines(text, fileName, 0, context);
  return context.sections;
}

/** Where nothing can be read beside the job file. */
export function noInclude(): never {
  throw new Error('files cannot be included here');
}

function readLines(text: string, fileName: string, depth: number, context: LineContext): void {
  const { sections, seen } = context;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = index + 1;
    const content = raw.replace(/[;#].*$/, '').trim();
    if (content === '') continue;
    const included = /^include\s+(\S.*)$/.exec(content)?.[1];
    if (included !== undefined) {
      const from = { fileName, line };
      const name = resolve(dirname(fileName), included);
      readLines(readIncluded(name, from, depth, context), name, depth + 1, context);
      continue;
    }
    if (content.startsWith('[')) {
      sections.push(openSection(content, fileName, line, seen));
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) {
      throw jobFileInvalid(fileName, line, `expected a [section] before option '${content}'`);
    }
    const option = readOption(content, fileName, line, context.environment);
    section.options.push(depth === 0 ? option : { ...option, fileName });
  }
}

function readIncluded(
  name: string,
  { fileName, line }: { fileName: string; line: number },
  depth: number,
  { include }: LineContext,
): string {
  if (depth >= INCLUDE_DEPTH_MAX) {
    throw jobFileInvalid(fileName, line, `include: more than ${INCLUDE_DEPTH_MAX} deep`);
  }
  try {
    return include(name);
  } catch (error) {
    throw jobFileInvalid(fileName, line, `include ${name}: ${(error as Error).message}`);
  }
}

function openSection(
  content: string,
  fileName: string,
  line: number,
  seen: Map<string, number>,
): OpenSection {
  if (!content.endsWith(']')) {
    throw jobFileInvalid(fileName, line, `expected [name], got '${content}'`);
  }
  const name = content.slice(1, -1).trim();
  if (name === '') throw jobFileInvalid(fileName, line, 'expected a name between [ and ]');
  const firstLine = seen.get(name);
  if (firstLine !== undefined && !isGlobal(name)) {
    throw jobFileInvalid(fileName, line, `section [${name}] is already at line ${firstLine}`);
  }
  seen.set(name, line);
  return { name, line, options: [] };
}

function readOption(
  content: string,
  fileName: string,
  line: number,
  environment: Environment,
): OptionLine {
  const equals = content.indexOf('=');
  if (equals === 0) throw jobFileInvalid(fileName, line, `expected a name before '=': ${content}`);
  if (equals < 0) return { name: content, value: null, line };
  const value = content.slice(equals + 1).trim();
  const expanded = value.replace(/\$\{([^}]*)\}/g, (_, variable: string) => {
    const set = environment[variable];
    if (set === undefined) {
      throw jobFileInvalid(fileName, line, `environment variable ${variable} is not set`);
    }
    return set;
  });
  return { name: content.slice(0, equals).trim(), value: machineWords(expanded), line };
}

const MACHINE_WORDS: Readonly<Record<string, () => number>> = {
  pagesize: () => PAGE_BYTES,
  mb_memory: () => Math.floor(totalmem() / 2 ** 20),
  ncpus: () => availableParallelism(),
};

/** A value with the machine's words in it, and the product they stand in worked out. */
function machineWords(value: string): string {
  const named = value.replace(/\$(pagesize|mb_memory|ncpus)/g, (_, word: string) => {
    return `${MACHINE_WORDS[word]!()}`;
  });
  if (named === value || !/^\d+([*/]\d+)+$/.test(named)) return named;
  const [first, ...steps] = named.split(/(?=[*/])/);
  const product = steps.reduce((sum, step) => {
    const factor = Number(step.slice(1));
    return step.startsWith('*') ? sum * factor : Math.floor(sum / factor);
  }, Number(first));
  return `${product}`;
}
