/**
 * What disks and snapshots of an account in a region are often asked for by: their state, whether
 * they are encrypted, their name, their tags. Thread: main.
 *
 * A facet is a group within a scope: `<account>/<region>.<facet>`. Names and tags are anybody's
 * text, and longer than a key of the store may be: their groups are named by a digest, of which
 * 128 bits are kept, so two names never share a group.
 */
import { createHash } from 'node:crypto';
import type { DiskRecord, SnapshotRecord } from '../record/resource.ts';

/** Several given: all must hold. A filter with one of these names its scope, too. */
export interface FacetFilter {
  readonly status?: string;
  readonly isEncrypted?: boolean;
  /** The whole of it. */
  readonly name?: string;
  /** A tag without a value is had with any. */
  readonly tags?: readonly { readonly key: string; readonly value?: string }[];
}

/** @returns the groups a record belongs to, each once */
export function facetsOf(record: DiskRecord | SnapshotRecord): string[] {
  const { accountId, regionId, status, encryption, name, tags } = record;
  const filters: FacetFilter[] = [
    { status, isEncrypted: encryption !== null },
    ...(name === '' ? [] : [{ name }]),
    ...Object.entries(tags).map(([key, value]) => ({ tags: [{ key }, { key, value }] })),
  ];
  return filters.flatMap((filter) => facetGroups(`${accountId}/${regionId}`, filter));
}

/** @param scope `<account>/<region>` */
export function facetGroups(scope: string, filter: FacetFilter): string[] {
  const { status, isEncrypted, name, tags = [] } = filter;
  const facets = [
    ...(status === undefined ? [] : [`status.${status}`]),
    ...(isEncrypted === undefined ? [] : [`encrypted.${isEncrypted}`]),
    ...(name === undefined ? [] : [`name.${digestOf(name)}`]),
    ...tags.map(({ key, value }) =>
      value === undefined ? `tag.${digestOf(key)}` : `tag.${digestOf(key)}.${digestOf(value)}`,
    ),
  ];
  return [...new Set(facets)].map((facet) => `${scope}.${facet}`);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
