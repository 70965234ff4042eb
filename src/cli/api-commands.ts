/** The commands about the cloud's API, declared: serve, ecs, kms. */
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import type { ServeFlags } from './serve.ts';
import type { Terminal } from './terminal.ts';

interface QuietFlag {
  readonly quiet?: boolean;
}

interface ApiCommandTools {
  readonly openPlane: OpenPlane;
  readonly terminalFor: (flags: QuietFlag) => Terminal;
  readonly untilAskedToEnd: () => Promise<void>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly end: (code: ExitCode) => void;
}

const SERVE_EXAMPLES = `Examples:
  sealdisk serve                                       everything in memory, any credentials
  sealdisk serve --data-dir ./disks --seed world.yaml --port 7171
  sealdisk serve --auth strict --access-keys keys.json --admin
`;

const SERVE_OPTIONS: readonly (readonly [string, string])[] = [
  ['--port <n>', '0 takes a free port [7171]'],
  ['--host <address>', 'others than the loopback need TLS, or --allow-remote [127.0.0.1]'],
  ['--memory', 'keep everything in memory [unless there is a --data-dir]'],
  ['--data-dir <dir>', 'keep it in files'],
  ['--seed <file>', 'accounts, keys, disks and images to begin with: YAML or JSON'],
  ['--auth <mode>', 'credentials: off, any or strict [any]'],
  ['--access-keys <file>', 'a JSON array of {accessKeyId, accessKeySecret, accountId, userName}'],
  ['--region <id>', 'the region of calls that name none [cn-hangzhou]'],
  ['--tls-certificates <dir>', 'server-cert.pem, server-key.pem'],
  ['--allow-host <name,...>', 'names in a Host header, beside localhost and addresses'],
  ['--allow-remote', 'listen where others on the network can reach it, without TLS'],
  ['--nbd <where>', 'export disks and snapshots by NBD too: a port, or the path of a unix socket'],
  ['--admin', 'have /-/admin/: reset, clock, faults, audit'],
  ['--performance <how>', 'modelled: disks as fast as they are sold as; or unlimited [modelled]'],
  ['--shards <n>', 'encrypting threads [2]'],
  ['--root-key-file <file>', 'the root key [in the data directory]'],
  ['--verbose', 'a JSON line on stderr for each call'],
  ['--quiet', 'nothing on stderr but errors'],
];

export function addApiCommands(program: Command, tools: ApiCommandTools): void {
  const { terminalFor, untilAskedToEnd, end } = tools;
  const serve = program
    .command('serve')
    .description("the cloud's API on a local port: its SDKs, CLI and Terraform, unchanged")
    .addHelpText('before', SERVE_EXAMPLES);
  for (const [option, description] of SERVE_OPTIONS) serve.option(option, description);
  serve.action(async (flags: ServeFlags & QuietFlag) => {
    const { runServe } = await import('./serve.ts');
    end(await runServe(flags, terminalFor(flags), untilAskedToEnd));
  });
  addCallCommand(program, 'ecs', 'disks, snapshots, images, instances', tools);
  addCallCommand(program, 'kms', 'master keys', tools);
}

function addCallCommand(
  program: Command,
  name: 'ecs' | 'kms',
  about: string,
  { openPlane, terminalFor, environment, end }: ApiCommandTools,
): void {
  program
    .command(name)
    .description(`one call of the ${name.toUpperCase()} API (${about}): JSON on stdout`)
    .usage('[OPERATION] [--Parameter value ...] (--endpoint URL | --data-dir DIR)')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const { runCallApi } = await import('./call-api.ts');
      end(await runCallApi(name, words, openPlane, terminalFor({}), environment));
    });
}
