/** Setters of the options by which a job is ended, or held back, for what it measures. */
import { realNumber, refuse, timeUs, wholeNumber } from './job-values.ts';
import type { Setter } from './load-setters.ts';

/** fio's most for a weight (options.c, flow). */
const FLOW_WEIGHT_MAX = 1000;

export const GOAL_SETTERS = {
  latency_target: (job, value, { place }) => {
    job.latencyTargetUs = timeUs(place, value, 1);
  },
  latency_window: (job, value, { place }) => {
    job.latencyWindowUs = timeUs(place, value, 1);
  },
  latency_percentile: (job, value, { place }) => {
    job.latencyPercent = realNumber(place, value, 0, 100);
  },
  latency_run: (job, value) => {
    job.latencyGoesOn = value === '1';
  },
  flow: (job, value, { place }) => {
    job.flowWeight = wholeNumber(place, value, 0);
    if (job.flowWeight > FLOW_WEIGHT_MAX) refuse(place, `at most ${FLOW_WEIGHT_MAX}`, value);
  },
  flow_id: (job, value, { place }) => {
    job.flowId = wholeNumber(place, value, 0);
  },
  flow_sleep: (job, value, { place }) => {
    job.flowSleepUs = wholeNumber(place, value, 0);
  },
  steadystate: (job, value, { place }) => {
    const expected = 'iops, iops_slope, bw or bw_slope, then : and a limit such as 500 or 0.3%';
    const [, quantity, slope, limit, percent] =
      /^(iops|bw)(_slope)?:([^%]*)(%?)$/.exec(value) ?? refuse(place, expected, value);
    job.steadyCriterion = {
      quantity: quantity as 'iops' | 'bw',
      isSlope: slope !== undefined,
      limit: realNumber(place, limit!, 0),
      isPercent: percent === '%',
    };
  },
  steadystate_duration: (job, value, { place }) => {
    job.steadyTimes = { ...job.steadyTimes, windowMs: timeUs(place, value) / 1e3 };
  },
  steadystate_ramp_time: (job, value, { place }) => {
    job.steadyTimes = { ...job.steadyTimes, rampMs: timeUs(place, value) / 1e3 };
  },
  steadystate_check_interval: (job, value, { place }) => {
    job.steadyTimes = { ...job.steadyTimes, intervalMs: timeUs(place, value) / 1e3 };
    if (job.steadyTimes.intervalMs === 0) refuse(place, 'a time above 0', value);
  },
} as const satisfies Readonly<Record<string, Setter>>;
