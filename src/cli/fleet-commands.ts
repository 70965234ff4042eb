/** The commands of the performance model, declared: fleet, overhead. */
import type { Command } from 'commander';
import type { FleetFlags } from './fleet.ts';
import type { CommandTools } from './inspection-commands.ts';
import type { OverheadFlags } from './overhead.ts';

const FLEET_EXAMPLES = `Examples:
  sealdisk fleet
  sealdisk fleet --disks 1000 --duration 1d --iops-per-disk 5
  sealdisk fleet --disks 100000 --duration 1h --iops-per-disk 1 --zipf 1 --series hour.csv
  sealdisk fleet --instance-type ecs.g6.large --instance-disks 4 --iops-per-disk 300
  sealdisk fleet --key user --attaches-per-day 24 --prices kmsCalls10000:0.03,keyDay:0.5
  sealdisk fleet fleet.yaml --seed 7 --json
The same input prints the same bytes, whatever the machine and the threads.

A fleet of several kinds of disk is a file:
  duration: 1d
  load: { iopsPerDisk: 5, zipf: 0.8, diurnal: 0.5 }
  disks:
    - { count: 800, category: cloud_essd, performanceLevel: PL1, size: 100G, key: user }
    - { count: 200, category: cloud_auto, size: 40G, bursting: true, load: { iopsPerDisk: 20 } }
`;

const OVERHEAD_HELP = `The same load on an encrypted disk and on a plain one, by turns: ESSD PL0 to
PL3 as fast as they are sold, and disks without limits. encrypted/plain is what is left of the plain
rate, with its interval of 95 %. Two minutes by default; best on a machine that does nothing else.
  0  every modelled disk keeps 0.97 of the plain rate   1  one does not   3  cannot tell
`;

const FLEET_OPTIONS: readonly (readonly [string, string])[] = [
  ['--disks <n>', 'how many, all of one kind [1000]'],
  ['--duration <time>', 'to simulate: 90s, 1h, 1d [1h]'],
  ['--iops-per-disk <n>', 'asked for, the mean over disks and time [5]'],
  ['--seed <n>', 'of all chance [1]'],
  ['--threads <n>', 'that simulate [as many as there are cores]'],
  ['--category <name>', "the cloud's, or unlimited [cloud_essd]"],
  ['--performance-level <level>', 'of cloud_essd: PL0 to PL3 [PL1]'],
  ['--disk-size <size>', 'whole GiB, as 100G [100G]'],
  ['--provisioned-iops <n>', 'of cloud_auto'],
  ['--bursting', 'of cloud_auto'],
  ['--instance-type <type>', 'whose limits disks share, as ecs.g7.large'],
  ['--instance-disks <n>', 'that share an instance [1]'],
  ['--encrypt <on|off>', 'encrypted or plain disks [on]'],
  ['--key <service|user>', 'under which they are; calls for a user key are billed [service]'],
  ['--encryption-cost <ns>', 'of the host, nanoseconds a byte, or measure [0.25]'],
  ['--zipf <exponent>', 'how uneven the disks are; 0: all alike [0]'],
  ['--arrivals <name>', 'bursty or poisson [bursty]'],
  ['--on-share <share>', 'bursty: of the time, in which a disk is asked for anything [0.1]'],
  ['--on-duration <time>', 'bursty: at a time, on average [1s]'],
  ['--tail <exponent>', 'bursty: of the Pareto lengths; 0: exponential ones [1.5]'],
  ['--diurnal <share>', 'how far the rate swings over a day [0]'],
  ['--queue-depth <n>', 'of a disk; beyond it the source waits; 0: no bound [128]'],
  ['--read-percent <n>', 'reads among the requests [50]'],
  ['--block-sizes <mix>', 'size:percent,... [4k:60,16k:25,64k:10,256k:5]'],
  ['--attaches-per-day <n>', 'of each disk, beside its first [0]'],
  ['--snapshots-per-day <n>', 'of each disk [0]'],
  ['--prices <list>', 'gibibyteMonth, provisionedIopsHour, ... as name:price,...'],
  ['--step <time>', 'of the time series'],
  ['--series <file>', 'the time series, as CSV'],
  ['--per-disk <file>', 'a line for each disk, as CSV'],
  ['--json', 'one JSON document on stdout'],
  ['--quiet', 'nothing on stderr but errors'],
];

export function addFleetCommands(
  program: Command,
  tools: CommandTools,
  onStart: (stop: () => void) => void,
): void {
  const fleet = program
    .command('fleet')
    .argument('[file]', 'a fleet in YAML: kinds of disks, their load')
    .description('a fleet of disks in virtual time: IOPS, latency, throttling, KMS calls, cost')
    .addHelpText('before', FLEET_EXAMPLES);
  for (const [option, description] of FLEET_OPTIONS) fleet.option(option, description);
  fleet.action(async (file: string | undefined, flags: FleetFlags & { quiet?: boolean }) => {
    const { runFleet } = await import('./fleet.ts');
    const { simulateFleet } = await import('../index.ts');
    const { measureEncryption } = await import('./encryption-cost.ts');
    const library = { simulateFleet, measureEncryption: () => measureEncryption(tools.openPlane) };
    tools.end(await runFleet(file, flags, library, tools.terminalFor(flags), onStart));
  });
  program
    .command('overhead')
    .description('what encryption costs modelled ESSD disks and unlimited ones, with intervals')
    .addHelpText('before', OVERHEAD_HELP)
    .option('--seconds <n>', 'for each of five kinds of disk, 12 to 600 [24]')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'nothing on stderr but errors')
    .action(async (flags: OverheadFlags & { quiet?: boolean }) => {
      const { runOverhead } = await import('./overhead.ts');
      const { openPlane, terminalFor, end } = tools;
      end(await runOverhead(flags, openPlane, terminalFor(flags), onStart));
    });
}
