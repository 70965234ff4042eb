#!/usr/bin/env node
/**
 * The command line: says what commands there are, parses their options, and ends the process with
 * the right code. The only importer of commander. Each command is a file beside this one, loaded
 * when it is run, so that --help needs none of them.
 */
import { Command, CommanderError } from 'commander';
import { PlaneError } from '../base/errors.ts';
import type { OptionLine } from '../load/job-lines.ts';
import { addApiCommands } from './api-commands.ts';
import type { CompareFlags } from './compare.ts';
import type { DemoFlags } from './demo.ts';
import type { DoctorFlags, EngineReport } from './doctor.ts';
import { EXIT, type ExitCode, exitCodeOf, UsageError } from './exit-codes.ts';
import type { ExplainFlags } from './explain.ts';
import { addFleetCommands } from './fleet-commands.ts';
import { addGateCommand } from './gate-command.ts';
import { addInspectionCommands } from './inspection-commands.ts';
import { splitJobOptions } from './job-options.ts';
import { DISK_OPTIONS } from './load-disks.ts';
import type { LoadFlags } from './load-flags.ts';
import type { OpenPlane } from './load-targets.ts';
import type { NbdFlags } from './nbd.ts';
import { packageVersion } from './package-files.ts';
import type { RekeyFlags } from './rekey.ts';
import { endOnBrokenPipe, processTerminal, type Terminal } from './terminal.ts';

const EXAMPLES = `Examples:
  sealdisk load                              the canonical comparison: encrypted, plain, naive
  sealdisk load job.fio --json               a fio job file; one JSON document on stdout
  sealdisk load --name=w --rw=randwrite --bs=4k --iodepth=64 --size=1g --runtime=10 --time_based
  sealdisk load --trace io_traces.csv --verify --depth 64
  sealdisk compare before.json after.json    reports side by side, ours or fio's
  sealdisk gate ab --a HEAD~1 --b HEAD       did it become slower?
  sealdisk demo                              keys, lineage and encryption, each step checked
  sealdisk serve                             the cloud's API on a local port: its SDKs, unchanged
  sealdisk ecs CreateDisk --Size 20 --data-dir D  one call of that API, without an SDK
  sealdisk nbd --encrypted --memory --port 0 a disk for qemu, fio and other NBD clients
  sealdisk rekey d-... --data-dir DIR        a disk moved to a new data key
  sealdisk lineage d-... --data-dir D        who came from whom, under which key
  sealdisk keys impact key-... --data-dir D  what dies with this key?
  sealdisk usage --data-dir D                calls of the KMS API, and what is billed
  sealdisk check DIR                         reads everything, says what is damaged
  sealdisk fleet --disks 1000 --duration 1d  a day of a fleet, in virtual time
  sealdisk overhead                          what encryption costs, as one figure
  sealdisk doctor                            what this machine can do
  sealdisk explain --table                   every encryption rule: which key, and why
`;

const EXIT_CODES = `
Exit codes:
  0 ok   1 failed or mismatch   2 usage   3 cannot tell   4 refused by a rule   130 interrupted
stdout is data, stderr is talk.
`;

const NBD_EXAMPLES = `Examples:
  sealdisk nbd --size 10G --encrypted --memory --socket /tmp/disk.sock
  sealdisk nbd --size 10G --encrypted --data-dir ./disks --port 10809
  sealdisk nbd --all --data-dir ./disks --socket /tmp/disks.sock     snapshots too, read-only
`;

