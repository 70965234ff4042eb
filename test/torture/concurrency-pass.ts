/**
 * Many callers, overlapping requests, nobody waits for anybody: every sector is a register, and
 * what was read of it must be explained by some order of what was asked (C1, C2). Meanwhile the
 * disk is snapshotted and moved to another key.
 *
 * A second, stricter look: requests on a disk take effect in the order they were made, so each read
 * must have seen the last write made before it.
 */
import { SECTOR_UNITS, ZEROS } from './content.ts';
import { Ground, pause } from './ground.ts';
import { findNonLinearizable, type RegisterRequest } from './linearizability.ts';
import { type Round, violate } from './pass.ts';
import type { HistoryLine } from './protocol.ts';
import { Refused, type VictimProcess } from './victim-process.ts';

const OPERATIONS = 3_000;

export async function loadConcurrently(round: Round): Promise<void> {
  const { prng } = round;
  const ground = new Ground(round, {
    shards: 1,
    disks: [{ Encrypted: true }, { Encrypted: false }],
    units: SECTOR_UNITS * (4 + prng.nextBelow(28)),
  });
  const victim = round.victim();
  await ground.open(victim);
  await ground.makeDisks(victim);
  let isLoaded = false;
  const load = ground
    .load(victim, {
      callers: 4 + prng.nextBelow(5),
      burst: 1 + prng.nextBelow(3),
      mix: { r: 10, w: 8, W: 1, t: 1, z: 1, f: 1 },
      unitsMax: SECTOR_UNITS * (1 + prng.nextBelow(4)),
      isAligned: true,
      operations: OPERATIONS,
    })
    .finally(() => {
      isLoaded = true;
    });
  await Promise.all([load, disturb(ground, victim, () => isLoaded)]);
  const lines = ground.takeLines();
  round.figures.operations += lines.filter(([what]) => what === 'a' || what === 's').length;
  violate(problemsOf(lines, ground));
  await ground.check(victim);
  await victim.ask('close', {});
  await victim.kill();
}

/** Control operations on the disks beside the load. */
async function disturb(
  ground: Ground,
  victim: VictimProcess,
  isOver: () => boolean,
): Promise<void> {
  const { prng } = ground.round;
  for (let count = 0; count < 4 && !isOver(); count++) {
    await pause(prng.nextBelow(60));
    const { diskId } = ground.disks[0]!;
    const isRekey = prng.nextBelow(2) === 0;
    try {
      await (isRekey
        ? victim.call('RekeyDisk', { DiskId: diskId })
        : victim.call('CreateSnapshot', { DiskId: diskId }));
    } catch (error) {
      // It is being moved already.
      if (!(error instanceof Refused && error.code === 'OperationConflict')) throw error;
    }
  }
}

/** A request on a disk, with what it wrote or saw of each of its units. */
interface Request {
  readonly line: number;
  readonly disk: number;
  readonly unit: number;
  readonly kind: 'write' | 'read';
  versions: readonly number[];
  ended: number;
}

function requestsOf(lines: readonly HistoryLine[], problems: string[]): Request[] {
  const requests = new Map<number, Request>();
  for (const [at, line] of lines.entries()) {
    if (line[0] === 'i') {
      const [, operation, kind, disk, unit, count] = line;
      if (kind === 'f') continue;
      const version = kind === 'w' || kind === 'W' ? operation : ZEROS;
      const versions = new Array<number>(count).fill(version);
      const isRead = kind === 'r';
      const ended = Infinity;
      requests.set(operation, {
        line: at,
        disk,
        unit,
        kind: isRead ? 'read' : 'write',
        versions,
        ended,
      });
      continue;
    }
    if (line[0] === 'e') problems.push(`request ${line[1]} failed with ${line[2]}`);
    const request = typeof line[1] === 'number' ? requests.get(line[1]) : undefined;
    if (request === undefined) continue;
    request.ended = at;
    if (line[0] === 's') request.versions = line[2];
  }
  return [...requests.values()];
}

function problemsOf(lines: readonly HistoryLine[], ground: Ground): string[] {
  const problems: string[] = [];
  const requests = requestsOf(lines, problems);
  for (const { number } of ground.disks) {
    const ofDisk = requests.filter(({ disk }) => disk === number);
    for (let unit = 0; unit < ground.options.units; unit += SECTOR_UNITS) {
      const problem = sectorProblem(ofDisk, unit);
      if (problem !== null) problems.push(`disk ${number}, sector of unit ${unit}: ${problem}`);
    }
  }
  return problems;
}

function sectorProblem(requests: readonly Request[], unit: number): string | null {
  const register: RegisterRequest[] = [];
  let last = ZEROS;
  for (const request of requests) {
    const at = unit - request.unit;
    if (at < 0 || at >= request.versions.length) continue;
    const versions = request.versions.slice(at, at + SECTOR_UNITS);
    const value = versions[0]!;
    const name = `the ${request.kind} of line ${request.line}`;
    if (versions.some((version) => version !== value)) {
      return `${name} saw a torn sector: ${versions.join(' ')}`;
    }
    if (request.kind === 'write') last = value;
    else if (request.ended !== Infinity && value !== last) {
      return `${name} saw version ${value}, the last written before it was ${last}`;
    }
    register.push({ kind: request.kind, value, begun: request.line, ended: request.ended });
  }
  const unexplained = findNonLinearizable(register, ZEROS);
  if (unexplained === null) return null;
  return `no order explains the ${unexplained.kind} of line ${unexplained.begun}`;
}
