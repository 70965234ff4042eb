/**
 * fio's I/O logs (read_iolog, write_iolog; HOWTO, "Trace file format"): requests as lines of text.
 *
 *   version 2: FILE ACTION OFFSET LENGTH, FILE add|open|close, FILE wait TIME
 *   version 3: the same behind a time in microseconds; no wait
 *
 * 1. ACTION is read, write, trim, sync or datasync. A wait lasts until so many milliseconds after
 *    the begin: that is what fio does (iolog.c), though its HOWTO says microseconds from the wait
 *    before.
 * 2. A log of a job is of one disk: one FILE, or any number that replay_redirect sends to one.
 * 3. Times count from the first line that has one above zero. replay_time_scale=200 is twice as
 *    fast, replay_no_stall as fast as there is room.
 * 4. Where fio says what it does not understand and goes on, a line here is refused with its place.
 */
import { type OptionPlace, refuse } from './job-values.ts';
import { FLUSH, type Operation, READ, TRIM, WRITE } from './operation-source.ts';

/** What of a log is replayed, and how. */
export interface ReplaySettings {
  readonly isUnstalled: boolean;
  /** null: to where the log says. */
  readonly redirect: string | null;
  /** Offsets are divided by it. */
  readonly scale: number;
  /** Offsets are cut to multiples of it; 0: they are not. */
  readonly alignBytes: number;
  /** Percent of the speed that was recorded. */
  readonly timeScale: number;
  readonly skipped: readonly Operation[];
}

export const DEFAULT_REPLAY: ReplaySettings = {
  isUnstalled: false,
  redirect: null,
  scale: 1,
  alignBytes: 0,
  timeScale: 100,
  skipped: [],
};

/** A log, read. Requests in columns. */
export interface IoLog {
  /** What the log calls the disk. */
  readonly diskName: string;
  readonly operations: Uint8Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  /** After the begin, milliseconds; all 0: whenever there is room. */
  readonly dueMs: Float64Array;
  readonly endBytes: number;
  readonly longestBytes: number;
}

const ACTIONS: Readonly<Record<string, Operation>> = {
  read: READ,
  write: WRITE,
  trim: TRIM,
  sync: FLUSH,
  datasync: FLUSH,
};
const FILE_ACTIONS: readonly string[] = ['add', 'open', 'close'];

interface Entry {
  readonly operation: Operation;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly dueMs: number;
}

/**
 * Reads a log.
 *
 * @param text the whole file
 * @param place of the option that names it
 * @throws PlaneError JobFileInvalid
 */
export function readIoLog(text: string, place: OptionPlace, settings: ReplaySettings): IoLog {
  const lines = text.split(/\r?\n/);
  const version = /^fio version ([23]) iolog$/.exec(lines[0]!.trim())?.[1];
  if (version === undefined) {
    refuse(place, "a log that begins with 'fio version 2 iolog' or 3", lines[0]!.slice(0, 60));
  }
  const reader = new LineReader(place, settings, version === '3');
  for (const [index, line] of lines.entries()) {
    if (index > 0 && line.trim() !== '') reader.read(line.trim(), index + 1);
  }
  const { entries } = reader;
  if (entries.length === 0) refuse(place, 'a log with a request in it', 'none');
  return {
    diskName: settings.redirect ?? reader.diskName!,
    operations: Uint8Array.from(entries, ({ operation }) => operation),
    offsets: Float64Array.from(entries, ({ offsetBytes }) => offsetBytes),
    lengths: Float64Array.from(entries, ({ lengthBytes }) => lengthBytes),
    dueMs: Float64Array.from(entries, ({ dueMs }) => dueMs),
    endBytes: Math.max(...entries.map((each) => each.offsetBytes + each.lengthBytes)),
    longestBytes: Math.max(...entries.map(({ lengthBytes }) => lengthBytes)),
  };
}

class LineReader {
  readonly entries: Entry[] = [];
  diskName: string | null = null;
  readonly #place: OptionPlace;
  readonly #settings: ReplaySettings;
  readonly #isTimed: boolean;
  #lastUs = 0;
  #dueMs = 0;

  constructor(place: OptionPlace, settings: ReplaySettings, isTimed: boolean) {
    this.#place = place;
    this.#settings = settings;
    this.#isTimed = isTimed;
  }

  read(line: string, number: number): void {
    const refuseLine = (expected: string): never =>
      refuse(this.#place, `line ${number} of the log to be ${expected}`, line.slice(0, 60));
    const words = line.split(/\s+/);
    if (this.#isTimed) this.#passTime(wholeOf(words.shift(), refuseLine));
    const [file, action, first, second] = words;
    if (file === undefined || action === undefined) refuseLine('FILE ACTION [OFFSET LENGTH]');
    if (words.length === 2 && FILE_ACTIONS.includes(action!)) return;
    if (action === 'wait' && !this.#isTimed) {
      if (!this.#settings.isUnstalled) this.#dueMs = wholeOf(first, refuseLine);
      return;
    }
    const operation = ACTIONS[action!];
    if (operation === undefined) refuseLine(`one of ${Object.keys(ACTIONS).join(', ')}`);
    if (this.#settings.redirect === null && (this.diskName ?? file) !== file) {
      refuseLine(`about ${this.diskName}: a job is on one disk, or replay_redirect names one`);
    }
    this.diskName = file!;
    if (this.#settings.skipped.includes(operation!)) return;
    this.#add(operation!, wholeOf(first, refuseLine), wholeOf(second, refuseLine));
  }

  #passTime(timeUs: number): void {
    const { isUnstalled, timeScale } = this.#settings;
    const isDelay = this.#lastUs > 0 && timeUs > this.#lastUs && !isUnstalled;
    if (isDelay) this.#dueMs += ((timeUs - this.#lastUs) / 1e3) * (100 / timeScale);
    this.#lastUs = timeUs;
  }

  #add(operation: Operation, offset: number, lengthBytes: number): void {
    const { scale, alignBytes } = this.#settings;
    const scaled = Math.floor(offset / scale);
    const offsetBytes = alignBytes === 0 ? scaled : scaled - (scaled % alignBytes);
    const isFlush = operation === FLUSH;
    this.entries.push({
      operation,
      offsetBytes: isFlush ? 0 : offsetBytes,
      lengthBytes: isFlush ? 0 : lengthBytes,
      dueMs: this.#dueMs,
    });
  }
}

function wholeOf(word: string | undefined, refuseLine: (expected: string) => never): number {
  const number = word !== undefined && /^\d+$/.test(word) ? Number(word) : Number.NaN;
  return Number.isSafeInteger(number) ? number : refuseLine('whole numbers where they belong');
}
