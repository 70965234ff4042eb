/**
 * The words a job file chooses from: workloads, engines, ways to verify.
 *
 * fio's words that mean something else here are accepted and noted, so that a job file written for
 * fio runs; a word fio does not know is refused with the nearest one it does.
 */
import { type OptionPlace, refuse } from './job-values.ts';
import { didYouMean } from './nearest.ts';

/** What a job does to its disk. */
export interface Workload {
  /** As written: randrw. */
  readonly name: string;
  readonly isRandom: boolean;
  readonly isMixed: boolean;
  /** What an unmixed workload does. A mixed one reads and writes. */
  readonly direction: 'read' | 'write' | 'trim';
}

export type VerifyKind = 'none' | 'crc32c' | 'pattern';
/** Engines of ours; null is the target the command chose. */
export type EngineName = 'sealdisk' | 'memory' | 'null';

/** What a setter may use besides the settings. */
export interface SetterContext {
  readonly place: OptionPlace;
  /** Says something on stderr, once. */
  readonly note: (text: string) => void;
}

function workload(
  name: string,
  direction: Workload['direction'],
  isRandom: boolean,
  isMixed = false,
): [string, Workload] {
  return [name, { name, direction, isRandom, isMixed }];
}

const WORKLOADS: ReadonlyMap<string, Workload> = new Map([
  workload('read', 'read', false),
  workload('write', 'write', false),
  workload('trim', 'trim', false),
  workload('randread', 'read', true),
  workload('randwrite', 'write', true),
  workload('randtrim', 'trim', true),
  workload('rw', 'read', false, true),
  workload('readwrite', 'read', false, true),
  workload('randrw', 'read', true, true),
]);

/** fio's engines: a job that names one runs on the library instead. `fio --enghelp`. */
const FOREIGN_ENGINES: readonly string[] = (
  'cpuio mmap sync psync vsync pvsync pvsync2 net netsplice ftruncate filecreate filestat ' +
  'filedelete exec posixaio solarisaio windowsaio falloc e4defrag splice gfapi gfapi_async guasi ' +
  'mtd sg io_uring io_uring_cmd nbd libaio rdma rados rbd pmemblk dev-dax libpmem libblkio ' +
  'libiscsi libcufs libhdfs libzbc nfs http dfs ime_psync ime_psyncv ime_aio xnvme dircreate ' +
  'dirstat dirdelete'
).split(' ');
const OWN_ENGINES: readonly EngineName[] = ['sealdisk', 'memory', 'null'];

/** Sums fio can verify by; all but crc32c are checked by crc32c here. `fio --cmdhelp=verify`. */
const CHECKSUMS: readonly string[] = (
  'md5 crc64 crc32 crc32c crc32c-intel crc16 crc7 sha1 sha256 sha512 sha3-224 sha3-256 sha3-384 ' +
  'sha3-512 xxhash meta'
).split(' ');

export const DEFAULT_WORKLOAD: Workload = WORKLOADS.get('read')!;

export function readWorkload(value: string, { place, note }: SetterContext): Workload {
  const [name = '', modifier] = value.split(':');
  const found = WORKLOADS.get(name);
  if (found === undefined) {
    if (name === 'trimwrite' || name === 'randtrimwrite')
      refuse(place, 'a workload without a trim mix (not yet)', value);
    const known = [...WORKLOADS.keys()];
    refuse(place, `one of ${known.join(', ')}${didYouMean(name, known)}`, value);
  }
  if (modifier !== undefined)
    note(`rw=${value}: the offset modifier ':${modifier}' is not honoured yet`);
  return found;
}

export function readEngine(value: string, { place, note }: SetterContext): EngineName | null {
  const own = OWN_ENGINES.find((name) => name === value);
  if (own !== undefined) return own;
  const [name = ''] = value.split(':');
  if (name !== 'external' && !FOREIGN_ENGINES.includes(name)) {
    refuse(place, `an engine${didYouMean(name, [...OWN_ENGINES, ...FOREIGN_ENGINES])}`, value);
  }
  note(`ioengine=${value}: runs on the library`);
  return null;
}

export function readVerify(value: string, { place, note }: SetterContext): VerifyKind {
  if (value === '0' || value === 'none' || value === 'null') return 'none';
  if (value === 'pattern') return 'pattern';
  if (!CHECKSUMS.includes(value)) {
    const known = ['crc32c', 'pattern', ...CHECKSUMS];
    refuse(place, `crc32c or pattern${didYouMean(value, known)}`, value);
  }
  if (!value.startsWith('crc32c')) note(`verify=${value}: checked by crc32c`);
  return 'crc32c';
}