const NBD_OPTIONS: readonly (readonly [string, string])[] = [
  ['--size <size>', 'whole GiB, as 10G or 2T [1G]'],
  ['--encrypted', 'encrypt the disk under the service key'],
  ['--memory', 'keep it in memory'],
  ['--data-dir <dir>', 'keep it in files; a disk of that name is found again'],
  ['--name <name>', 'name of the disk and of its export [nbd]'],
  ['--all', 'every disk and snapshot of the data directory, each under its id'],
  ['--run <command>', 'serve until this has ended; it finds the URI in $uri'],
  ['--allow-resize', 'clients may make the disk larger (NBD_CMD_RESIZE)'],
  ['--socket <path>', 'listen on a unix socket'],
  ['--port <n>', 'listen on TCP; 0 takes a free port'],
  ['--host <address>', 'with --port: the address; others than the loopback need TLS [127.0.0.1]'],
  ['--tls <on|require>', 'offer TLS, or let nobody in without it [require, with what follows]'],
  ['--tls-certificates <dir>', 'server-cert.pem, server-key.pem, ca-cert.pem'],
  ['--tls-psk <file>', 'pre-shared keys, lines of identity:key in hexadecimal'],
  ['--tls-verify-peer', 'clients must show a certificate of ca-cert.pem'],
  ['--shards <n>', 'encrypting threads [2]'],
  ['--engine <name>', 'auto, openssl-ffi, node-crypto or noble-reference [auto]'],
  ['--performance <how>', 'unlimited, or modelled: as fast as the disk is sold as [unlimited]'],
  ['--quiet', 'nothing on stderr but errors'],
];

const LOAD_EXAMPLES = `Examples:
  sealdisk load                                        the canonical comparison
  sealdisk load bench/jobs/verify.fio --encrypt on     a job file, on encrypted disks
  sealdisk load job.fio --bs=8k --runtime=5            options that win over the file's
  sealdisk load --name=r --rw=randread --size=512m     a job made of options, as with fio
  sealdisk load job.fio --target nbd://host/disk --workers 4   more than one thread can make
  sealdisk load job.fio --html report.html             a page with charts, in one file
  sealdisk load job.fio --encrypt both                 what encryption costs, with an interval
  sealdisk load --trace io_traces.csv --verify         Alibaba or CloudPhysics traces, checked
  sealdisk load --trace io_traces.csv --speed 10       at ten times the recorded speed
`;

const EXPLAIN_EXAMPLES = `Examples:
  sealdisk explain --table                             every cell of the tables, and why
  sealdisk explain --table --ruleset 2018 --json       as an array of objects
  sealdisk explain --resource disk --source plain --encrypt true --default
  sealdisk explain --resource snapshot --action copy-cross --source encrypted --key
`;

const EXPLAIN_OPTIONS: readonly (readonly [string, string])[] = [
  ['--table', 'every cell of a rule set'],
  ['--ruleset <year>', '2018, 2020 or 2025 [2025]'],
  ['--resource <kind>', 'one case: disk, snapshot or image'],
  ['--action <how>', 'create, copy-local or copy-cross [create]'],
  ['--source <what>', 'empty, plain, encrypted, shared-plain or shared-encrypted'],
  ['--encrypt <true|false>', 'the parameter Encrypted [not given]'],
  ['--default', 'account-level default encryption is on in the region'],
  ['--key', 'a key is specified'],
  ['--category <name>', 'the category of the disk [not asked about]'],
  ['--use <system|data>', 'what the disk is used as, with --category [data]'],
  ['--data-dir <dir>', 'the plane that has the disk or snapshot'],
  ['--root-key-file <file>', 'its root key, if not in the directory'],
  ['--json', 'one JSON document on stdout'],
  ['--markdown', 'every table of every rule set, as docs/encryption-rules.md has them'],
];

const LOAD_OPTIONS: readonly (readonly [string, string])[] = [
  ['--trace <file>', 'replay a block trace instead of a job file'],
  ['--device-sizes <file>', "the trace's device_size.csv [one beside the trace, or a first pass]"],
  [
    '--target <name>',
    "sealdisk, memory, null, naive or file:PATH, nbd://… [the job's, or sealdisk]",
  ],
  ['--overwrite', 'file:PATH may be a file that is not empty, or a block device'],
  ['--encrypt <on|off|both>', 'encrypted or plain disks, or both in short turns [on]'],
  ['--data-dir <dir>', 'a plane on files, kept [in memory]'],
  ['--memory', 'a plane in memory'],
  ['--shards <n>', 'encrypting threads [2]'],
  ['--engine <name>', 'auto, openssl-ffi, node-crypto or noble-reference [auto]'],
  ...DISK_OPTIONS,
  ['--workers <n>', 'that many threads make the load, each with connections of its own [main]'],
  ['--verify', 'check every read against the last write (a job: verify=crc32c)'],
  ['--depth <n>', 'requests in flight [a trace: 32; a job: its iodepth]'],
  ['--speed <factor>', 'a trace: times the recorded speed, or max [max]'],
  ['--json', "one JSON document on stdout, with fio's field names"],
  ['--output-format <name>', "table, or one of fio's: normal, json, json+, terse [table]"],
  ['--json-schema', 'print the JSON Schema of that document'],
  ['--live', 'a full-screen view while it runs, on a terminal'],
  ['--html <file>', 'besides, the report as a page with charts, in one file'],
  ['--in-turns <ms>', 'the jobs for so long for each line on stdin, a line of JSON each: for gate'],
  ['--quiet', 'nothing on stderr but errors'],
];

