/**
 * `sealdisk demo`: the system shown at work, each line a check that was made.
 *
 *   key → encrypted disk → text written → lineage → search of every file: 0 hits
 *       → key disabled: attached disk serves on, attach refused → key enabled: attach heals
 *       → clone reads the same text
 *
 * A plain disk goes through the same search and must be found, or the search would prove nothing.
 * Exit codes: 0 every check holds, 1 one does not.
 */
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { MIB, SECTOR_BYTES } from '../base/units.ts';
import type { Plane } from '../types.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

export interface DemoFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** One line of the demo. */
interface DemoStep {
  readonly step: string;
  readonly isOk: boolean;
  readonly detail: string;
}

interface LineageLine {
  readonly Kind: string;
  readonly Id: string;
  readonly From: readonly string[];
  readonly KMSKeyId: string;
}

const SCHEMA_ID = 'sealdisk-demo/1';
const SECRET_TEXT = 'sealdisk demo: whoever reads this on disk has found a bug. ';
const PLAIN_TEXT = 'sealdisk demo: this disk is plain, so this line is there to be found. ';
/** Sectors of text written to each disk. */
const TEXT_SECTORS = 64;
/** What a plane answers when a disk's key does not unwrap. */
const REFUSALS: ReadonlySet<string> = new Set([
  'Rejected.Disabled',
  'InvalidParameter.KMSKeyId.CMKNotEnabled',
]);

/** Runs the command. */
export async function runDemo(
  flags: DemoFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
): Promise<ExitCode> {
  const temporary =
    flags.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'sealdisk-demo-')) : null;
  const dataDir = flags.dataDir ?? join(temporary!, 'plane');
  const steps: DemoStep[] = [];
  const check = (step: string, isOk: boolean, detail: string): void => {
    steps.push({ step, isOk, detail });
    if (flags.json !== true) terminal.print(`${isOk ? 'ok  ' : 'FAIL'}  ${step}: ${detail}\n`);
  };
  try {
    await using plane = await openPlane({ dataDir });
    await showAll(plane, dataDir, check);
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  }
  const isOk = steps.every((each) => each.isOk);
  if (flags.json === true) {
    terminal.print(`${JSON.stringify({ schema: SCHEMA_ID, ok: isOk, steps }, null, 2)}\n`);
  }
  return isOk ? EXIT.ok : EXIT.failed;
}

type Checker = (step: string, isOk: boolean, detail: string) => void;

async function showAll(plane: Plane, dataDir: string, check: Checker): Promise<void> {
  const { KeyMetadata } = await plane.call('CreateKey', { Description: 'sealdisk demo' });
  const { KeyId, KeyState } = KeyMetadata;
  check('create a master key', KeyState === 'Enabled', `${KeyId}, ${KeyState}`);
  const diskId = await showDisk(plane, KeyId, dataDir, check);
  await showKeyStates(plane, KeyId, diskId, check);
  await showClone(plane, diskId, check);
  const { problems, sectorsChecked } = await plane.check();
  check(
    'check everything stored',
    problems.length === 0,
    problems[0] ?? `${sectorsChecked} sectors`,
  );
}

/** @returns the encrypted disk's id */
async function showDisk(
  plane: Plane,
  keyId: string,
  dataDir: string,
  check: Checker,
): Promise<string> {
  const encrypted = { Size: 1, DiskName: 'demo', Encrypted: true, KMSKeyId: keyId };
  const { DiskId: diskId } = await plane.call('CreateDisk', encrypted);
  const { DiskId: plainId } = await plane.call('CreateDisk', { Size: 1, Encrypted: false });
  const { Disks } = await plane.call('DescribeDisks', { DiskIds: [diskId] });
  const described = Disks[0];
  check(
    'create an encrypted disk',
    described?.Encrypted === true && described.KMSKeyId === keyId,
    `${diskId}, ${described?.Size} GiB, under ${described?.KMSKeyId}`,
  );
  await writeText(plane, diskId, SECRET_TEXT);
  await writeText(plane, plainId, PLAIN_TEXT);
  check(
    'read back what was written',
    await holdsText(plane, diskId, SECRET_TEXT),
    SECRET_TEXT.trim(),
  );
  const { Nodes } = await plane.call('DescribeLineage', { Id: diskId });
  const lines = Nodes.map(describeNode);
  check(
    'lineage',
    Nodes.some(({ Id }) => Id === diskId),
    lines.join('; '),
  );
  const plainHits = await searchFiles(dataDir, PLAIN_TEXT);
  check("search every file for the plain disk's text", plainHits.hits > 0, describeHits(plainHits));
  const secretHits = await searchFiles(dataDir, SECRET_TEXT);
  const isHidden = secretHits.hits === 0 && secretHits.bytes > 0;
  check("search every file for the encrypted disk's text", isHidden, describeHits(secretHits));
  const keySearch = await plane.searchForKey(diskId);
  const isOnlyWrapped = keySearch.hits === 0 && keySearch.wrappedKeyHits > 0;
  const wrappedText = `wrapped: ${keySearch.wrappedKeyHits}`;
  check(
    'search every file for its data key',
    isOnlyWrapped,
    `${describeHits(keySearch)}; ${wrappedText}`,
  );
  return diskId;
}

