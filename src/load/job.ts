/**
 * A job file, read: sections become jobs that can be planned and run.
 *
 * 1. A job starts from the defaults as every [global] before it left them, then takes its own
 *    options in the order written, then those of the command line. kb_base goes first (fio sorts
 *    it so): it says what the sizes beside it mean.
 * 2. stage: jobs of one stage run together, the next stage begins when all of them ended
 *    (stonewall). groupId: as fio counts them, a new one at each stonewall or new_group.
 * 3. Nothing is dropped in silence: an option is honoured, noted, about something other than disks,
 *    or refused with file:line.
 */
import { KIB } from '../base/units.ts';
import { LOAD_CLONES_MAX, LOAD_DEPTH_MAX, REQUEST_BYTES_MAX } from '../limits.ts';
import { fixedSize } from './block-sizes.ts';
import { LATER_OPTIONS } from './fio-later-options.ts';
import { FIO_OPTION_NAMES, FIO_OPTIONS, isHonoured, properName } from './fio-options.ts';
import { readIoLog } from './io-log.ts';
import {
  type Environment,
  type IncludeReader,
  isGlobal,
  jobFileInvalid,
  noInclude,
  type OptionLine,
  readSections,
  type Section,
} from './job-lines.ts';
import { SETTERS } from './job-setters.ts';
import { defaultSettings, type JobSettings } from './job-settings.ts';
import { everyDirection, switchValue } from './job-values.ts';
import { didYouMean } from './nearest.ts';
import { type Operation, READ, WRITE } from './operation-source.ts';
import { zoneRange } from './strided-zones.ts';
import { UNIT_BYTES } from './version-map.ts';

/** One section of a job file, ready to plan. */
export interface Job extends Readonly<JobSettings> {
  readonly name: string;
  readonly stage: number;
  readonly groupId: number;
  /** The job's own options as written, by proper name; "1" for a bare switch. */
  readonly options: Readonly<Record<string, string>>;
}

export interface JobFile {
  /** For messages. */
  readonly fileName: string;
  readonly jobs: readonly Job[];
  /** Options of [global], as fio's JSON reports them. */
  readonly globalOptions: Readonly<Record<string, string>>;
  /** For stderr: what was read but is not honoured. Each once. */
  readonly notes: readonly string[];
}

export interface JobFileContext {
  /** For ${NAME}. @default none is set */
  readonly environment?: Environment;
  /** Options that win over every job's own; line 0. @default none */
  readonly overrides?: readonly OptionLine[];
  /** Reads a file that an include line names. @default nothing can be included */
  readonly include?: IncludeReader;
}

/** File name of options that came from the command line. */
const COMMAND_LINE = 'command line';

/**
 * Reads a job file.
 *
 * @param text the whole file
 * @param fileName for messages
 * @throws PlaneError JobFileInvalid with file:line
 */
export function readJobFile(text: string, fileName: string, context: JobFileContext = {}): JobFile {
  const sections = readSections(text, fileName, context.environment ?? {}, context.include);
  const file = buildJobs(sections, fileName, context.overrides ?? [], context.include ?? noInclude);
  if (file.jobs.length === 0) throw jobFileInvalid(fileName, 1, 'expected at least one [job]');
  return file;
}

/**
 * Jobs written as options, as on fio's command line: each `name` begins another; what stands before
 * the first is global.
 *
 * @throws PlaneError JobFileInvalid
 */
export function readJobOptions(
  options: readonly OptionLine[],
  include: IncludeReader = noInclude,
): JobFile {
  const sections: { name: string; line: number; options: OptionLine[] }[] = [];
  for (const option of options) {
    if (option.name === 'name') {
      sections.push({ name: option.value ?? 'job', line: 0, options: [] });
      continue;
    }
    if (sections.length === 0) sections.push({ name: 'global', line: 0, options: [] });
    sections.at(-1)!.options.push(option);
  }
  if (!sections.some(({ name }) => !isGlobal(name))) {
    sections.push({ name: 'job', line: 0, options: [] });
  }
  return buildJobs(sections, COMMAND_LINE, [], include);
}

interface Line {
  readonly fileName: string;
  readonly line: number;
}

/** Options by their proper names: what was said last, and where. */
interface Written {
  readonly options: Record<string, string>;
  readonly places: Map<string, Line>;
}

/** Options that say how long a request is. */
const BLOCK_SIZES = ['bssplit', 'bsrange', 'bs'] as const;

