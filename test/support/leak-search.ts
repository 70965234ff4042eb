/** Looks for bytes in files: as they are, and as strace writes them. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

export interface FileHit {
  readonly file: string;
  readonly needle: string;
}

export interface FileSearch {
  readonly files: number;
  readonly hits: readonly FileHit[];
}

/** Every file below a directory, whatever its name. */
export function searchFiles(directory: string, needles: ReadonlyMap<string, Buffer>): FileSearch {
  const hits: FileHit[] = [];
  let files = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    files++;
    const file = join(entry.parentPath, entry.name);
    hits.push(...namesFound(readFileSync(file), needles).map((needle) => ({ file, needle })));
  }
  return { files, hits };
}

/** Names of the needles that lie in bytes. */
export function namesFound(bytes: Uint8Array, needles: ReadonlyMap<string, Buffer>): string[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [...needles].filter(([, needle]) => haystack.includes(needle)).map(([name]) => name);
}

const CHUNK_BYTES = 16 * 1024 * 1024;
const OVERLAP_BYTES = 1024;

/** Whether any needle lies in a file, which may be a sparse one of any size. */
export function holdsAny(path: string, needles: ReadonlyMap<string, Buffer>): boolean {
  const zeros = Buffer.alloc(CHUNK_BYTES + OVERLAP_BYTES);
  const chunk = Buffer.alloc(CHUNK_BYTES + OVERLAP_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let at = 0; ; at += CHUNK_BYTES) {
      const got = readSync(file, chunk, 0, chunk.length, at);
      if (got === 0) return false;
      const isHole = chunk.compare(zeros, 0, got, 0, got) === 0;
      if (!isHole && namesFound(chunk.subarray(0, got), needles).length > 0) return true;
    }
  } finally {
    closeSync(file);
  }
}

/** The needles as `strace -xx` writes them. */
export function asTraced(needles: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  return new Map(
    [...needles].map(([name, bytes]) => [
      name,
      Buffer.from(bytes.toString('hex').replace(/../g, '\\x$&')),
    ]),
  );
}

/** Every way plaintext of a user may lie in a file: as it is, as hex, as base64 at any offset. */
export function plaintextNeedles(name: string, bytes: Uint8Array): Map<string, Buffer> {
  const plain = Buffer.from(bytes);
  const needles = new Map([
    [name, plain.subarray(0, 16)],
    [`${name}, its end`, plain.subarray(-16)],
    [`${name} hex`, Buffer.from(plain.toString('hex').slice(0, 32))],
  ]);
  for (const skipped of [0, 1, 2]) {
    const base64 = plain.subarray(skipped).toString('base64').slice(0, 20);
    needles.set(`${name} base64 from ${skipped}`, Buffer.from(base64));
  }
  return needles;
}
