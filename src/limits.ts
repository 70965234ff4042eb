/**
 * Every size, count and timeout, unit in the name, relations asserted beside them.
 */
import { invariant } from './base/invariant.ts';
import { GIB, KIB, MIB, SECTOR_BYTES, TIB } from './base/units.ts';

/** Largest disk: 64 TiB, the largest ESSD the cloud sells (ECS CreateDisk, parameter Size). */
export const DISK_BYTES_MAX = 64 * TIB;
/** Disks attached at once to one plane: the ring's volume handles are this many. */
export const ATTACHED_DISKS_MAX = 65_536;

/** Longest single read or write: NBD clients may send 32 MiB without asking (NBD proto.md). */
export const REQUEST_BYTES_MAX = 32 * MIB;
/** Longest piece of a request in a shard's ring: small enough to overlap copy and encryption. */
export const PIECE_BYTES_MAX = 256 * KIB;
/** Plaintext staging memory per shard: bounds what is in flight between main and a shard. */
export const STAGING_BYTES = 8 * MIB;
/** Memory of callers that shards use in place: buffers of one plane, and bytes of one. */
export const REGISTERED_BUFFERS_MAX = 4096;
export const REGISTERED_BUFFER_BYTES_MAX: number = GIB;
/** Requests in flight between main and one shard. A power of two: indexes wrap by mask. */
export const RING_SLOTS = 1024;
/** Requests waiting on main for a place in the ring, per shard; one more is refused as Busy. */
export const QUEUE_REQUESTS_MAX = 65_536;
/** Control calls of one plane in flight; one more is refused as Busy. */
export const CONTROL_CALLS_MAX = 16_384;
/** Requests a shard executes before it publishes: main answers these while it does the next. */
export const BATCH_REQUESTS_MAX = 16;
/** Bytes after which a batch ends: keeps the pipeline between main and shard moving. */
export const BATCH_BYTES_MAX: number = 256 * KIB;
/** A shard without a pause does one background step each so many batches. */
export const BUSY_BATCHES_PER_IDLE = 64;

/** Sectors one step of re-encryption moves at the most: a shard does nothing else meanwhile. */
export const REENCRYPT_SECTORS_MAX: number = MIB / SECTOR_BYTES;
/** Ranges of so many sectors one step looks at, where most of them need not be moved. */
export const REENCRYPT_RANGES_MAX = 64;
/** Sectors moved before they are forced to stable storage, and discarded where they were. */
export const REENCRYPT_FLUSH_SECTORS: number = (16 * MIB) / SECTOR_BYTES;

/** Sectors looked through for each step to learn how much there is to do: 16 GiB. */
export const REENCRYPT_COUNT_SECTORS: number = 2 ** 22;
/** So many sectors are discarded in the time one is moved in. */
export const REENCRYPT_DISCARDS_PER_MOVE = 8;
/**
 * Of a step beside callers: sectors moved at once, some 15 us, and the least time between two such
 * slices while requests keep coming.
 */
export const REENCRYPT_SLICE_SECTORS: number = (16 * KIB) / SECTOR_BYTES;
export const REENCRYPT_SLICE_GAP_MS = 0.15;
/** A paced task asks for steps that are worth so much time at its pace. */
export const REENCRYPT_STEP_MS = 16;
/** A paced task that is later than this does not make up for it. */
export const TASK_LAG_MS_MAX = 100;
/** What an export reads and writes at once: callers wait for no more than that. */
export const EXPORT_CHUNK_BYTES: number = 256 * KIB;
/** How often a task's progress is written down: so much is counted again after a restart. */
export const TASK_PROGRESS_MS = 2_000;
/** A task that was refused (a key is disabled, no space) tries again so soon, then later. */
export const TASK_RETRY_MS = 5_000;
export const TASK_RETRY_MS_MAX = 300_000;

/** Scrub: sectors of one step, ranges it looks at, and its pace where none is asked for. */
export const SCRUB_STEP_SECTORS: number = (256 * KIB) / SECTOR_BYTES;
export const SCRUB_RANGES_MAX = 256;
export const SCRUB_BYTES_PER_SECOND: number = 64 * MIB;
/** A scrub that is later than this does not make up for it. */
export const SCRUB_LAG_MS_MAX = 100;
/** Damaged sectors a report lists; it counts all. */
export const SCRUB_DAMAGE_MAX = 10_000;
/** A step whose shard is lost is made again so often. */
export const SCRUB_RETRIES_MAX = 3;

