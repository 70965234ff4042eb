/**
 * The words a job file chooses from: workloads, engines, ways to verify.
 *
 * fio's words that mean something else here are accepted and noted, so that a job file written for
 * fio runs; a word fio does not know is refused with the nearest one it does.
 */
import { type OptionPlace, refuse } from './job-values.ts';
import { didYouMean } from './nearest.ts';
import { DIGEST_NAMES, type DigestName } from './unit-digest.ts';

/** What a job does to its disk. */
export interface Workload {
  /** As written: randrw. */
  readonly name: string;
  readonly isRandom: boolean;
  readonly isMixed: boolean;
  /** What an unmixed workload does. A mixed one reads and writes. */
  readonly direction: 'read' | 'write' | 'trim';
  /** Each block is trimmed, then written. */
  readonly trimsFirst: boolean;
}
/** Ways to verify: fio's, `fio --cmdhelp=verify`. none: not at all. */
export type VerifyKind = 'none' | 'meta' | 'pattern' | DigestName;
const VERIFY_KINDS: readonly VerifyKind[] = ['none', 'meta', 'pattern', ...DIGEST_NAMES];

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
  trimsFirst = false,
): [string, Workload] {
  return [name, { name, direction, isRandom, isMixed, trimsFirst }];
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
  workload('trimwrite', 'write', false, false, true),
  workload('randtrimwrite', 'write', true, false, true),
]);

/** fio's engines: a job that names one runs on the library instead. `fio --enghelp`. */
const FOREIGN_ENGINES: readonly string[] = (
  'mmap sync psync vsync pvsync pvsync2 posixaio solarisaio windowsaio splice guasi mtd sg ' +
  'io_uring io_uring_cmd nbd libaio rados rbd pmemblk dev-dax libpmem libblkio libiscsi libcufs ' +
  'libcufile libhipfile libzbc xnvme cpp_null'
).split(' ');
/** fio's engines that do something other than block I/O. */
const OTHER_ENGINES: readonly string[] = (
  'cpuio net netsplice rdma exec ftruncate falloc e4defrag filecreate filestat filedelete ' +
  'dircreate dirstat dirdelete page_fault gfapi gfapi_async libhdfs nfs http dfs ime_psync ' +
  'ime_psyncv ime_aio librpma_apm_client librpma_apm_server librpma_gpspm_client ' +
  'librpma_gpspm_server'
).split(' ');
const OWN_ENGINES: readonly EngineName[] = ['sealdisk', 'memory', 'null'];

export const DEFAULT_WORKLOAD: Workload = WORKLOADS.get('read')!;

/** @param name without the modifier behind a colon */
export function readWorkload(name: string, { place }: SetterContext): Workload {
  const found = WORKLOADS.get(name);
  if (found !== undefined) return found;
  const known = [...WORKLOADS.keys()];
  return refuse(place, `one of ${known.join(', ')}${didYouMean(name, known)}`, name);
}

export function readEngine(value: string, { place, note }: SetterContext): EngineName | null {
  const own = OWN_ENGINES.find((name) => name === value);
  if (own !== undefined) return own;
  const [name = ''] = value.split(':');
  if (OTHER_ENGINES.includes(name)) {
    refuse(place, 'an engine for block I/O: what this one does is something else', value);
  }
  if (name !== 'external' && !FOREIGN_ENGINES.includes(name)) {
    refuse(place, `an engine${didYouMean(name, [...OWN_ENGINES, ...FOREIGN_ENGINES])}`, value);
  }
  note(`ioengine=${value}: runs on the library`);
  return null;
}

/** How content is checked. */
export function readVerify(value: string, { place }: SetterContext): VerifyKind {
  if (value === '0' || value === 'none' || value === 'null') return 'none';
  // The same sum: which instructions make it is not for a job to say here.
  if (value === 'crc32c-intel') return 'crc32c';
  const own = VERIFY_KINDS.find((kind) => kind === value);
  if (own !== undefined) return own;
  const hint = value === 'pattern_hdr' ? ': pattern has no header here, meta is one' : '';
  return refuse(
    place,
    `one of ${VERIFY_KINDS.join(', ')}${hint}${didYouMean(value, VERIFY_KINDS)}`,
    value,
  );
}
