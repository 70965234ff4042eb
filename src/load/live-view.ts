/**
 * What `load --live` shows, as lines of text: how far the run is, what it makes together, and a row
 * for each job and disk. Nothing is written here, and nothing is measured: figures are differences
 * of counts the run keeps anyway, over the last second.
 *
 * crypto is the share of the time of a disk's requests that went into encrypting and decrypting,
 * by those the disk timed; of all that use the disk, and only where the target says.
 *
 * A frame fits any size: columns that are least missed go first, then rows, then the ends of lines.
 */
import { pointPercentile } from './interval-series.ts';
import type { JobProgress } from './job-run.ts';
import { activityKey, cryptoShare, type LoadActivity, RECENT_MS } from './live-activity.ts';
import { clockText } from './status-line.ts';
import { duration, megabytes, shortCount, type TextColumn, textTable } from './text-table.ts';

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

export interface FrameStyle {
  /** False with NO_COLOR. */
  readonly isColoured: boolean;
  /** False where the terminal is not of Unicode. */
  readonly hasBlocks: boolean;
}

interface Counts {
  readonly requests: number;
  readonly bytes: number;
}

interface Look extends Counts {
  readonly atMs: number;
  readonly rows: ReadonlyMap<string, LoadActivity>;
}

const RATES_KEPT = 400;
const NAME_LENGTH_MAX = 28;
const BLOCKS = ' ▁▂▃▄▅▆▇█';
const PLAIN_BLOCKS = ' .:-=+*#@';
const BOLD = '\x1b[1m';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

/** Columns of the table, by how much they are missed: those at the end go first. */
const COLUMNS = ['job', 'IOPS', 'p99', 'p50', 'MB/s', 'queue', 'disk', 'crypto'] as const;
type ColumnName = (typeof COLUMNS)[number];
const SHOWN_ORDER: readonly ColumnName[] = [
  ...(['job', 'disk', 'IOPS', 'MB/s', 'p50', 'p99', 'queue', 'crypto'] as const),
];

export class LiveView {
  #beganAtMs = Number.NaN;
  readonly #looks: Look[] = [];
  readonly #rates: number[] = [];
  #progress: JobProgress | null = null;
  #activities: readonly LoadActivity[] = [];