export const SHARDS_DEFAULT = 2;
export const SHARDS_MAX = 64;

/** One append-only ciphertext segment. */
export const SEGMENT_BYTES = 16 * MIB;
/** Sector slots in one segment. */
export const SEGMENT_SECTORS: number = SEGMENT_BYTES / SECTOR_BYTES;
/** Segment files a shard keeps open at once. */
export const SEGMENT_FILES_OPEN_MAX = 256;

/**
 * Space amplification: stored slots / live slots. Above the bound reclaim starts, and it goes on
 * until the ratio is at the goal. The slack lets a small store fill a segment before it counts.
 */
export const SPACE_AMPLIFICATION_MAX = 1.5;
export const SPACE_AMPLIFICATION_GOAL = 1.25;
export const SPACE_SLACK_SEGMENTS = 4;
/**
 * The bound that holds even with no idle time: an append stops and reclaims before it passes it.
 */
export const SPACE_AMPLIFICATION_HARD_MAX = 2.5;
export const SPACE_SLACK_HARD_SEGMENTS = 12;
/** Victims of one reclaim pass: bounds the memory of a pass (16 KiB a victim) to 16 MiB. */
export const RECLAIM_VICTIMS_MAX = 1024;
/**
 * A map log is replaced by a checkpoint beyond this size, or beyond half the map if that is more.
 */
export const MAP_LOG_BYTES_MAX = 16 * MIB;
/**
 * Ciphertext, and records of changes, kept for the next commit; beyond it a store commits itself.
 */
export const COMMIT_PENDING_BYTES_MAX = MIB;
/** Held back on the file system, so that a full one still takes what was begun, and removals. */
export const SPACE_RESERVE_BYTES = 4 * MIB;
/** Segments written but not forced to stable storage; beyond it a commit flushes by itself. */
export const SEGMENT_FILES_DIRTY_MAX = 64;
/** Sectors of a tree: 64 TiB. */
export const TREE_SECTORS_MAX: number = 2 ** 34;
/** Longest tree name, in bytes of UTF-8. */
export const TREE_NAME_BYTES_MAX = 1024;
/** Memory store: default limit of one plane, shared out evenly over its shards. */
export const MEMORY_BYTES_DEFAULT = 4 * GIB;

/** The account and the region of a plane that was given no others. */
export const ACCOUNT_DEFAULT = '1000000000000001';
export const REGION_DEFAULT = 'cn-hangzhou';

export const KEY_BYTES = 32;
export const XTS_KEY_BYTES = 64;
/** Main waits this long for the KMS thread, and a shard for an unwrapped key. */
export const KMS_TIMEOUT_MS = 5_000;
/** Main waits this long for a shard to answer a control operation that moves no data. */
export const CONTROL_TIMEOUT_MS = 30_000;
/** A shard looks at its ring this long before it sleeps, where work was near the last time. */
export const SHARD_POLL_US = 100;
/** After a batch of more requests a shard sleeps at once (shard/serve-loop.ts). */
export const POLLED_BATCH_REQUESTS_MAX = 8;
/** Main looks for completions this long, by turns of the event loop, before it sleeps. */
export const MAIN_POLL_MS = 0.05;
/** Main looks at nothing else while so few are in flight, so long, so many times on end. */
export const MAIN_SPIN_REQUESTS_MAX = 8;
export const MAIN_SPIN_BYTES_MAX: number = 64 * KIB;
export const MAIN_SPIN_MS = 0.05;
export const MAIN_SPINS_MAX = 8;
/** With so many requests in flight main waits for their shard without turning, so long at most. */
export const MAIN_BLOCK_REQUESTS_MIN = 2;
export const MAIN_BLOCK_MS = 0.1;
/** What an idle modelled disk saves up, as time at its full rate (performance/pacer.ts). */
export const PACING_BUCKET_US = 2_000;
/** And what one keeps whose callers had to wait: longer than main mostly stands still. */
export const PACING_BUSY_BUCKET_US = 100_000;
/**
 * Completions held for a modelled disk: an alarm is set so long before the next is due, because the
 * wake-up takes about as long; and what is due so soon after it rings is delivered with it.
 */
