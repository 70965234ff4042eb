/** Every example in the documents and in the docstrings of the public face compiles and runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  absentNeeds,
  type Customer,
  compile,
  docstringExamples,
  type Example,
  installCustomer,
  markdownExamples,
  run,
} from './examples.ts';
import { ROOT } from './tree.ts';

const MARKDOWN = ['README.md', 'src/README.md', 'bench/README.md', 'test/README.md'];
const DOCSTRINGS = ['src/index.ts', 'src/types.ts', 'src/testing.ts', 'src/base/simulation.ts'];
const RUN_MS = 110_000;

const library = (await import(join(ROOT, 'dist/src/index.js'))) as { openPlane?: unknown };
const examples: Example[] = [
  ...MARKDOWN.flatMap((file) => markdownExamples(file, readFileSync(join(ROOT, file), 'utf8'))),
  ...DOCSTRINGS.flatMap((file) => docstringExamples(file, readFileSync(join(ROOT, file), 'utf8'))),
];
const programs = examples.filter((example) => example.language === 'ts');
const commands = examples.filter((example) => example.language === 'sh');
const noLibrary = library.openPlane === undefined ? ' (the library has no openPlane yet)' : '';

/** The file an example is compiled in: it names where the example stands. */
function fileName({ file, line }: Example): string {
  return `${file.replaceAll('/', '-').replaceAll('.', '-')}-${line}.ts`;
}

let customer: Customer;
beforeAll(() => {
  customer = installCustomer();
});
afterAll(() => customer.remove());

describe('finding examples', () => {
  test('takes ts blocks, and sh blocks that ask for it', () => {
    const text = 'a\n```ts\nx();\n```\n```sh\ny\n```\n```sh run\nz\n```\n```json\n{}\n```\n';
    expect(markdownExamples('a.md', text)).toEqual([
      { file: 'a.md', line: 3, language: 'ts', code: 'x();\n' },
      { file: 'a.md', line: 9, language: 'sh', code: 'z\n' },
    ]);
  });

  test('takes what a block needs, and finds what of it is not there', () => {
    const text = '```sh run needs=sh,no-such-program,/dev/null,/dev/no-such\nz\n```\n';
    const [example] = markdownExamples('a.md', text);
    expect(absentNeeds(example!)).toEqual(['no-such-program', '/dev/no-such']);
  });

  test('takes every @example of a docstring, to the next tag', () => {
    const text =
      '\n/**\n * A.\n *\n * @example\n * x();\n * @throws y\n * @example\n * z();\n */\n';
    expect(docstringExamples('a.ts', text)).toEqual([
      { file: 'a.ts', line: 6, language: 'ts', code: 'x();\n' },
      { file: 'a.ts', line: 9, language: 'ts', code: 'z();\n' },
    ]);
  });

  test('finds some in the documents and in the docstrings', () => {
    const files = new Set(programs.map((example) => example.file));
    expect([...files]).toEqual(expect.arrayContaining(['README.md', 'src/index.ts']));
    expect(commands.length).toBeGreaterThan(0);
  });
});

describe('an example that is wrong is found', () => {
  test('by the compiler', () => {
    const problems = compile(customer, new Map([['bad.ts', "const n: number = 'x';\n"]]));
    expect(problems).toEqual(["bad.ts:1: Type 'string' is not assignable to type 'number'."]);
  });

  test('when it runs', async () => {
    compile(customer, new Map([['throws.ts', "throw new Error('planted');\n"]]));
    const outcome = await run(customer, process.execPath, ['throws.js'], RUN_MS);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.output).toContain('planted');
  });

  test('when a command in the middle fails', async () => {
    const outcome = await run(customer, 'bash', ['-euo', 'pipefail', '-c', 'false\ntrue'], RUN_MS);
    expect(outcome.exitCode).toBe(1);
  });
});

describe.skipIf(noLibrary !== '')(`library examples${noLibrary}`, () => {
  let problems: readonly string[] = [];
  beforeAll(() => {
    const sources = new Map(programs.map((example) => [fileName(example), example.code]));
    problems = compile(customer, sources);
    // The types of the cloud's SDK are many.
  }, RUN_MS);

  test.each(programs)('$file, line $line, compiles and runs', async (example) => {
    const name = fileName(example);
    expect(problems.filter((problem) => problem.startsWith(`${name}:`))).toEqual([]);
    const program = name.replace(/\.ts$/, '.js');
    const outcome = await run(customer, process.execPath, [program], RUN_MS);
    expect(outcome.exitCode, outcome.output).toBe(0);
  });
});

describe.skipIf(noLibrary !== '')(`command examples${noLibrary}`, () => {
  for (const example of commands) {
    const absent = absentNeeds(example);
    const why = absent.length === 0 ? '' : ` (skipped: ${absent.join(', ')} not installed)`;
    test.skipIf(absent.length > 0)(
      `${example.file}, line ${example.line}, runs${why}`,
      async () => {
        const words = ['-euo', 'pipefail', '-c', example.code];
        const outcome = await run(customer, 'bash', words, RUN_MS);
        expect(outcome.exitCode, outcome.output).toBe(0);
      },
    );
  }
});
