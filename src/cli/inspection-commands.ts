/** The commands that look at a data directory, declared: lineage, keys impact, usage, check. */
import type { Command } from 'commander';
import type { CheckFlags } from './check.ts';
import type { ExitCode } from './exit-codes.ts';
import type { KeyImpactFlags } from './key-impact.ts';
import type { LineageFlags } from './lineage.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';
import type { UsageFlags } from './usage.ts';

interface QuietFlag {
  readonly quiet?: boolean;
}

export interface CommandTools {
  readonly openPlane: OpenPlane;
  readonly terminalFor: (flags: QuietFlag) => Terminal;
  readonly end: (code: ExitCode) => void;
}

export function addInspectionCommands(program: Command, tools: CommandTools): void {
  const { openPlane, terminalFor, end } = tools;
  withGraphOptions(
    program
      .command('lineage')
      .description('who came from whom, under which key, with what was deleted in between')
      .argument('<id>', 'a disk, snapshot, image, instance or master key'),
  ).action(async (id: string, flags: LineageFlags & QuietFlag) => {
    const { runLineage } = await import('./lineage.ts');
    end(await runLineage(id, flags, openPlane, terminalFor(flags)));
  });
  const keys = program.commands.find((command) => command.name() === 'keys');
  withGraphOptions(
    (keys ?? program.command('keys').description('master keys'))
      .command('impact')
      .description('what becomes unreadable if a master key is disabled or deleted')
      .argument('<keyid>', 'a master key, or alias/acs/ecs'),
  ).action(async (keyId: string, flags: KeyImpactFlags & QuietFlag) => {
    const { runKeyImpact } = await import('./key-impact.ts');
    end(await runKeyImpact(keyId, flags, openPlane, terminalFor(flags)));
  });
  withDirectoryOptions(
    program
      .command('usage')
      .description('calls of the KMS API and key days of a month, and what is billed')
      .option('--month <month>', 'UTC, as in 2026-01 [the month it is]'),
  ).action(async (flags: UsageFlags & QuietFlag) => {
    const { runUsage } = await import('./usage.ts');
    end(await runUsage(flags, openPlane, terminalFor(flags)));
  });
  addCheckCommand(program, tools);
}

/** A command that looks at a directory no plane has open. */
function addCheckCommand(program: Command, { terminalFor, end }: CommandTools): void {
  program
    .command('check')
    .description('reads everything in a data directory and says what is damaged; changes nothing')
    .argument('<dir>', 'the data directory of a plane that is not open')
    .option('--root-key-file <file>', 'the root key [in the data directory]')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'nothing on stderr but errors')
    .action(async (directory: string, flags: CheckFlags & QuietFlag) => {
      const { runCheck } = await import('./check.ts');
      const { checkDirectory } = await import('../index.ts');
      end(await runCheck(directory, flags, checkDirectory, terminalFor(flags)));
    });
}

function withGraphOptions(command: Command): Command {
  return withDirectoryOptions(command).option('--format <name>', 'text, dot or mermaid [text]');
}

function withDirectoryOptions(command: Command): Command {
  return command
    .requiredOption('--data-dir <dir>', 'the data directory of a plane')
    .option('--root-key-file <file>', 'the root key [in the data directory]')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'nothing on stderr but errors');
}