export const PACING_LEAD_MS = 0.06;
export const PACING_SLACK_MS = 0.03;
/** The timer that rings should the alarm's thread not: so long after a completion is due. */
export const PACING_LATE_MS = 2;
/** The longest an alarm is set for at once. */
export const PACING_WAIT_MS_MAX = 1_000;
/** How long a shard sleeps before it looks at its ring unasked. */
export const SHARD_SLEEP_MS_MAX = 100;

/**
 * Deadlines of waits on another thread, beside those of the NBD and key-value sections:
 *
 *   main for the KMS, a shard for a key          KMS_TIMEOUT_MS, then KmsUnavailable
 *   main for a shard's control answer            CONTROL_TIMEOUT_MS, then Busy
 *   main for a shard, whatever it does           SHARD_HANG_MS without a sign of life: it is ended
 *   main for the KMS thread, whatever it does    KMS_HANG_MS, likewise
 *   main for the KMS thread to open its vault    KMS_OPEN_TIMEOUT_MS, then it is ended
 *   main for a thread that is to end             THREAD_END_MS, then what waits for it is answered
 *   a caller for a disk that is opened again     REPLACE_TIMEOUT_MS, then ShardLost
 *   main for a commit of the metadata            STORE_COMMIT_TIMEOUT_MS, then the process ends
 *
 * A thread that reads (recovery, a check) gives signs of life as it does.
 */
export const SHARD_HANG_MS = 10_000;
export const KMS_HANG_MS = 10_000;
export const THREAD_END_MS = 10_000;
export const REPLACE_TIMEOUT_MS = 30_000;
/** Opening a vault reads every key in it. */
export const KMS_OPEN_TIMEOUT_MS = 300_000;
/** The KMS thread is asked for a sign of life so often. */
export const KMS_PING_MS = 2_000;
/** How often main looks for signs of life. */
export const WATCH_MS = 500;
/** A disk that could not be opened again tries so again, at a request, no sooner than this. */
export const REOPEN_RETRY_MS = 1_000;
/** A thread lost so often within the window is not started again. */
export const THREAD_LOSSES_MAX = 5;
export const THREAD_LOSS_WINDOW_MS = 60_000;
/** It is started at once after its first loss, then so late, then twice as late each time. */
export const THREAD_RESTART_MS = 100;
/** JavaScript heap of a shard, without the memory of segments, maps and buffers. */
export const SHARD_HEAP_MB = 1_024;

/** Key-value store: key length, value length, entries of one range. */
export const STORE_KEY_CHARS_MAX = 256;
export const STORE_VALUE_BYTES_MAX = MIB;
export const STORE_RANGE_ENTRIES_MAX = 100_000;
/** A commit not settled by then has failed: longer than any fdatasync that may still succeed. */
export const STORE_COMMIT_TIMEOUT_MS = 30_000;
/** A commit fails for lack of space where the file system has less than this. */
export const STORE_FULL_BYTES = MIB;
/** The root cause of a failed commit comes by a promise of its own. */
export const STORE_CAUSE_TIMEOUT_MS = 1_000;

/** Master keys of an account in a region, the service key not counted (KMS, quotas). */
export const MASTER_KEYS_MAX = 200;
/** Aliases of an account in a region, alias acs/ecs not counted (KMS, quotas). */
export const ALIASES_MAX = 300;
/** Versions of all master keys of an account in a region (KMS, quotas), so also of one. */
export const KEY_VERSIONS_MAX = 10_000;
/** Messages encrypted under one version: random 96-bit IVs (NIST SP 800-38D, 8.3). */
export const WRAPS_PER_VERSION_MAX: number = 2 ** 32;
/** Wraps a vault reserves at once: so many are counted too much after a restart. */
export const WRAPS_RESERVED_STEP = 1_024;
/** ScheduleKeyDeletion, PendingWindowInDays. */
export const KEY_DELETION_DAYS_MIN = 7;
export const KEY_DELETION_DAYS_MAX = 366;
/** UpdateRotationPolicy, RotationInterval; of SOFTWARE keys, and of HSM keys. */
export const KEY_ROTATION_DAYS_MIN = 7;
export const KEY_ROTATION_DAYS_MAX = 365;
export const KEY_ROTATION_DAYS_HSM_MAX = 730;
/** GetParametersForImport, TokenExpireTime: a day. */
export const IMPORT_TOKEN_MS: number = 24 * 60 * 60 * 1_000;
/** Encrypt, Plaintext: 6 KB. GenerateDataKey, NumberOfBytes. */
export const KMS_PLAINTEXT_BYTES_MAX: number = 6 * KIB;
export const KMS_DATA_KEY_BYTES_MAX = 1_024;
/** EncryptionContext, as JSON. */
export const ENCRYPTION_CONTEXT_CHARS_MAX = 8_192;
/** Tags of one key; characters of a tag's key, and of its value (KMS, TagResource). */
export const KEY_TAGS_MAX = 20;
export const KEY_TAG_CHARS_MAX = 128;
/** Requests of an account in a region in one second (KMS, quotas). */
export const KMS_CRYPTO_RATE_MAX = 1_000;
export const KMS_CREATE_RATE_MAX = 10;
export const KMS_READ_RATE_MAX = 20;
export const KMS_WRITE_RATE_MAX = 10;
/** The KMS thread looks this often for what is due by the clock, asked or not. */
export const KMS_IDLE_CHECK_MS = 60_000;

