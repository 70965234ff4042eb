/** The shape of a world, checked before anything is looked up: names, types and single values. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { DESCRIPTION_CHARS_MAX } from '../../limits.ts';
import { isDiskId, isImageId, isKeyId, isScopeId, isSnapshotId } from '../../record/ids.ts';
import { DISK_CATEGORIES } from '../encryption/categories.ts';
import { nameSchema, sizeSchema } from '../schemas.ts';
import { isPolicyName, POLICY_NAMES } from './policies.ts';
import { SERVICE_ROLES } from './roles.ts';
import type { World } from './world.ts';

function checked(isRight: (text: string) => boolean, expected: string) {
  return v.pipe(v.string(`expected ${expected}`), v.check(isRight, `expected ${expected}`));
}

const accountId = checked(isScopeId, 'an account id: a string of 1 to 32 of a-z, 0-9 and -');
const keyId = checked(isKeyId, 'a key id: key- and 20 of a-z and 0-9');
const diskId = checked(isDiskId, 'a disk id: d- and 20 of a-z and 0-9');
const snapshotId = checked(isSnapshotId, 'a snapshot id: s- and 20 of a-z and 0-9');
const imageId = checked(isImageId, 'an image id: m- and 20 of a-z and 0-9');
const policyName = checked(isPolicyName, `one of ${POLICY_NAMES.join(', ')}`);
const roleNames = Object.keys(SERVICE_ROLES);
const roleName = checked((name) => roleNames.includes(name), `one of ${roleNames.join(', ')}`);
const userName = checked(
  (name) => /^[\w.@-]{1,64}$/.test(name),
  'a user name: 1 to 64 of a-z . @ -',
);

const scope = { account: v.optional(accountId), region: v.optional(v.string()) };
const description = v.optional(v.pipe(v.string(), v.maxLength(DESCRIPTION_CHARS_MAX)));
const tags = v.optional(v.record(v.string(), v.string()));
const optionalName = v.optional(nameSchema);
const flag = v.optional(v.boolean());
const byteCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const pattern = checked(
  (text) => /^(0x)?([0-9a-fA-F]{2}){1,512}$/.test(text),
  'a pattern: 1 to 512 bytes in hexadecimal, in quotes',
);

const worldSchema = v.strictObject({
  accounts: v.optional(
    v.array(
      v.strictObject({
        id: accountId,
        name: optionalName,
        users: v.optional(
          v.array(v.strictObject({ name: userName, policies: v.optional(v.array(policyName)) })),
        ),
        roles: v.optional(v.array(roleName)),
        defaultEncryptionGranted: flag,
      }),
    ),
  ),
  regions: v.optional(
    v.array(
      v.strictObject({
        ...scope,
        defaultEncryption: flag,
        defaultKey: v.optional(keyId),
        kms: v.optional(v.picklist(['Enabled', 'NotEnabled', 'Index', 'Suspended'])),
      }),
    ),
  ),
  keys: v.optional(
    v.array(
      v.strictObject({
        ...scope,
        id: keyId,
        description,
        state: v.optional(v.picklist(['Enabled', 'Disabled'])),
      }),
    ),
  ),
  disks: v.optional(
    v.array(
      v.strictObject({
        ...scope,
        id: diskId,
        size: sizeSchema,
        zone: v.optional(v.string()),
        name: optionalName,
        description,
        category: v.optional(v.picklist(DISK_CATEGORIES)),
        performanceLevel: v.optional(v.picklist(['PL0', 'PL1', 'PL2', 'PL3'])),
        encrypted: flag,
        key: v.optional(keyId),
        content: v.optional(
          v.array(
            v.strictObject({
              offset: v.optional(byteCount),
              pattern: v.optional(pattern),
              length: v.optional(byteCount),
              file: v.optional(v.pipe(v.string(), v.minLength(1))),
            }),
          ),
        ),
        tags,
      }),
    ),
  ),
  snapshots: v.optional(
    v.array(
      v.strictObject({
        ...scope,
        id: snapshotId,
        disk: diskId,
        name: optionalName,
        description,
        tags,
      }),
    ),
  ),
  images: v.optional(
    v.array(
      v.strictObject({
        ...scope,
        id: imageId,
        name: optionalName,
        description,
        family: optionalName,
        devices: v.optional(
          v.pipe(
            v.array(
              v.strictObject({
                type: v.picklist(['system', 'data']),
                size: sizeSchema,
                snapshot: v.optional(snapshotId),
              }),
            ),
            v.minLength(1),
          ),
        ),
        public: flag,
        sharedWith: v.optional(v.array(accountId)),
        osType: v.optional(v.picklist(['linux', 'windows'])),
        platform: optionalName,
        architecture: optionalName,
        tags,
      }),
    ),
  ),
});

/** Files that worlds were read from. */
const files = new WeakMap<World, string>();

/** @param file null: the world was made by a program */
export function checkShape(value: unknown, file: string | null): World {
  // A list is an object too, and may have none of the names.
  const result = v.safeParse(worldSchema, Array.isArray(value) ? 'a list' : value);
  if (result.success) {
    const world = value as World;
    if (file !== null) files.set(world, file);
    return world;
  }
  const [issue] = result.issues;
  const path = v.getDotPath(issue)?.replace(/\.(\d+)/g, '[$1]') ?? null;
  const place = [file ?? 'world', path].filter((part) => part !== null).join(': ');
  throw new PlaneError('WorldInvalid', `${place}: ${wordsOf(issue)}`);
}

/** An error about one place of a world. */
export function worldInvalid(world: World, path: string, expected: string): PlaneError {
  return new PlaneError('WorldInvalid', `${files.get(world) ?? 'world'}: ${path}: ${expected}`);
}

/** The file a world was read from, null if it was none. */
export function fileOf(world: World): string | null {
  return files.get(world) ?? null;
}

function wordsOf(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'there is nothing of this name';
  const words = issue.message.startsWith('expected ')
    ? issue.message
    : `expected ${issue.expected ?? issue.message}`;
  return `${words}, got ${issue.received.slice(0, 64)}`;
}
