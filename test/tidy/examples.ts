/**
 * Code that documents show: found in Markdown and in docstrings, type-checked and run as a customer
 * would, in a folder of its own that has sealdisk installed.
 */
import { execFile, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './tree.ts';

export interface Example {
  readonly file: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly language: 'ts' | 'sh';
  readonly code: string;
  /** Programs without which it is not run; /dev/fuse stands for itself. */
  readonly needs?: readonly string[];
}

/** Fenced blocks to be run: all of `ts`, and those of `sh` that say so: ```sh run needs=a,b */
export function markdownExamples(file: string, text: string): Example[] {
  const found: Example[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\S*)\s*(.*)$/.exec(lines[at] ?? '');
    if (fence === null) continue;
    const start = at + 1;
    for (at = start; at < lines.length && !lines[at]?.startsWith('```'); ) at++;
    const code = `${lines.slice(start, at).join('\n')}\n`;
    const [, language, flags] = fence;
    if (language === 'ts') found.push({ file, line: start + 1, language, code });
    if (language === 'sh' && flags?.split(' ').includes('run')) {
      const needs = /\bneeds=(\S+)/.exec(flags)?.[1]?.split(',');
      const example = { file, line: start + 1, language, code } as const;
      found.push(needs === undefined ? example : { ...example, needs });
    }
  }
  return found;
}

/** What of an example's needs is not on this machine. */
export function absentNeeds({ needs = [] }: Example): string[] {
  return needs.filter((need) =>
    need.startsWith('/') ? !existsSync(need) : spawnSync('which', [need]).status !== 0,
  );
}

/** The `@example` parts of block comments. */
export function docstringExamples(file: string, text: string): Example[] {
  const found: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*([\s\S]*?)\*\//g)) {
    const lines = (comment[1] ?? '').split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
    const commentLine = text.slice(0, comment.index).split('\n').length;
    for (const [at, line] of lines.entries()) {
      if (!line.startsWith('@example')) continue;
      const rest = lines.slice(at + 1);
      const end = rest.findIndex((below) => below.startsWith('@'));
      const code = `${rest
        .slice(0, end < 0 ? undefined : end)
        .join('\n')
        .trimEnd()}\n`;
      found.push({ file, line: commentLine + at + 1, language: 'ts', code });
    }
  }
  return found;
}

/** A folder that has this repository installed as the package sealdisk. */
export interface Customer {
  readonly folder: string;
  remove(): void;
}

export function installCustomer(): Customer {
  const folder = mkdtempSync(join(tmpdir(), 'sealdisk-customer-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(join(modules, '@types'));
  symlinkSync(ROOT, join(modules, 'sealdisk'), 'dir');
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(modules, '@types/node'), 'dir');
  // The SDKs a customer of the cloud has.
  symlinkSync(join(ROOT, 'node_modules/@alicloud'), join(modules, '@alicloud'), 'dir');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
  const command = join(modules, '.bin/sealdisk');
  const main = join(ROOT, 'dist/src/cli/main.js');
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(command, 0o755);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Type-checks examples and writes what they compile to. @returns what the compiler says */
export function compile(customer: Customer, sources: ReadonlyMap<string, string>): string[] {
  const paths = [...sources].map(([name, code]) => {
    const path = join(customer.folder, name);
    writeFileSync(path, `${code}export {};\n`);
    return path;
  });
  const program = ts.createProgram(paths, {
    // What the newest syntax of the examples (await using) is compiled to runs on every Node.
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    typeRoots: [join(customer.folder, 'node_modules/@types')],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  });
  const emitted = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].map((diagnostic) => {
    const { file, start, messageText } = diagnostic;
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
    const text = ts.flattenDiagnosticMessageText(messageText, ' ');
    return `${file?.fileName.split('/').at(-1) ?? ''}:${line + 1}: ${text}`;
  });
}

export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program in the customer's folder, its commands first in the path. */
export function run(
  customer: Customer,
  program: string,
  parameters: readonly string[],
  timeoutMs: number,
): Promise<Outcome> {
  const bin = join(customer.folder, 'node_modules/.bin');
  const path = [bin, dirname(process.execPath), process.env.PATH ?? ''].join(':');
  const options = {
    cwd: customer.folder,
    env: { ...process.env, PATH: path, NO_COLOR: '1' },
    timeout: timeoutMs,
  };
  return new Promise((resolve) => {
    const child = execFile(program, parameters, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : (child.exitCode ?? -1);
      resolve({ exitCode, output: `${stdout}${stderr}` });
    });
    child.stdin?.end();
  });
}