  /**
   * Looks at a run. The first time is when it began.
   *
   * @param nowMs of performance.now()
   */
  look(nowMs: number, progress: JobProgress, activities: readonly LoadActivity[]): void {
    if (Number.isNaN(this.#beganAtMs)) this.#beganAtMs = nowMs;
    const { requests, bytes } = progress;
    const previous = this.#looks.at(-1);
    this.#progress = progress;
    this.#activities = activities;
    const rows = new Map(activities.map((each) => [activityKey(each), each]));
    this.#looks.push({ atMs: nowMs, requests, bytes, rows });
    while (this.#looks.length > 2 && nowMs - this.#looks[1]!.atMs >= RECENT_MS) this.#looks.shift();
    const isMeasured = progress.phase === 'running' || progress.phase === 'verifying';
    if (previous === undefined || nowMs <= previous.atMs || !isMeasured) return;
    const made = Math.max(0, requests - previous.requests);
    this.#rates.push((made * 1e3) / (nowMs - previous.atMs));
    if (this.#rates.length > RATES_KEPT) this.#rates.shift();
  }

  /** The lines of a frame, none longer than the size says, no more of them than it has rows. */
  frame({ columns, rows }: FrameSize, { isColoured, hasBlocks }: FrameStyle): string[] {
    const styled = (style: string, text: string): string => {
      const cut = text.slice(0, columns);
      return isColoured ? style + cut + PLAIN : cut;
    };
    const head = [
      styled(BOLD, this.#headLine()),
      this.#totalLine().slice(0, columns),
      this.#sparkline(columns, hasBlocks),
      styled(DIM, this.#scaleLine(columns)),
      '',
    ];
    const foot = styled(DIM, 'Ctrl-C ends the run and reports');
    const room = rows - head.length - 2;
    const all = this.#activities;
    const shown = all.length <= room ? all : all.slice(0, Math.max(0, room - 1));
    const [titles = '', ...body] = this.#table(shown, columns);
    const rest = all.length - shown.length;
    const more = rest > 0 ? [styled(DIM, `and ${rest} more`)] : [];
    return [...head, styled(DIM, titles), ...body, ...more, foot].slice(0, rows);
  }

  #headLine(): string {
    const { phase, share } = this.#progress ?? { phase: 'opening', share: Number.NaN };
    const last = this.#looks.at(-1);
    const elapsedMs = last === undefined ? 0 : last.atMs - this.#beganAtMs;
    const isKnown = Number.isFinite(share) && share > 0;
    const percent = isKnown ? `  ${(Math.min(1, share) * 100).toFixed(1)} %` : '';
    const leftMs = isKnown ? (elapsedMs / share) * (1 - Math.min(1, share)) : Number.NaN;
    const left = isKnown ? `, ${clockText(leftMs)} to go` : '';
    return `sealdisk load  ${phase}${percent}  ${clockText(elapsedMs)}${left}`;
  }

  #totalLine(): string {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    const seconds = first === undefined ? 0 : (last!.atMs - first.atMs) / 1e3;
    const rate = (key: keyof Counts): number =>
      seconds > 0 ? Math.max(0, last![key] - first![key]) / seconds : 0;
    const inFlight = this.#activities.reduce((sum, each) => sum + each.inFlight, 0);
    const queue = this.#activities.length > 0 ? `   ${inFlight} in flight` : '';
    return `${shortCount(rate('requests'))} IOPS   ${megabytes(rate('bytes'))} MB/s${queue}`;
  }

  /** Requests a second of each look, the latest to the right. */
  #sparkline(columns: number, hasBlocks: boolean): string {
    const shown = this.#rates.slice(-columns);
    const most = Math.max(1, ...shown);
    const blocks = hasBlocks ? BLOCKS : PLAIN_BLOCKS;
    return shown
      .map((rate) => blocks[rate === 0 ? 0 : Math.max(1, Math.round((rate / most) * 8))]!)
      .join('');
  }

  #scaleLine(columns: number): string {
    const shown = this.#rates.slice(-columns);
    if (shown.length === 0) return '';
    const [least, most] = [Math.min(...shown), Math.max(...shown)];
    return `IOPS over time: least ${shortCount(least)}, most ${shortCount(most)}`;
  }

  /** Titles and rows, with as many columns as there is room for. */
  #table(activities: readonly LoadActivity[], columns: number): string[] {
    if (activities.length === 0) return [];
    const rows = activities.map((activity) => this.#cells(activity));
    const isTimed = activities.some(({ stages }) => stages !== null);
    for (let count = isTimed ? COLUMNS.length : COLUMNS.length - 1; count > 1; count--) {
      const kept: readonly ColumnName[] = COLUMNS.slice(0, count);
      const names = SHOWN_ORDER.filter((name) => kept.includes(name));
      const titles = names.map(
        (title): TextColumn => ({
          title,
          align: title === 'job' || title === 'disk' ? 'left' : 'right',
        }),
      );
      const lines = textTable(
        titles,
        rows.map((row) => names.map((name) => row[name])),
      ).split('\n');
      if (lines.every(({ length }) => length <= columns)) return lines;
    }
    return ['job', ...rows.map(({ job }) => job)].map((line) => line.slice(0, columns));
  }

  #cells(now: LoadActivity): Record<ColumnName, string> {
    const key = activityKey(now);
    const first = this.#looks.find(({ rows }) => rows.has(key))!.rows.get(key)!;
    const seconds = (now.atMs - first.atMs) / 1e3;
    const rate = (of: keyof Counts): number =>
      seconds > 0 ? Math.max(0, now[of] - first[of]) / seconds : 0;
    const time = (percent: number): string => {
      const nanoseconds = pointPercentile(now.recent, percent);
      return nanoseconds === null ? '-' : duration(nanoseconds);
    };
    const share = cryptoShare(first, now);
    return {
      job: shownName(now.job),
      disk: shownName(now.disk),
      IOPS: shortCount(rate('requests')),
      'MB/s': megabytes(rate('bytes')),
      p50: time(50),
      p99: time(99),
      queue: `${now.inFlight}`,
      crypto: share === null ? '-' : `${Math.round(share * 100)} %`,
    };
  }
}

/** A name without what a terminal would obey, and not too long. */
function shownName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through.
  const safe = name.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
  return safe.length > NAME_LENGTH_MAX ? `${safe.slice(0, NAME_LENGTH_MAX - 1)}~` : safe;
}