/** Describe*: PageSize, and ids in one request (ECS DescribeDisks). */
export const PAGE_SIZE_DEFAULT = 10;
export const PAGE_SIZE_MAX = 100;
export const DESCRIBE_IDS_MAX = 100;
/** Manual snapshots of one disk (ECS, quotas). */
export const SNAPSHOTS_PER_DISK_MAX = 256;
/** RetentionDays (ECS CreateSnapshot). */
export const RETENTION_DAYS_MAX = 65_536;
/** A plane looks this often for snapshots whose days have passed; so many at a time. */
export const RETENTION_SWEEP_MS = 60_000;
export const RETENTION_PAGE_SNAPSHOTS = 100;
/** Accounts one snapshot is shared with, and snapshots shared with one account (ECS, sharing). */
export const SNAPSHOT_SHARES_MAX = 64;
export const SHARED_SNAPSHOTS_MAX = 1_024;
/** Accounts one image is shared with, and accounts in one call (ECS ModifyImageSharePermission). */
export const IMAGE_SHARES_MAX = 50;
export const IMAGE_ACCOUNTS_PER_CALL_MAX = 10;
/** Disks of one image: a system disk and the data disks of an instance. */
export const IMAGE_DEVICES_MAX = 17;
/** DescribeDisks, DescribeInstances: MaxResults. */
export const MAX_RESULTS_MAX = 500;
/** Data disks of one instance; instances of one RunInstances (ECS RunInstances). */
export const INSTANCE_DATA_DISKS_MAX = 16;
export const RUN_INSTANCES_MAX = 100;
/** Instances of one StartInstances or StopInstances (InstanceId.N). */
export const BATCH_INSTANCES_MAX = 100;
/** Description of a disk, a snapshot, an image or an instance (ECS CreateDisk). */
export const DISK_DESCRIPTION_CHARS_MAX = 256;
/** A ClientToken is remembered so long; removed when too old, so many at a time. */
export const TOKEN_LIFETIME_MS: number = 24 * 60 * 60 * 1_000;
export const TOKENS_SWEPT_MAX = 64;
/** Tokens that were first used in the same hour are removed together. */
export const TOKEN_HOUR_MS: number = 60 * 60 * 1_000;
/** Tags of a resource, of one request, and resources of one request (ECS TagResources). */
export const TAGS_MAX = 20;
export const TAG_CHARS_MAX = 128;
export const TAGGED_RESOURCES_MAX = 50;
/** ListTagResources: resources looked at in one call, and tags after which a page ends. */
export const TAGGED_SCAN_MAX = 1_000;
export const TAGGED_PAGE_ENTRIES = 50;
/** DiskName, SnapshotName; Description of a key. */
export const NAME_CHARS_MAX = 128;
export const DESCRIPTION_CHARS_MAX = 8_192;
/** SetKeyPolicy, Policy: half of the cloud's, so that the record of a key stays one part. */
export const KEY_POLICY_BYTES_MAX = 16_384;
/** Audit log: entries kept, and entries one page of LookupEvents may look at. */
export const AUDIT_ENTRIES_MAX = 100_000;
export const AUDIT_PAGE_STEPS_MAX = 1_000;
/** Disks and snapshots whose data key one commit erases. */
export const ERASE_BATCH_RESOURCES = 500;
/** MaxResults of verbs that page by NextToken, and its default. */
export const RESULTS_MAX = 500;
export const RESULTS_DEFAULT = 100;
/** SetDeletionProtection, DeletionProtectionDescription. */
export const PROTECTION_DESCRIPTION_CHARS_MAX = 1_024;
/** Load generator: requests one job keeps in flight, and clones of one job (numjobs). */
export const LOAD_DEPTH_MAX = 65_536;
export const LOAD_CLONES_MAX = 1024;
/** Load generator: request buffers of all jobs that run together. */
export const LOAD_BUFFER_BYTES_MAX: number = 2 * GIB;
/** Load generator: one line of a block trace; longer is not a trace. */
export const TRACE_LINE_BYTES_MAX = 512;

