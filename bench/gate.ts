/**
 * `npm run gate -- [options of sealdisk gate ab]`: is this commit slower than the one before it?
 *
 * Both are built side by side and loaded in turns, for a minute at most. A regression is measured
 * once more, and the exit code is 1 if it is one again: the noise of one run in a hundred may look
 * like one, of one in ten thousand twice. It is 0 for everything else: what cannot be told, or not
 * be measured, is said and does not fail. Skipped with a reason where there is no commit before (no
 * repository, a shallow clone), and where nothing that runs differs between the two.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEALDISK = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const BEFORE = 'HEAD~1';
const NOW = 'HEAD';
const SECONDS = '60';
const EXIT_REGRESSION = 1;
const EXIT_CANNOT_TELL = 3;
/** What a change of can make it slower. */
const RUNS = ['src', 'workers', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** For two builds and the longest a run takes. */
const MS_MAX = 1_800_000;

/** Why there is nothing to compare; null: there is. */
function reasonToSkip(): string | null {
  const git = (...words: string[]): number | null =>
    spawnSync('git', words, { cwd: ROOT, stdio: 'ignore', timeout: MS_MAX }).status;
  if (git('rev-parse', '--verify', '--quiet', `${NOW}^{commit}`) !== 0) return 'no git repository';
  if (git('rev-parse', '--verify', '--quiet', `${BEFORE}^{commit}`) !== 0) {
    return 'the commit before this one is not here: a first commit, or a shallow clone';
  }
  const isSame = git('diff', '--quiet', BEFORE, NOW, '--', ...RUNS) === 0;
  return isSame ? `nothing in ${RUNS.join(', ')} differs from the commit before` : null;
}

function main(): void {
  const reason = reasonToSkip();
  if (reason !== null) {
    console.log(`gate skipped: ${reason}`);
    return;
  }
  let status = measure();
  if (status === EXIT_REGRESSION) {
    console.log('\ngate: once more, to be sure\n');
    status = measure();
  }
  if (status !== 0 && status !== EXIT_REGRESSION && status !== EXIT_CANNOT_TELL) {
    console.log('gate: it could not be measured');
  }
  process.exitCode = status === EXIT_REGRESSION ? 1 : 0;
}

function measure(): number | null {
  const words = ['gate', 'ab', '--a', BEFORE, '--b', NOW, '--seconds', SECONDS];
  return spawnSync(process.execPath, [SEALDISK, ...words, ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
    timeout: MS_MAX,
  }).status;
}

main();
