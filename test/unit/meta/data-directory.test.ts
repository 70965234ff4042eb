/** Claiming a data directory: what the system refuses has a code, and a bug keeps its name. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataDirectory } from '../../../src/meta/data-directory.ts';
import { tempDir } from '../../support/temp-dir.ts';

it('a path below a file is unusable', () => {
  using temp = tempDir();
  const file = join(temp.path, 'file');
  writeFileSync(file, '');
  const open = () => openDataDirectory(join(file, 'plane'), null, 1, () => 'id');
  expect(open).toThrow(expect.objectContaining({ code: 'DataDirectoryUnusable' }));
});

it('a bug while it is claimed is told as it is, and leaves no claim', () => {
  using temp = tempDir();
  const { path } = temp;
  const bug = new TypeError('a bug');
  const open = (makeId: () => string) => openDataDirectory(path, null, 1, makeId);
  expect(() =>
    open(() => {
      throw bug;
    }),
  ).toThrow(bug);
  const directory = open(() => 'id');
  expect(readdirSync(path)).toContain('sealdisk.json');
  directory.release();
});