/** Who came from whom, under which key, in a few words. */
function describeNode({ Kind, Id, From, KMSKeyId }: LineageLine): string {
  const parts = [`${Kind} ${Id}`];
  if (From.length > 0) parts.push(`from ${From.join(', ')}`);
  if (KMSKeyId !== '') parts.push(`under ${KMSKeyId}`);
  return parts.join(' ');
}

async function showKeyStates(
  plane: Plane,
  keyId: string,
  diskId: string,
  check: Checker,
): Promise<void> {
  const attached = await plane.attach(diskId);
  await plane.call('DisableKey', { KeyId: keyId });
  const served = await attached.read(0, SECRET_TEXT.length);
  const isServed = Buffer.from(served).toString() === SECRET_TEXT;
  check('disable the key: the attached disk serves on', isServed, 'its data key is in its shard');
  await attached.close();
  const refusal = await refusalOf(async () => {
    const again = await plane.attach(diskId);
    await again.close();
  });
  check('detach, attach: refused', REFUSALS.has(refusal), refusal);
  await plane.call('EnableKey', { KeyId: keyId });
  const isHealed = await holdsText(plane, diskId, SECRET_TEXT);
  check('enable the key: attach heals', isHealed, 'the same text');
}

async function showClone(plane: Plane, diskId: string, check: Checker): Promise<void> {
  const { DiskId: cloneId } = await plane.call('CloneDisk', { SourceDiskId: diskId });
  const isSame = await holdsText(plane, cloneId, SECRET_TEXT);
  check('clone the disk: the clone has its content', isSame, `${cloneId} from ${diskId}`);
  const { Nodes } = await plane.call('DescribeLineage', { Id: diskId });
  const isRecorded = Nodes.some(({ Id }) => Id === cloneId);
  check('lineage with the clone', isRecorded, Nodes.map(describeNode).join('; '));
  await writeText(plane, cloneId, PLAIN_TEXT);
  const isApart = await holdsText(plane, diskId, SECRET_TEXT);
  check('write to the clone: the source keeps its own', isApart, diskId);
}

/** The text over and over, TEXT_SECTORS sectors long. */
function textBytes(text: string): Buffer {
  return Buffer.alloc(TEXT_SECTORS * SECTOR_BYTES, text);
}

async function writeText(plane: Plane, diskId: string, text: string): Promise<void> {
  await using disk = await plane.attach(diskId);
  await disk.write(0, textBytes(text));
  await disk.flush();
}

async function holdsText(plane: Plane, diskId: string, text: string): Promise<boolean> {
  await using disk = await plane.attach(diskId);
  const read = await disk.read(0, TEXT_SECTORS * SECTOR_BYTES);
  return Buffer.compare(read, textBytes(text)) === 0;
}

/** @returns the code of the refusal, or a sentence if there was none */
async function refusalOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'it was not refused';
  } catch (error) {
    if (error instanceof PlaneError) return error.code;
    throw error;
  }
}

interface SearchResult {
  readonly hits: number;
  readonly files: number;
  readonly bytes: number;
}

function describeHits({ hits, files, bytes }: SearchResult): string {
  return `${hits} hits in ${files} files, ${bytes} bytes`;
}

/** Reads every file of a directory in chunks and counts where the text is. */
async function searchFiles(directory: string, text: string): Promise<SearchResult> {
  const needle = Buffer.from(text);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  let hits = 0;
  let bytes = 0;
  const files = entries.filter((entry) => entry.isFile());
  for (const file of files) {
    const found = await searchFile(join(file.parentPath, file.name), needle);
    hits += found.hits;
    bytes += found.bytes;
  }
  return { hits, files: files.length, bytes };
}

async function searchFile(path: string, needle: Buffer): Promise<{ hits: number; bytes: number }> {
  const handle = await open(path, 'r');
  try {
    // What ends a chunk may begin a hit: the next chunk begins with it.
    const overlap = needle.length - 1;
    const chunk = Buffer.alloc(overlap + MIB);
    let hits = 0;
    let bytes = 0;
    let kept = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, kept, MIB, null);
      if (bytesRead === 0) return { hits, bytes };
      bytes += bytesRead;
      const filled = chunk.subarray(0, kept + bytesRead);
      for (let at = filled.indexOf(needle); at >= 0; at = filled.indexOf(needle, at + 1)) hits += 1;
      kept = Math.min(overlap, filled.length);
      filled.copy(chunk, 0, filled.length - kept);
    }
  } finally {
    await handle.close();
  }
}
