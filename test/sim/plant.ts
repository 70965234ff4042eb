/**
 * Plants a bug: a module imported as `<path>?planted=<number>`, and all of the project that it
 * imports, are copies of their own, and in the bug's file its text is replaced.
 *
 * A plugin of vite, for the vitest project that runs the simulator.
 */
import { readFileSync } from 'node:fs';
import { PLANTED_BUGS } from './planted-bugs.ts';

const QUERY = /\?planted=(\d+)$/;

interface Resolver {
  resolve(
    source: string,
    importer: string,
    options: { skipSelf: boolean },
  ): Promise<{ readonly id: string } | null>;
}

/** The text of a file with a bug in it. @throws Error the bug's place is not there, or not once */
export function withBug(bugIndex: number, path: string, text: string): string {
  const bug = PLANTED_BUGS[bugIndex];
  if (bug === undefined) throw new Error(`there is no planted bug ${bugIndex}`);
  if (!path.endsWith(`/${bug.file}`)) return text;
  const count = text.split(bug.find).length - 1;
  if (count === 1) return text.replace(bug.find, () => bug.replace);
  throw new Error(`"${bug.name}": expected its place in ${bug.file} once, found it ${count} times`);
}

export function plantedBugs() {
  return {
    name: 'planted-bugs',
    enforce: 'pre' as const,
    async resolveId(this: Resolver, source: string, importer: string | undefined) {
      const planted = QUERY.exec(importer ?? '');
      if (planted === null || importer === undefined || !source.startsWith('.')) return null;
      const from = importer.slice(0, planted.index);
      const resolved = await this.resolve(source, from, { skipSelf: true });
      return resolved === null ? null : `${resolved.id}${planted[0]}`;
    },
    load(id: string): string | null {
      const planted = QUERY.exec(id);
      if (planted === null) return null;
      const path = id.slice(0, planted.index);
      return withBug(Number(planted[1]), path, readFileSync(path, 'utf8'));
    },
  };
}
