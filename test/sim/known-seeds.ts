/**
 * Seeds that have failed once: they are run before any others, always. What a seed does changes
 * with every change of the simulator, so one that found a bug in the product has a unit test too.
 */
export const KNOWN_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 21, found: 'a lost shard was settled again by whoever looked for completions' },
  { seed: 38, found: 'the same, with requests waiting' },
  { seed: 203, found: 'a disk from a snapshot made the load of another shard not a number' },
  { seed: 719, found: 'the same, with an encrypted disk' },
  { seed: 174, found: 'in the simulator: a deletion that failed half way' },
  { seed: 347, found: 'in the simulator: trees are removed after their record is committed' },
  { seed: 136, found: 'a volume was taken for open whose thread was lost as it answered' },
  { seed: 1_000_016, found: 'in the simulator: an opening that fails may lose what it tried with' },
  { seed: 1_003_567, found: 'a removal lost with its shard left a tree nobody named' },
  { seed: 20_001_881, found: 'in the simulator: a lost shard had answered a read just before' },
  { seed: 10_012_865, found: 'in the simulator: a look opened layers a task was giving up' },
  {
    seed: 10_019_064,
    found: 'a store that had failed as it was opened again was opened once more',
  },
  { seed: 1_001_779, found: 'in the simulator: an ended thread failed to open its store' },
  { seed: 10_031_932, found: 'in the simulator: a snapshot was being taken across a loss' },
  {
    seed: 20_003_860,
    found: 'in the simulator: damage after a shard was lost and before it was opened',
  },
  { seed: 20_004_167, found: 'in the simulator: what another shard may have lost had been read' },
  {
    seed: 20_041_063,
    found: 'in the simulator: a misdirected write of recovery hit what it read again',
  },
  { seed: 1_000_021, found: 'in the simulator: a removal that failed leaves its tree' },
  {
    seed: 10_031_932,
    found: 'in the simulator: a snapshot asked for before its shard was lost with a damaged slot',
  },
];