/** Long names of the load command's own options: the rest are a job's. */
const LOAD_OPTION_NAMES: readonly string[] = [
  ...LOAD_OPTIONS.map(([option]) => /^--([\w-]+)/.exec(option)![1]!),
  'help',
];

interface QuietFlag {
  readonly quiet?: boolean;
}

/** Loaded when a plane is opened: --help and the targets without a plane need no native code. */
const openPlane: OpenPlane = async (options) => {
  const library = await import('../index.ts');
  return library.openPlane(options);
};

/**
 * Runs one command line.
 *
 * @param words what follows the program's name
 * @returns how the process is to end
 */
async function main(words: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const end = (ended: ExitCode): void => {
    code = ended;
  };
  try {
    const isLoad = words[0] === 'load';
    const split = isLoad
      ? splitJobOptions(words.slice(1), LOAD_OPTION_NAMES)
      : { jobOptions: [], rest: words.slice(1) };
    const program = buildProgram(split.jobOptions, end);
    await program.parseAsync([...words.slice(0, 1), ...split.rest], { from: 'user' });
  } catch (error) {
    code = reportFailure(error);
  }
  return code;
}

function buildProgram(jobOptions: readonly OptionLine[], end: (code: ExitCode) => void): Command {
  const program = new Command('sealdisk')
    .description('An encrypted block-storage data plane in one process.')
    .version(packageVersion())
    .addHelpText('before', EXAMPLES)
    .addHelpText('afterAll', EXIT_CODES)
    .exitOverride();
  addLoadCommand(program, jobOptions, end);
  addNbdCommand(program, end);
  program
    .command('demo')
    .description('keys, lineage and encryption at work, each step checked')
    .option('--data-dir <dir>', 'where to keep the disks [a temporary directory, removed]')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'nothing on stderr but errors')
    .action(async (flags: DemoFlags & QuietFlag) => {
      const { runDemo } = await import('./demo.ts');
      end(await runDemo(flags, openPlane, terminalFor(flags)));
    });
  program
    .command('rekey')
    .description('moves a disk to a new data key, and waits until nothing needs the old one')
    .argument('<disk>', 'its id')
    .requiredOption('--data-dir <dir>', 'the plane it is of')
    .option('--key <key>', 'the master key of the new data key [the one the disk has]')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'nothing on stderr but errors')
    .action(async (diskId: string, flags: RekeyFlags & QuietFlag) => {
      const { runRekey } = await import('./rekey.ts');
      end(await runRekey(diskId, flags, openPlane, terminalFor(flags)));
    });
  program
    .command('doctor')
    .description('what this machine can do, and what it cannot and why')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'nothing on stderr but errors')
    .action(async (flags: DoctorFlags & QuietFlag) => {
      const { runDoctor } = await import('./doctor.ts');
      end(await runDoctor(flags, openPlane, terminalFor(flags), surveyEngines));
    });
  addGateCommand(program, { terminalFor, onStart: stopOnSignal, end });
  addInspectionCommands(program, { openPlane, terminalFor, end });
  addFleetCommands(program, { openPlane, terminalFor, end }, stopOnInterrupt);
  const environment = process.env;
  addApiCommands(program, { openPlane, terminalFor, untilAskedToEnd, environment, end });
  addExplainCommand(program, end);
  program
    .command('compare')
    .description("reports side by side: of load --json, or fio's own JSON")
    .argument('<report...>', 'two files or more; the first is what the others are held against')
    .option('--json', 'one JSON document on stdout')
    .option('--html <file>', 'besides, a page with charts, in one file')
    .action(async (fileNames: string[], flags: CompareFlags) => {
      const { runCompare } = await import('./compare.ts');
      end(runCompare(fileNames, flags, terminalFor({})));
    });
  return program;
}

