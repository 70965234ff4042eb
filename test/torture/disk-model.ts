/**
 * What a disk may hold, given what was asked of it and what was acknowledged.
 *
 * Requests on one disk take effect in the order they were made, so a disk's states are prefixes of
 * its history: "moment" m is the state after the first m+1 requests, -1 that it began with. Then
 * - a unit that holds version v was seen at a moment when v was the last word on it;
 * - a sector is whole if one moment explains all its units (C1);
 * - nothing acknowledged is lost if that moment is not before the last acknowledged request on the
 *   sector: a killed process loses no committed write (C2, C3);
 * - a snapshot is whole if one moment explains all its units, not before the last request that was
 *   acknowledged when it was asked for, and before the first made after it was answered (C5).
 *
 * A request that failed may have taken effect or not, until a later one has the last word.
 */
import { FOREIGN, SECTOR_UNITS, ZEROS } from './content.ts';
import type { HistoryLine } from './protocol.ts';
import { ALWAYS, intersect, type Spans, union } from './spans.ts';

interface Request {
  readonly unit: number;
  readonly count: number;
  readonly version: number;
  state: 'pending' | 'acknowledged' | 'failed';
}

/** Where in the history a control operation was asked for and answered. */
export interface Interval {
  /** The last moment acknowledged when it was asked for. */
  readonly notBefore: number;
  /** Requests made when it was answered: Infinity if it never was. */
  readonly made: number;
}

export interface DiskHistory {
  /** By number of the disk. */
  readonly disks: ReadonlyMap<number, DiskModel>;
  /** By mark, of each disk. */
  readonly marks: ReadonlyMap<string, ReadonlyMap<number, Interval>>;
  readonly acknowledged: number;
  /** By error code: requests that failed. */
  readonly failed: ReadonlyMap<string, number>;
  /** One more than the last operation's number, 0 without any. */
  readonly nextVersion: number;
}

class DiskModel {
  readonly units: number;
  /** Versions at moment -1. */
  readonly #first: readonly number[];
  readonly #requests: Request[] = [];
  /** By unit: moments of requests that change it, ascending. */
  readonly #changes: number[][];
  #lastAcknowledged = -1;

  constructor(first: readonly number[]) {
    this.units = first.length;
    this.#first = first;
    this.#changes = first.map(() => []);
  }

  get requestCount(): number {
    return this.#requests.length;
  }

  /** The last moment that was acknowledged. */
  get lastAcknowledged(): number {
    return this.#lastAcknowledged;
  }

  /** @returns the moment after it */
  ask(unit: number, count: number, version: number): number {
    const moment = this.#requests.length;
    this.#requests.push({ unit, count, version, state: 'pending' });
    for (let at = unit; at < unit + count; at++) this.#changes[at]!.push(moment);
    return moment;
  }

  settle(moment: number, state: 'acknowledged' | 'failed'): void {
    this.#requests[moment]!.state = state;
    if (state === 'acknowledged') {
      this.#lastAcknowledged = Math.max(this.#lastAcknowledged, moment);
    }
  }

  /** Moments at which a unit can have held a version. */
  momentsOf(unit: number, version: number): Spans {
    const spans: (readonly [number, number])[] = [];
    const changes = this.#changes[unit]!;
    for (let index = -1; index < changes.length; index++) {
      const moment = index === -1 ? -1 : changes[index]!;
      const held = moment === -1 ? this.#first[unit] : this.#requests[moment]!.version;
      if (held !== version) continue;
      // Of requests that failed nobody knows whether they replaced it.
      const next = changes
        .slice(index + 1)
        .find((later) => this.#requests[later]!.state !== 'failed');
      spans.push([moment, next ?? Infinity]);
    }
    return union(spans);
  }

  /** What is wrong with a disk that outlived its process. One sentence for each bad sector. */
  problemsOf(versions: readonly number[]): string[] {
    const problems: string[] = [];
    for (let unit = 0; unit < this.units; unit += SECTOR_UNITS) {
      const problem = this.#sectorProblem(unit, versions);
      if (problem !== null) problems.push(problem);
    }
    return problems;
  }

  /** What is wrong with a snapshot, null if nothing is. */
  snapshotProblem(versions: readonly number[], { notBefore, made }: Interval): string | null {
    let moments: Spans = [[notBefore, made]];
    for (let unit = 0; unit < this.units; unit++) {
      const left = intersect(moments, this.momentsOf(unit, versions[unit]!));
      if (left.length === 0) {
        return (
          `no moment from ${notBefore} to before ${made} explains it: unit ${unit} holds version ` +
          `${versions[unit]}, seen ${show(this.momentsOf(unit, versions[unit]!))}, the units ` +
          `before it are of ${show(moments)}`
        );
      }
      moments = left;
    }
    return null;
  }

  #sectorProblem(first: number, versions: readonly number[]): string | null {
    let whole: Spans = ALWAYS;
    let acknowledged = -1;
    for (let unit = first; unit < Math.min(first + SECTOR_UNITS, this.units); unit++) {
      const version = versions[unit]!;
      const moments = this.momentsOf(unit, version);
      if (moments.length === 0)
        return `${this.#nameOf(unit, version)}, which was never written there`;
      whole = intersect(whole, moments);
      if (whole.length === 0)
        return `sector of unit ${first} is torn: ${this.#show(first, versions)}`;
      for (const moment of this.#changes[unit]!) {
        if (this.#requests[moment]!.state === 'acknowledged') {
          acknowledged = Math.max(acknowledged, moment);
        }
      }
    }
    if (whole.at(-1)![1] > acknowledged) return null;
    return (
      `sector of unit ${first} lost request ${acknowledged} of the disk, which was acknowledged ` +
      `(version ${this.#requests[acknowledged]!.version}): ${this.#show(first, versions)}`
    );
  }