function buildJobs(
  sections: readonly Section[],
  fileName: string,
  overrides: readonly OptionLine[],
  include: IncludeReader,
): JobFile {
  const notes = new Set<string>();
  const note = (text: string): void => void notes.add(text);
  const defaults = defaultSettings();
  const global: Written = { options: {}, places: new Map() };
  const jobs: Job[] = [];
  for (const section of sections) {
    if (isGlobal(section.name)) {
      applyOptions(defaults, global, section.options, fileName, note);
      continue;
    }
    const settings = structuredClone(defaults);
    const written: Written = { options: {}, places: new Map(global.places) };
    applyOptions(settings, written, section.options, fileName, note);
    applyOptions(settings, written, overrides, COMMAND_LINE, note);
    openIoLog(settings, include);
    checkSettings(settings, written.places, { fileName, line: section.line });
    if (settings.isTimeBased && settings.runtimeUs === 0) {
      // As in fio: it says so, and runs the job by its size.
      settings.isTimeBased = false;
      note('time_based needs runtime: the job runs without it');
    }
    const previous = jobs.at(-1);
    const isBarrier = previous !== undefined && settings.stonewall;
    const isGroup = isBarrier || (previous !== undefined && settings.startsGroup);
    jobs.push({
      ...settings,
      name: settings.name ?? section.name,
      stage: (previous?.stage ?? 0) + (isBarrier ? 1 : 0),
      groupId: (previous?.groupId ?? 0) + (isGroup ? 1 : 0),
      options: written.options,
    });
  }
  checkGroups(jobs, fileName);
  return { fileName, jobs, globalOptions: global.options, notes: [...notes] };
}

/** read_iolog: the log is read, and says what the job does. */
function openIoLog(settings: JobSettings, include: IncludeReader): void {
  if (settings.ioLogFile === null) return;
  const { fileName, place } = settings.ioLogFile;
  let text: string;
  try {
    text = include(fileName);
  } catch (error) {
    throw jobFileInvalid(place.fileName, place.line, `read_iolog: ${(error as Error).message}`);
  }
  const log = readIoLog(text, place, settings.replay);
  const does = (operation: Operation): boolean => log.operations.includes(operation);
  const direction = does(WRITE) ? 'write' : does(READ) ? 'read' : 'trim';
  const isMixed = does(READ) && does(WRITE);
  const name = `replay of ${fileName}`;
  settings.ioLog = log;
  settings.workload = { name, direction, isMixed, isRandom: true, trimsFirst: false };
  settings.blockSizes = everyDirection(fixedSize(Math.max(1, log.longestBytes)));
  const odd = [...log.offsets, ...log.lengths].find((bytes) => bytes % UNIT_BYTES !== 0);
  if (settings.verify !== 'none' && odd !== undefined) {
    const expected = `verify: expected requests of multiples of ${UNIT_BYTES} bytes`;
    throw jobFileInvalid(place.fileName, place.line, `${expected}, the log has ${odd}`);
  }
}

/** Jobs of a group are steady by one rule (fio, td_steadystate_init). */
function checkGroups(jobs: readonly Job[], fileName: string): void {
  const ruleOf = ({ steadyTimes, steadyCriterion }: Job): string =>
    steadyTimes.windowMs === 0 ? 'none' : JSON.stringify([steadyTimes, steadyCriterion]);
  for (const [at, job] of jobs.entries()) {
    const previous = jobs[at - 1];
    if (previous?.groupId === job.groupId && ruleOf(previous) !== ruleOf(job)) {
      const names = `${previous.name} and ${job.name}`;
      throw jobFileInvalid(fileName, 0, `steadystate: ${names} are of one group and differ in it`);
    }
  }
}

function applyOptions(
  settings: JobSettings,
  written: Written,
  options: readonly OptionLine[],
  fileName: string,
  note: (text: string) => void,
): void {
  const isBase = (option: OptionLine): boolean => option.name === 'kb_base';
  const ordered = [...options.filter(isBase), ...options.filter((option) => !isBase(option))];
  for (const option of ordered) applyOption(settings, written, option, fileName, note);
}

