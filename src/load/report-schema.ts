/**
 * The JSON Schema (draft 2020-12) of what `sealdisk load --json` prints; `sealdisk load
 * --json-schema` prints it. Fields may be added within a version; none is taken away or changes its
 * meaning.
 */
import { REPORT_SCHEMA_ID } from './report-json.ts';

const count = { type: 'integer', minimum: 0 } as const;
const amount = { type: 'number', minimum: 0 } as const;

function object(properties: Record<string, object>): object {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function nullable(schema: object): object {
  return { anyOf: [{ type: 'null' }, schema] };
}

const summary = { min: count, max: count, mean: amount, stddev: amount, N: count };
const percentiles = {
  type: 'object',
  propertyNames: { pattern: '^\\d{1,3}\\.\\d{6}$' },
  additionalProperties: count,
} as const;
const latency = object({ ...summary, percentile: percentiles });

const direction = object({
  io_bytes: count,
  io_kbytes: count,
  bw_bytes: count,
  bw: count,
  iops: amount,
  runtime: count,
  total_ios: count,
  short_ios: count,
  drop_ios: count,
  slat_ns: object(summary),
  clat_ns: latency,
  lat_ns: object(summary),
  bw_min: count,
  bw_max: count,
  bw_agg: amount,
  bw_mean: amount,
  bw_dev: amount,
  bw_samples: count,
  iops_min: count,
  iops_max: count,
  iops_mean: amount,
  iops_stddev: amount,
  iops_samples: count,
});

const texts = { type: 'object', additionalProperties: { type: 'string' } } as const;

const verify = object({
  checked_units: count,
  unchecked_units: count,
  mismatches: count,
  first: {
    type: 'array',
    maxItems: 10,
    items: object({
      disk: { type: 'string' },
      offset: count,
      expected: { type: 'string' },
      got: { type: 'string' },
    }),
  },
});

const steadystate = object({
  ss: { type: 'string' },
  duration: amount,
  attained: { enum: [0, 1] },
  criterion: { type: 'string' },
  max_deviation: amount,
  slope: { type: 'number' },
  data: object({
    bw_mean: count,
    iops_mean: count,
    iops: { type: 'array', items: count },
    bw: { type: 'array', items: count },
  }),
});

const amounts = { type: 'array', items: amount } as const;
const latencies = { type: 'array', items: nullable(count) } as const;

const series = nullable(
  object({
    at_ms: amounts,
    measured_ms: amounts,
    total_ios: amounts,
    io_bytes: amounts,
    p50_ns: latencies,
    p99_ns: latencies,
    p999_ns: latencies,
    max_ns: latencies,
  }),
);

const jobFields = {
  jobname: { type: 'string' },
  groupid: count,
  error: count,
  elapsed: count,
  'job options': texts,
  read: direction,
  write: direction,
  trim: direction,
  sync: object({ total_ios: count, lat_ns: latency }),
  job_runtime: count,
  usr_cpu: amount,
  sys_cpu: amount,
  ctx: count,
  latency_depth: count,
  latency_target: count,
  latency_percentile: amount,
  latency_window: count,
  sealdisk: object({
    error: nullable(object({ code: { type: 'string' }, message: { type: 'string' } })),
    target: { type: 'string' },
    disks: { type: 'array', items: { type: 'string' } },
    iodepth: count,
    clones: count,
    randseed: count,
    verify: nullable(verify),
    response_ns: nullable(latency),
    generator: nullable(
      object({ samples: count, mean_ns: amount, p50_ns: count, core_percent: amount }),
    ),
    series: object({ interval_ms: count, read: series, write: series, trim: series }),
  }),
} as const;

/** A job; with steadystate and counts of failures if they were asked for. */
const job = {
  ...object(jobFields),
  properties: { ...jobFields, steadystate, total_err: count, first_error: count },
} as const;

const rate = nullable(
  object({
    iops: amount,
    bw_bytes: count,
    p50_ns: count,
    p99_ns: count,
  }),
);

const overhead = nullable(
  object({
    percent: { type: 'number' },
    low: { type: 'number' },
    high: { type: 'number' },
    smallest: amount,
    pairs: count,
  }),
);

export const REPORT_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What a sealdisk load run came to',
  ...object({
    'sealdisk version': { type: 'string' },
    timestamp: count,
    timestamp_ms: count,
    time: { type: 'string' },
    'global options': texts,
    jobs: { type: 'array', items: job },
    sealdisk: object({
      schema: { const: REPORT_SCHEMA_ID },
      partial: { type: 'boolean' },
      notes: { type: 'array', items: { type: 'string' } },
      environment: {
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      },
      comparison: nullable({
        type: 'array',
        items: object({
          workload: { type: 'string' },
          encrypted: rate,
          plain: rate,
          naive: rate,
          ratio_to_plain: nullable(object({ all: amount, least: amount, most: amount })),
          ratio_to_naive: nullable(amount),
          overhead,
        }),
      }),
      overhead,
    }),
  }),
} as const;