  #nameOf(unit: number, version: number): string {
    if (version === FOREIGN) return `unit ${unit} holds bytes of no write to it`;
    return `unit ${unit} holds ${version === ZEROS ? 'zeros' : `version ${version}`}`;
  }

  #show(first: number, versions: readonly number[]): string {
    const held = versions.slice(first, first + SECTOR_UNITS);
    return `it holds ${held.join(' ')}`;
  }
}

function show(spans: Spans): string {
  const shown = spans.slice(0, 4).map(([from, to]) => `${from}..${to}`);
  return shown.join(', ') || 'never';
}

/** Reads a load's history, on top of what the disks held before it. */
export function modelHistory(
  lines: readonly HistoryLine[],
  before: ReadonlyMap<number, readonly number[]>,
): DiskHistory {
  const disks = new Map<number, DiskModel>();
  for (const [disk, versions] of before) disks.set(disk, new DiskModel(versions));
  const asked = new Map<number, readonly [model: DiskModel, moment: number]>();
  const marks = new Map<string, Map<number, Interval>>();
  const failed = new Map<string, number>();
  let acknowledged = 0;
  let nextVersion = 0;
  for (const line of lines) {
    switch (line[0]) {
      case 'i': {
        const [, operation, kind, disk, unit, count] = line;
        nextVersion = Math.max(nextVersion, operation + 1);
        if (kind === 'f' || kind === 'r') break;
        const isWrite = kind === 'w' || kind === 'W';
        const model = disks.get(disk)!;
        asked.set(operation, [model, model.ask(unit, count, isWrite ? operation : ZEROS)]);
        break;
      }
      case 'a':
      case 's':
        acknowledged++;
        settle(asked, line[1], 'acknowledged');
        break;
      case 'e':
        failed.set(line[2], 1 + (failed.get(line[2]) ?? 0));
        settle(asked, line[1], 'failed');
        break;
      case '<':
        marks.set(
          line[1],
          intervalsOf(disks, (model) => [model.lastAcknowledged, Infinity]),
        );
        break;
      case '>': {
        const begun = marks.get(line[1])!;
        const ended = (model: DiskModel, disk: number): readonly [number, number] => [
          begun.get(disk)!.notBefore,
          model.requestCount,
        ];
        marks.set(line[1], intervalsOf(disks, ended));
        break;
      }
    }
  }
  return { disks, marks, acknowledged, failed, nextVersion };
}

function settle(
  asked: ReadonlyMap<number, readonly [DiskModel, number]>,
  operation: number,
  state: 'acknowledged' | 'failed',
): void {
  const request = asked.get(operation);
  if (request !== undefined) request[0].settle(request[1], state);
}

function intervalsOf(
  disks: ReadonlyMap<number, DiskModel>,
  of: (model: DiskModel, disk: number) => readonly [notBefore: number, made: number],
): Map<number, Interval> {
  const intervals = new Map<number, Interval>();
  for (const [disk, model] of disks) {
    const [notBefore, made] = of(model, disk);
    intervals.set(disk, { notBefore, made });
  }
  return intervals;
}
