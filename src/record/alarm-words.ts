/**
 * What main and the alarm thread share: four words. The time both read is sharedMicroseconds().
 *
 *   0 sets    counts what main has set; the thread sleeps on it
 *   1 due     when to ring, microseconds of sharedMicroseconds(), as a signed 32-bit number
 *   2 rings   counts rings; main waits on it
 *   3 stop    1: the thread ends
 *
 * Main stores `due` before it counts `sets`, so a thread that has seen a count has its `due`, or a
 * later one. A due time is compared by difference: it must be less than 35 minutes away.
 */
export const ALARM_WORDS = 4;
export const ALARM_SETS = 0;
export const ALARM_DUE = 1;
export const ALARM_RINGS = 2;
export const ALARM_STOP = 3;
