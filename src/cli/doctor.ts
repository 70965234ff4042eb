/**
 * `sealdisk doctor`: what this machine can do, what it cannot, and why.
 *
 * Each line is a check that was made, not a wish: the last ones open a plane, write through an
 * encrypted disk and read the bytes back. Exit codes: 0 all checks hold, 1 one does not.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem } from 'node:os';
import { describeHardening } from '../base/process-hardening.ts';
import { GIB } from '../base/units.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import { packageVersion } from './package-files.ts';
import type { Terminal } from './terminal.ts';

/** A sector cipher engine that was considered when a shard started. */
export interface EngineReport {
  readonly name: string;
  /** It passed its known answers here. */
  readonly isUsable: boolean;
  /** Why it is used, is not, or cannot be. */
  readonly reason: string;
}

export interface DoctorFlags {
  readonly json?: boolean;
}

interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

const SCHEMA_ID = 'sealdisk-doctor/1';
const NODE_LEAST = [20, 19] as const;

/**
 * Runs the command.
 *
 * @param engineReports the library's account of the engines it considered; absent: only the one in
 *   use is told
 */
export async function runDoctor(
  flags: DoctorFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
  engineReports?: () => Promise<readonly EngineReport[]>,
): Promise<ExitCode> {
  const checks = [nodeCheck(), opensslCheck(), cpuCheck(), coresCheck(), memoryCheck()];
  const { check, engine } = await planeCheck(openPlane);
  checks.push(coreDumpCheck(), check);
  const engines = (await engineReports?.()) ?? [
    { name: engine, isUsable: check.isOk, reason: 'in use by the shards' },
  ];
  const isOk = checks.every((each) => each.isOk);
  if (flags.json === true) {
    const document = { schema: SCHEMA_ID, version: packageVersion(), ok: isOk, checks, engines };
    terminal.print(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const lines = checks.map(
      (each) => `${each.isOk ? 'ok  ' : 'FAIL'}  ${each.name}: ${each.detail}`,
    );
    for (const { name, isUsable, reason } of engines) {
      lines.push(`${isUsable ? 'ok  ' : 'no  '}  engine ${name}: ${reason}`);
    }
    terminal.print(`${lines.join('\n')}\n`);
  }
  return isOk ? EXIT.ok : EXIT.failed;
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOk = major > NODE_LEAST[0] || (major === NODE_LEAST[0] && minor >= NODE_LEAST[1]);
  const advice = major < 22 ? '; 22 and later encrypt faster' : '';
  const detail = isOk ? `${process.version}${advice}` : `${process.version}, expected >= 20.19`;
  return { name: 'node', isOk, detail };
}

function opensslCheck(): Check {
  return { name: 'openssl', isOk: true, detail: process.versions.openssl };
}

function cpuCheck(): Check {
  const model = cpus()[0]?.model ?? 'unknown model';
  let flags = '';
  try {
    flags = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    // Not Linux: the model is all there is to say, and the plane's check says the rest.
    return { name: 'cpu', isOk: true, detail: model };
  }
  const has = ['aes', 'vaes', 'avx512f'].filter((flag) => new RegExp(`\\b${flag}\\b`).test(flags));
  const detail = `${model}; ${has.length === 0 ? 'no AES instructions: slow' : has.join(', ')}`;
  return { name: 'cpu', isOk: true, detail };
}

function coresCheck(): Check {
  const cores = availableParallelism();
  const advice = cores < 3 ? ': the main thread and two shards share them' : '';
  return { name: 'cores', isOk: true, detail: `${cores}${advice}` };
}

function memoryCheck(): Check {
  const freeGiB = freemem() / GIB;
  return { name: 'memory', isOk: freeGiB > 0.5, detail: `${freeGiB.toFixed(1)} GiB free` };
}

/** Asked when a plane has been opened: opening one is what empties core dumps. */
function coreDumpCheck(): Check {
  const { isCoreDumpEmpty, isCoreLimitZero } = describeHardening();
  const missing = [
    ...(isCoreDumpEmpty ? [] : ['coredump_filter could not be set']),
    ...(isCoreLimitZero ? [] : ['the limit could not be set to 0: use ulimit -c 0']),
  ];
  const detail = missing.length === 0 ? 'none, and without memory' : missing.join('; ');
  return { name: 'core dumps', isOk: true, detail };
}

/** Opens a plane in memory and does one encrypted round trip. */
async function planeCheck(openPlane: OpenPlane): Promise<{ check: Check; engine: string }> {
  const name = 'encrypted round trip';
  try {
    await using plane = await openPlane({ memory: true });
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    await using disk = await plane.attach(DiskId);
    const written = new Uint8Array(8192).map((_, index) => index * 31);
    await disk.write(512, written);
    const read = await disk.read(512, written.byteLength);
    const isOk = Buffer.compare(read, written) === 0;
    const engine = (await plane.stats()).shards[0]?.engine ?? 'unknown';
    const detail = isOk
      ? `as written, engine ${engine}`
      : 'read back other bytes than were written';
    return { check: { name, isOk, detail }, engine };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { check: { name, isOk: false, detail }, engine: 'none' };
  }
}
