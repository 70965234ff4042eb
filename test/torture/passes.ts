/** The passes: what is done to victims, and what part of the time each has. */
import { loadConcurrently } from './concurrency-pass.ts';
import { killControl } from './control-pass.ts';
import { failCalls } from './fault-pass.ts';
import { auditFlushes } from './flush-pass.ts';
import { fillUp, mountMissing } from './full-pass.ts';
import { killUnderLoad } from './kill-pass.ts';
import type { Pass } from './pass.ts';
import { rekeyUnderKills } from './rekey-pass.ts';
import { copyUnderLoad } from './snapshot-pass.ts';
import { straceMissing } from './strace.ts';
import { killAtEveryCall, killAtSomeCalls } from './syscall-pass.ts';
import { loseThreads } from './threads-pass.ts';

const nothing = (): null => null;

export const PASSES: readonly Pass[] = [
  {
    name: 'kill',
    weight: 8,
    because: 'what was acknowledged survives a kill at any moment; sectors are whole',
    missing: nothing,
    run: killUnderLoad,
  },
  {
    name: 'snapshots',
    weight: 4,
    because: 'a snapshot or clone is the disk at one moment between question and answer, for good',
    missing: nothing,
    run: copyUnderLoad,
  },
  {
    name: 'rekey',
    weight: 2,
    because: 'a move to another key loses nothing, ends, and leaves nothing under the old key',
    missing: nothing,
    run: rekeyUnderKills,
  },
  {
    name: 'control',
    weight: 4,
    because: 'a control operation is done or not; repeated with its token it is done once',
    missing: nothing,
    run: killControl,
  },
  {
    name: 'threads',
    weight: 2,
    because:
      'a lost shard or KMS thread is replaced; every request has one answer, none is forgotten',
    missing: nothing,
    run: loseThreads,
  },
  {
    name: 'concurrency',
    weight: 1,
    because: 'overlapping requests of many callers: every sector is a linearizable register',
    missing: nothing,
    run: loadConcurrently,
  },
  {
    name: 'calls',
    weight: 2,
    because: 'what was acknowledged survives a kill at a system call, chosen at random',
    missing: straceMissing,
    run: killAtSomeCalls,
  },
  {
    name: 'every-call',
    weight: 0,
    because: 'the same, at every system call of one script',
    missing: straceMissing,
    run: killAtEveryCall,
  },
  {
    name: 'faults',
    weight: 2,
    because: 'a system call that fails is told of, and nothing acknowledged is lost by it',
    missing: straceMissing,
    run: failCalls,
  },
  {
    name: 'flushes',
    weight: 1,
    because: 'when a flush is acknowledged, what it covers has been forced to stable storage',
    missing: straceMissing,
    run: auditFlushes,
  },
  {
    name: 'full',
    weight: 1,
    because: 'a full file system is a clean refusal; service resumes when there is space',
    missing: mountMissing,
    run: fillUp,
  },
];
