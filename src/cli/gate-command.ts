/** `sealdisk gate` and its three commands, declared. */
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import type { GateAbFlags, GateCheckFlags, GateRecordFlags, GateTools } from './gate.ts';
import type { Terminal } from './terminal.ts';

interface QuietFlag {
  readonly quiet?: boolean;
}

export interface GateCommandTools {
  readonly terminalFor: (flags: QuietFlag) => Terminal;
  readonly onStart: (stop: () => void) => void;
  readonly end: (code: ExitCode) => void;
}

const EXAMPLES = `Examples:
  sealdisk gate ab --a HEAD~1 --b HEAD                  two revisions, built side by side
  sealdisk gate ab --a '--shards 1' --b '--shards 2'    two sets of options of load
  sealdisk gate ab --a ./old --b ./new --metric -       two commands that print a number
  sealdisk gate record job.fio --out baseline.json
  sealdisk gate check --baseline baseline.json --junit gate.xml
`;

const VERDICTS = `
Verdicts: 0 no regression or improvement   1 regression   3 cannot tell
`;

const MEASURE_OPTIONS: readonly (readonly [string, string])[] = [
  ['--seconds <n>', 'how long to measure; ab ends earlier when it is settled [60]'],
  ['--metrics <names>', 'of each job: iops, bw, cpu, mean, p50, p99, some [ab: iops,cpu; iops]'],
];

const TURNS_OPTION = ['--turns <n>', 'at least so many turns of each job [32]'] as const;

const JUDGE_OPTIONS: readonly (readonly [string, string])[] = [
  ['--tolerance <percent>', 'the loss that matters [3%]'],
  ['--level <percent>', 'of runs without a change that may be called one [2%]'],
  ['--json', 'one JSON document on stdout'],
  ['--junit <file>', 'write JUnit XML'],
  ['--github', 'print annotations of GitHub Actions'],
  ['--bmf <file>', 'write the Bencher Metric Format'],
  ['--benchmark-action <file>', 'write the JSON of github-action-benchmark'],
  ['--quiet', 'nothing on stderr but errors'],
];

const AB_OPTIONS: readonly (readonly [string, string])[] = [
  ['--job <file>', 'what revisions and options are loaded with [bench/jobs/gate.fio]'],
  ['--metric <path>', 'the number at this path of the JSON printed; - for a number by itself'],
  ['--smaller-is-better', 'with --metric'],
  ['--build <command>', 'builds a revision [npm run build]'],
  ['--run <command>', 'takes a turn in the folder of a revision [its sealdisk load JOB --json]'],
  ['--in-turns', 'commands are loads of sealdisk, too: they stay and take turns'],
  ['--seed <n>', 'of the order of turns [another each time]'],
];

export function addGateCommand(program: Command, tools: GateCommandTools): void {
  const gate = program
    .command('gate')
    .description('did it become slower? with an interval, and what could have been seen')
    .addHelpText('before', EXAMPLES)
    .addHelpText('afterAll', VERDICTS);
  const toolsFor = (flags: QuietFlag): GateTools => ({
    terminal: tools.terminalFor(flags),
    onStart: tools.onStart,
  });
  withOptions(
    gate
      .command('ab')
      .description('two revisions, option sets or commands, in turns')
      .requiredOption('--a <it>', 'a revision, options of load, or a command line')
      .requiredOption('--b <it>', 'what is held against it'),
    [...AB_OPTIONS, ...MEASURE_OPTIONS, ...JUDGE_OPTIONS],
  ).action(async (flags: GateAbFlags & QuietFlag) => {
    const { runGateAb } = await import('./gate.ts');
    tools.end(await runGateAb(flags, toolsFor(flags)));
  });
  withOptions(
    gate
      .command('record')
      .description('saves a baseline: raw turns, the environment, the noise floor')
      .argument('[jobfile...]', 'fio job files [bench/jobs/gate.fio]')
      .requiredOption('--out <file>', 'where to'),
    [
      ...MEASURE_OPTIONS,
      TURNS_OPTION,
      ['--json', 'the baseline on stdout too'],
      ['--quiet', 'no talk'],
    ],
  ).action(async (jobFiles: string[], flags: GateRecordFlags & QuietFlag) => {
    const { runGateRecord } = await import('./gate.ts');
    tools.end(await runGateRecord(jobFiles, flags, toolsFor(flags)));
  });
  withOptions(
    gate
      .command('check')
      .description('measures the jobs of a baseline again and judges')
      .requiredOption('--baseline <file>', 'of gate record')
      .option('--recalibrate', 'also on another machine: as parts of its speed, less surely'),
    [MEASURE_OPTIONS[0]!, TURNS_OPTION, ...JUDGE_OPTIONS],
  ).action(async (flags: GateCheckFlags & QuietFlag) => {
    const { runGateCheck } = await import('./gate.ts');
    tools.end(await runGateCheck(flags, toolsFor(flags)));
  });
}

function withOptions(command: Command, options: readonly (readonly [string, string])[]): Command {
  for (const [option, description] of options) command.option(option, description);
  return command;
}
