/** Looks for bytes in files: as they are, and as strace writes them. */
import { readdirSync, readFileSync } from 'node:fs';
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