function applyOption(
  settings: JobSettings,
  written: Written,
  { name, value, line, fileName: includedFrom }: OptionLine,
  sectionFileName: string,
  note: (text: string) => void,
): void {
  const fileName = includedFrom ?? sectionFileName;
  const proper = properName(name);
  if (proper === null) {
    const suggestion = didYouMean(name, FIO_OPTION_NAMES);
    throw jobFileInvalid(fileName, line, `unknown option '${name}'${suggestion}`);
  }
  const { optionClass, kind } = FIO_OPTIONS.get(proper)!;
  if (value === null && (kind === 'value' || kind === 'boolean')) {
    throw jobFileInvalid(fileName, line, `option '${name}' needs a value: expected ${name}=...`);
  }
  if (optionClass === 'refused') {
    throw jobFileInvalid(fileName, line, `${name} is not about block I/O on a disk: cannot run it`);
  }
  const place = { fileName, line, option: name };
  if (optionClass === 'honoured' && (kind === 'switch' || kind === 'boolean')) {
    switchValue(place, value);
  }
  const unsaid = kind === 'optional' ? '' : '1';
  written.options[proper] = value ?? unsaid;
  written.places.set(proper, place);
  if (isHonoured(proper)) {
    SETTERS[proper](settings, value ?? unsaid, { place, note });
    return;
  }
  const later = LATER_OPTIONS[proper];
  if (later !== undefined && value !== later.fioDefault) {
    note(`${name} is not honoured: the job runs without it (${later.because})`);
  }
}

/** What options come to together. @param section where the job begins: it has only defaults */
function checkSettings(settings: JobSettings, places: Written['places'], section: Line): void {
  const refuse = (options: readonly string[], detail: string): never => {
    const place = options.map((name) => places.get(name)).find((found) => found !== undefined);
    const { fileName, line } = place ?? section;
    throw jobFileInvalid(fileName, line, detail);
  };
  const { blockSizes, workload } = settings;
  const directions = workload.isMixed ? (['read', 'write'] as const) : [workload.direction];
  for (const direction of directions) {
    const { most: bytes, least, split } = blockSizes[direction];
    if (bytes > REQUEST_BYTES_MAX) {
      refuse(BLOCK_SIZES, `bs: expected at most ${REQUEST_BYTES_MAX / KIB}k, got ${bytes} bytes`);
    }
    const lengths = [least, ...(split ?? []).map((share) => share.bytes)];
    const odd = lengths.find((length) => length % 512 !== 0);
    if (settings.verify !== 'none' && odd !== undefined) {
      refuse(['verify', ...BLOCK_SIZES], `verify: expected bs to be a multiple of 512, got ${odd}`);
    }
    const zoneBytes = zoneRange(settings.zones, Number.POSITIVE_INFINITY);
    if (zoneBytes < bytes)
      refuse(
        ['zonerange', 'zonesize'],
        `zonerange: expected at least bs, ${bytes}, got ${zoneBytes}`,
      );
    const sizeBytes = settings.size?.bytes ?? null;
    if (sizeBytes !== null && sizeBytes < bytes && settings.ioLog === null) {
      refuse(['size'], `size: expected at least bs, ${bytes} bytes, got ${sizeBytes}`);
    }
  }
  if (settings.depth > LOAD_DEPTH_MAX) {
    refuse(['iodepth'], `iodepth: expected at most ${LOAD_DEPTH_MAX}, got ${settings.depth}`);
  }
  if (settings.clones > LOAD_CLONES_MAX) {
    refuse(['numjobs'], `numjobs: expected at most ${LOAD_CLONES_MAX}, got ${settings.clones}`);
  }
  const { zones, zoneMode } = settings;
  if (zones.sizeBytes > 0 && zoneMode === 'none')
    refuse(['zonesize'], 'zonemode=none has no zonesize');
  if (zones.sizeBytes === 0 && zoneMode === 'strided')
    refuse(['zonemode'], 'zonemode=strided needs zonesize');
  const { windowMs, intervalMs } = settings.steadyTimes;
  if (windowMs > 0 && windowMs < intervalMs) {
    refuse(
      ['steadystate_duration', 'steadystate'],
      `ss_dur: expected at least the ${intervalMs} ms between two looks, got ${windowMs}`,
    );
  }
  if (settings.verify !== 'none' && settings.hasOddLengths) {
    refuse(
      ['verify', 'bs_unaligned'],
      'verify: expected lengths of multiples of 512, not bs_unaligned',
    );
  }
  if (settings.depthLow !== null && settings.depthLow > settings.depth) {
    refuse(['iodepth_low'], `iodepth_low: expected at most iodepth, ${settings.depth}`);
  }
  if (settings.verify === 'pattern' && settings.verifyPattern === null) {
    refuse(['verify'], 'verify=pattern needs verify_pattern');
  }
}
