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
  {
    seed: 30_005_722,
    found: 'in the simulator: stores were checked while a task was removing a tree',
  },
  {
    seed: 30_032_410,
    found: 'in the simulator: a shard that was not started again was not taken for lost',
  },
  {
    seed: 30_552_274,
    found: 'in the simulator: a lost shard had answered a write just before, and lost it',
  },
  {
    seed: 30_060_153,
    found: 'in the simulator: the one disk there was could not be attached before a next opening',
  },
  {
    seed: 30_539_485,
    found: 'a volume whose thread was lost as it answered was opened twice in the next one',
  },
  {
    seed: 60_021_570,
    found: 'in the simulator: with every disk deleted, and none ever made, there was nothing to do',
  },
  {
    seed: 60_070_007,
    found: 'in the simulator: what a store that failed read was taken for durable',
  },
  {
    seed: 60_106_837,
    found: 'in the simulator: a disk was read before it asked again for a key enabled since',
  },
  {
    seed: 60_211_539,
    found: 're-encryption ended for what a store that had failed misread',
  },
  {
    seed: 60_265_864,
    found: 'in the simulator: a misdirected write of a store that was being opened again',
  },
  {
    seed: 60_499_629,
    found: 'a tree was left until the next opening: a volume on it was closed as it let go of it',
  },
];