/** Runs of sectors one question about a disk's allocation is answered with. */
export const ALLOCATION_RUNS_MAX = 1024;

/** NBD: connections of one server, and options one client may send before it transmits. */
export const NBD_CONNECTIONS_MAX = 100;
export const NBD_OPTIONS_MAX = 32;
/** NBD: bytes of one option (a name and queries), and queries in it. */
export const NBD_OPTION_BYTES_MAX: number = 64 * KIB;
export const NBD_QUERIES_MAX = 32;
/** NBD: a client has so long to agree, then to finish what it began, or to take what it asked. */
export const NBD_HANDSHAKE_MS = 10_000;
export const NBD_STALL_MS = 30_000;
/** NBD: how often deadlines are looked at, and how long a stop waits for requests in flight. */
export const NBD_SWEEP_MS = 1_000;
export const NBD_STOP_MS = 10_000;
/** NBD: requests in flight of one connection, payload bytes of one, and of all. */
export const NBD_CONNECTION_REQUESTS_MAX = 256;
export const NBD_CONNECTION_BYTES_MAX: number = 64 * MIB;
export const NBD_BYTES_MAX: number = 256 * MIB;
/** NBD: a connection's only request, if it is no longer, is let in beside the budget of all. */
export const NBD_RESERVED_BYTES: number = 256 * KIB;
/** NBD: payload of a refused WRITE that is still read, to stay in step; beyond it, the end. */
export const NBD_DRAINED_BYTES_MAX: number = 64 * MIB;
/** NBD: memory kept for payloads and shown to the shards. */
export const NBD_POOL_BYTES_MAX: number = 64 * MIB;
/** NBD: a block a socket is read into, the least that is left of it, blocks of one connection. */
export const NBD_RECEIVE_BYTES: number = 256 * KIB;
export const NBD_RECEIVE_BYTES_MIN: number = 64 * KIB;
export const NBD_RECEIVE_BLOCKS_MAX = 4;
/** NBD: what the kernel holds of a unix socket's replies; Linux doubles it for its own records. */
export const NBD_SEND_BYTES: number = MIB;
/** NBD: range of a disk one block status answers for. */
export const NBD_STATUS_BYTES_MAX: number = 4 * GIB;

/** Cloud API: connections, parameters of one request, and items of one list in it. */
export const API_CONNECTIONS_MAX = 1_024;
export const API_PARAMETERS_MAX = 1_000;
export const API_LIST_MAX = 1_000;
/** Cloud API: bytes of a request line and its headers, and of a body. */
export const API_HEAD_BYTES_MAX: number = 64 * KIB;
export const API_BODY_BYTES_MAX: number = MIB;
/** Cloud API: a client has so long to send headers, then all of a request; idle ones are closed. */
export const API_HEADERS_MS = 10_000;
export const API_REQUEST_MS = 30_000;
export const API_IDLE_MS = 65_000;
/** Cloud API: how long a stop waits for calls under way. */
export const API_STOP_MS = 5_000;
/** Cloud API: resource shares a server keeps. */
export const API_SHARES_MAX = 10_000;
/** Cloud API: latency a test may inject into a call. */
export const API_LATENCY_MS_MAX = 600_000;
/** Cloud API: a signature is of now, give or take so long; nonces kept meanwhile. */
export const API_CLOCK_SKEW_MS: number = 15 * 60 * 1_000;
export const API_NONCES_MAX = 500_000;