function addExplainCommand(program: Command, end: (code: ExitCode) => void): void {
  const explain = program
    .command('explain')
    .argument('[id]', 'a disk or snapshot that is there, with --data-dir')
    .description('which key, and why: the encryption rules, whole or for one case')
    .addHelpText('before', EXPLAIN_EXAMPLES);
  for (const [option, description] of EXPLAIN_OPTIONS) explain.option(option, description);
  explain.action(async (id: string | undefined, flags: ExplainFlags) => {
    const { runExplain, runExplainResource } = await import('./explain.ts');
    if (id !== undefined) end(await runExplainResource(openPlane, id, flags, terminalFor({})));
    else end(runExplain(flags, await import('../index.ts'), terminalFor({})));
  });
}

/** Every cipher engine, as a shard of a plane in memory finds it. */
async function surveyEngines(): Promise<EngineReport[]> {
  await using plane = await openPlane({ memory: true, shards: 1 });
  const survey = await plane.surveyEngines();
  return survey.map(({ name, verdict, reason }) => ({
    name,
    isUsable: verdict !== 'failed',
    reason: verdict === 'chosen' ? `${reason}; it is what runs` : reason,
  }));
}

function addLoadCommand(
  program: Command,
  jobOptions: readonly OptionLine[],
  end: (code: ExitCode) => void,
): void {
  const load = program
    .command('load')
    .description('load on disks: fio job files, block traces, the canonical comparison')
    .argument('[jobfile...]', "a fio job file, or '-' for stdin")
    .usage('[JOBFILE | --trace FILE | --name=JOB] [options] [--<job option>=<value> ...]')
    .addHelpText('before', LOAD_EXAMPLES);
  for (const [option, description] of LOAD_OPTIONS) load.option(option, description);
  load.action(async (jobFiles: string[], flags: LoadFlags & QuietFlag) => {
    const { runLoad } = await import('./load.ts');
    end(
      await runLoad({
        flags,
        jobFiles,
        jobOptions,
        openPlane,
        terminal: terminalFor(flags),
        environment: process.env,
        onStart: stopOnInterrupt,
      }),
    );
  });
}

function addNbdCommand(program: Command, end: (code: ExitCode) => void): void {
  const nbd = program
    .command('nbd')
    .description('disks exported by NBD: prints the URI, serves until interrupted')
    .addHelpText('before', NBD_EXAMPLES);
  for (const [option, description] of NBD_OPTIONS) nbd.option(option, description);
  nbd.action(async (flags: NbdFlags & QuietFlag) => {
    const { runNbd } = await import('./nbd.ts');
    end(await runNbd(flags, openPlane, terminalFor(flags), untilAskedToEnd));
  });
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process. */
function untilAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(EXIT.interrupted));
        resolve();
      });
    }
  });
}

function terminalFor(flags: QuietFlag): Terminal {
  return processTerminal(process, flags.quiet === true);
}

/** The first SIGINT ends the run with what it has; a second one ends the process. */
function stopOnInterrupt(stop: () => void): void {
  process.once('SIGINT', () => {
    process.stderr.write('\nstopping; once more to quit at once\n');
    process.once('SIGINT', () => process.exit(EXIT.interrupted));
    stop();
  });
}

/** The first signal stops the run and what it started; a second one ends the process. */
function stopOnSignal(stop: () => void): void {
  untilAskedToEnd().then(stop);
}

/** Says what went wrong, on stderr, and how to end. */
function reportFailure(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // commander has written the message, the help or the version already.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const isExpected = error instanceof PlaneError || error instanceof UsageError;
  const text = error instanceof Error ? (isExpected ? error.message : error.stack) : String(error);
  process.stderr.write(`sealdisk: ${text}\n`);
  return exitCodeOf(error);
}

endOnBrokenPipe(process.stdout);
process.exitCode = await main(process.argv.slice(2));
