/** Entry of the alarm thread: sleeps until what main has set is due, then wakes main. */
import { workerData } from 'node:worker_threads';
import { sharedMicroseconds } from '../src/base/clock.ts';
import { ALARM_DUE, ALARM_RINGS, ALARM_SETS, ALARM_STOP } from '../src/record/alarm-words.ts';

const words = workerData as Int32Array;
/** The count it has rung for. */
let rung = 0;
while (Atomics.load(words, ALARM_STOP) === 0) {
  const sets = Atomics.load(words, ALARM_SETS);
  if (sets === rung) {
    Atomics.wait(words, ALARM_SETS, sets);
    continue;
  }
  const microseconds = (Atomics.load(words, ALARM_DUE) - sharedMicroseconds()) | 0;
  if (microseconds > 0) {
    Atomics.wait(words, ALARM_SETS, sets, microseconds / 1_000);
    continue;
  }
  rung = sets;
  Atomics.add(words, ALARM_RINGS, 1);
  Atomics.notify(words, ALARM_RINGS);
}