invariant(SHARD_HANG_MS > KMS_TIMEOUT_MS, 'a shard that waits for a key does not hang');
invariant(KMS_PING_MS < KMS_HANG_MS, 'a hang is asked about before it is one');
/** A fleet in virtual time: a row of figures is kept for each disk. */
export const FLEET_DISKS_MAX = 4_000_000;
/** Ten years: nanoseconds of it are exact in a double to a tenth of a microsecond. */
export const FLEET_SECONDS_MAX: number = 3650 * 86_400;
/** Disks that share an instance are looked through for each request. */
export const FLEET_INSTANCE_DISKS_MAX = 64;
export const FLEET_QUEUE_DEPTH_MAX = 4096;
/** Pieces a fleet is cut in, for threads to take: so unequal pieces still end together. */
export const FLEET_PARTS = 256;
export const FLEET_THREADS_MAX = 64;

invariant(KMS_HANG_MS > KMS_TIMEOUT_MS, 'a call has timed out before its thread is ended');
invariant(TOKEN_LIFETIME_MS % TOKEN_HOUR_MS === 0, 'a token lives whole hours');
invariant(SEGMENT_BYTES % SECTOR_BYTES === 0, 'a segment is whole sectors');
invariant(DISK_BYTES_MAX <= TREE_SECTORS_MAX * SECTOR_BYTES, 'every disk fits its tree');
invariant(EXPORT_CHUNK_BYTES % SECTOR_BYTES === 0, 'progress of an export is in sectors');
invariant(REENCRYPT_SLICE_SECTORS <= REENCRYPT_SECTORS_MAX, 'a slice is a part of a step');
invariant(Number.isInteger(Math.log2(SEGMENT_SECTORS)), 'locations split by shift and mask');
invariant(Number.isInteger(Math.log2(RING_SLOTS)), 'ring indexes wrap by mask');
invariant(PIECE_BYTES_MAX % SECTOR_BYTES === 0, 'pieces end on sector edges');
invariant(STAGING_BYTES >= 4 * (PIECE_BYTES_MAX + 2 * SECTOR_BYTES), 'several pieces in flight');
invariant(PIECE_BYTES_MAX <= SEGMENT_BYTES, 'a piece spans at most two segments');
invariant(BATCH_REQUESTS_MAX <= RING_SLOTS, 'a batch is part of the ring');
invariant(SPACE_AMPLIFICATION_GOAL < SPACE_AMPLIFICATION_MAX, 'reclaim ends before it restarts');
invariant(WRAPS_PER_VERSION_MAX % WRAPS_RESERVED_STEP === 0, 'the last reservation is a whole one');
invariant(KEY_DELETION_DAYS_MIN <= KEY_DELETION_DAYS_MAX, 'some pending window is allowed');
invariant(MASTER_KEYS_MAX < STORE_RANGE_ENTRIES_MAX, 'the keys of a region are one range');
invariant(
  3 * (DESCRIPTION_CHARS_MAX + PROTECTION_DESCRIPTION_CHARS_MAX) +
    3 * KEY_TAGS_MAX * 2 * KEY_TAG_CHARS_MAX +
    KEY_POLICY_BYTES_MAX <
    0xf000,
  'the record of a key, three bytes a character, is one part of additional data',
);
invariant(ALIASES_MAX < STORE_RANGE_ENTRIES_MAX, 'the aliases of a region are one range');
invariant(KMS_DATA_KEY_BYTES_MAX <= KMS_PLAINTEXT_BYTES_MAX, 'a data key can be encrypted');
invariant(SPACE_AMPLIFICATION_MAX < SPACE_AMPLIFICATION_HARD_MAX, 'reclaim starts before it stops');
invariant(SPACE_RESERVE_BYTES >= 4 * COMMIT_PENDING_BYTES_MAX, 'what is pending fits the reserve');
invariant(SEGMENT_FILES_DIRTY_MAX < SEGMENT_FILES_OPEN_MAX, 'unforced files stay open');
invariant(NBD_CONNECTION_BYTES_MAX >= REQUEST_BYTES_MAX, 'the longest request is admitted');
invariant(NBD_BYTES_MAX >= NBD_CONNECTION_BYTES_MAX, 'one connection fits the budget of all');
invariant(NBD_DRAINED_BYTES_MAX >= REQUEST_BYTES_MAX, 'what is allowed is not an attack');
