/** Report pages in a real browser, made by the command line as a user runs it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser, browserAbsent } from '../support/browser.ts';
import { tempDir } from '../support/temp-dir.ts';
import { fio, fioAbsent } from '../unit/load/fio-oracle.ts';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const directory = tempDir();
afterAll(() => directory[Symbol.dispose]());

/** A name that would do harm, were it put into a page as it is. */
const HOSTILE = '</script><img src=x onerror=alert(1)>\u2028"\'&amp';

interface Direction {
  readonly iops: number;
  readonly bw_bytes: number;
  readonly total_ios: number;
  readonly clat_ns: {
    readonly mean: number;
    readonly max: number;
    readonly percentile: Readonly<Record<string, number>>;
  };
}

interface Report {
  readonly jobs: readonly { readonly jobname: string; readonly write: Direction }[];
}

const path = (name: string): string => join(directory.path, name);

function sealdisk(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

function load(page: string, ...words: string[]): Report {
  const job = ['--name=w', '--rw=randwrite', '--bs=4k', '--size=1m', '--iodepth=8', '--time_based'];
  const output = ['--html', path(page), '--json'];
  return JSON.parse(sealdisk('load', ...job, ...words, ...output)) as Report;
}

/** Every canvas: its size, and whether something is drawn on it. */
const CANVASES = `[...document.querySelectorAll('canvas')].map((each) => {
  const pixels = each.getContext('2d').getImageData(0, 0, each.width, each.height).data;
  const colours = new Set();
  for (let at = 0; at < pixels.length; at += 4)
    if (pixels[at + 3] === 255) colours.add(pixels.slice(at, at + 3).join());
  return { width: each.width, height: each.height, colours: colours.size };
})`;
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
/** Pairs of boxes that lie on each other, of those that should stand beside or below each other. */
const OVERLAPS = `[...document.querySelectorAll('main, .tiles, .charts, .chart')].flatMap(
  (parent) => {
  const boxes = [...parent.children].map((each) => [each, each.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], at) => boxes.slice(at + 1).flatMap(([two, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
      ? [one.outerHTML.slice(0, 80) + ' on ' + two.outerHTML.slice(0, 80)] : []));
})`;
const rowsOf = (caption: string): string => `[...document.querySelectorAll('table')]
  .filter((each) => each.caption.textContent === '${caption}')
  .flatMap((each) => [...each.tBodies[0].rows])
  .map((row) => [...row.cells].map(({ dataset, textContent }) =>
    dataset.value === undefined ? textContent : Number(dataset.value)))`;

describe.skipIf(browserAbsent !== '')(`a report page ${browserAbsent}`, () => {
  let browser: Browser;
  let paired: Report;

  beforeAll(() => {
    browser = new Browser();
    paired = load('paired.html', '--encrypt', 'both', '--runtime=1');
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  test.each([
    { width: 1280, isDark: false },
    { width: 1280, isDark: true },
    { width: 360, isDark: false },
    { width: 360, isDark: true },
  ])('draws its charts, whole and without complaint: %j', async (view) => {
    const page = await browser.open(path('paired.html'), view);
    const canvases =
      await page.evaluate<{ width: number; height: number; colours: number }[]>(CANVASES);
    expect(canvases).toHaveLength(4);
    for (const { width, height, colours } of canvases) {
      expect(width).toBeGreaterThan(250);
      expect(width).toBeLessThan(view.width);
      expect(height).toBeGreaterThan(150);
      expect(colours).toBeGreaterThan(3);
    }
    expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
    expect(await page.evaluate(OVERLAPS)).toEqual([]);
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(view.isDark ? 'rgb(15, 19, 23)' : 'rgb(255, 255, 255)');
    expect(page.complaints).toEqual([]);
    expect(page.requested.filter((url) => !url.endsWith('/paired.html'))).toEqual([]);
  });

  test('has the figures of its JSON in its tables', async () => {
    const page = await browser.open(path('paired.html'), { width: 1280 });
    const rows = await page.evaluate<(string | number)[][]>(rowsOf('All jobs'));
    const expected = paired.jobs.map(({ jobname, write }) => {
      const { mean, max, percentile } = write.clat_ns;
      const times = ['50.000000', '99.000000', '99.900000'].map((each) => percentile[each]);
      const name = `${jobname} write`;
      return [name, write.iops, '', write.bw_bytes, mean, ...times, max, write.total_ios];
    });
    expect(expected.map(([name]) => name)).toEqual(['w/encrypted write', 'w/plain write']);
    expect(rows).toEqual(expected);
    const percentiles = await page.evaluate<(string | number)[][]>(rowsOf('Latency by percentile'));
    const [encrypted] = paired.jobs;
    const listed = Object.entries(encrypted!.write.clat_ns.percentile);
    expect(percentiles.slice(0, -1).map((row) => row.slice(0, 2))).toEqual(
      listed.map(([percent, nanoseconds]) => [`${Number(percent)} %`, nanoseconds]),
    );
    const shares = await page.evaluate<(string | number)[][]>(rowsOf('Latency histogram'));
    expect(shares.reduce((sum, row) => sum + Number(row[1]), 0)).toBeCloseTo(100, 6);
  });

  test('shows another unit when its button is pressed', async () => {
    const page = await browser.open(path('paired.html'), { width: 1280 });
    const pressed = await page.evaluate<string[]>(`(() => {
      document.querySelector('.views button:nth-child(2)').click();
      return [...document.querySelectorAll('.chart:first-child .views button')]
        .map((each) => each.textContent + ' ' + each.getAttribute('aria-pressed'));
    })()`);
    expect(pressed).toEqual(['IOPS false', 'MB/s true']);
    expect(page.complaints).toEqual([]);
    expect(await page.evaluate<number>(`${CANVASES}.length`)).toBe(4);
  });

  test('has its tables open for whoever runs no scripts', async () => {
    const page = await browser.open(path('paired.html'), { width: 1280, runsScripts: false });
    const heights = await page.evaluate<number[]>(
      `[...document.querySelectorAll('details table')].map(({ offsetHeight }) => offsetHeight)`,
    );
    expect(heights).toHaveLength(4);
    expect(Math.min(...heights)).toBeGreaterThan(30);
    expect(await page.evaluate(`document.querySelectorAll('canvas').length`)).toBe(0);
  });

  test('takes no name for markup', async () => {
    const jobFile = path('hostile.fio');
    const job = 'rw=randwrite\nbs=4k\nsize=1m\nruntime=300ms\ntime_based\n';
    writeFileSync(jobFile, `[${HOSTILE}]\n${job}`);
    sealdisk('load', jobFile, '--target', 'null', '--html', path('hostile.html'), '--quiet');
    const page = await browser.open(path('hostile.html'), { width: 800 });
    expect(await page.evaluate(`document.querySelectorAll('img').length`)).toBe(0);
    const title = await page.evaluate<string>(`document.querySelector('h1').textContent`);
    expect(title).toContain('</script><img');
    expect(await page.evaluate<number>(`${CANVASES}.length`)).toBe(4);
    expect(page.complaints).toEqual([]);
  });

  test.skipIf(fioAbsent !== '')(`of a comparison with fio ${fioAbsent}`, async () => {
    const mine = path('mine.json');
    writeFileSync(mine, JSON.stringify(load('mine.html', '--target', 'null', '--runtime=300ms')));
    const theirs = path('fio.json');
    const options = ['--name=w', '--rw=randwrite', '--bs=4k', '--size=64m', '--ioengine=null'];
    writeFileSync(theirs, fio(...options, '--output-format=json+'));
    sealdisk('compare', mine, theirs, '--html', path('compare.html'));
    const page = await browser.open(path('compare.html'), { width: 360 });
    const [iops] = await page.evaluate<(string | number)[][]>(rowsOf('Figures'));
    const iopsOf = (file: string): number => {
      const text = readFileSync(file, 'utf8');
      return (JSON.parse(text.slice(text.indexOf('{'))) as Report).jobs[0]!.write.iops;
    };
    const [one, two] = [iopsOf(mine), iopsOf(theirs)];
    expect(iops).toEqual(['IOPS', one, two, two / one]);
    const drawn = await page.evaluate<unknown[]>(CANVASES);
    expect(drawn).toHaveLength(4);
    expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
    expect(await page.evaluate(OVERLAPS)).toEqual([]);
    expect(page.complaints).toEqual([]);
  });
});
