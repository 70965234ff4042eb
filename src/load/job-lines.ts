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
 */
import { PlaneError } from '../base/errors.ts';

export interface OptionLine {
  /** As written: may be an alias, may be unknown. */
  readonly name: string;
  /** null: no '=' on the line. */
  readonly value: string | null;
  /** From 1. */
  readonly line: number;
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

/**
 * @param text the whole file; \n or \r\n
 * @param fileName for messages only
 * @throws PlaneError JobFileInvalid with file:line
 */
export function readSections(text: string, fileName: string, environment: Environment): Section[] {
  const sections: OpenSection[] = [];
  const seen = new Map<string, number>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = index + 1;
    const content = raw.replace(/[;#].*$/, '').trim();
    if (content === '') continue;
    if (content.startsWith('[')) {
      sections.push(openSection(content, fileName, line, seen));
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) {
      throw jobFileInvalid(fileName, line, `expected a [section] before option '${content}'`);
    }
    section.options.push(readOption(content, fileName, line, environment));
  }
  return sections;
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
  if (/^include\s/.test(content)) {
    throw jobFileInvalid(fileName, line, 'include is not honoured yet: copy the lines here');
  }
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
  return { name: content.slice(0, equals).trim(), value: expanded, line };
}
