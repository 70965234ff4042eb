/** What disks and snapshots can be listed by, and the index groups that answer. Thread: main. */
import { invariant } from '../base/invariant.ts';
import { isDiskId, isInstanceId, isKeyId, isLineageId, isSnapshotId } from '../record/ids.ts';
import { scopeGroup } from './documents.ts';
import { type FacetFilter, facetGroups } from './facets.ts';
import { DISKS, groupPrefix, SNAPSHOTS } from './tables.ts';

/** An account in a region. */
export interface Scope {
  readonly accountId: string;
  readonly regionId: string;
}

/** Several given: all must hold, and the cost grows with the smallest of the groups. */
export interface DiskFilter extends FacetFilter {
  readonly scope?: Scope;
  /** Of the top layer. */
  readonly keyId?: string;
  /** A layer is under the data key made for this resource. */
  readonly dataKeyId?: string;
  readonly sourceSnapshotId?: string;
  readonly instanceId?: string;
  readonly imageId?: string;
}

export interface SnapshotFilter extends FacetFilter {
  readonly scope?: Scope;
  readonly diskId?: string;
  /** Of the top layer. */
  readonly keyId?: string;
  readonly dataKeyId?: string;
  /** Copies of this snapshot. */
  readonly copiedFrom?: string;
}

/** @returns prefixes of the groups; null: a filter is no id, so nothing passes */
export function groupsOfDiskFilter(filter: DiskFilter): string[] | null {
  return groupsOf([
    ...scopeRows(DISKS, filter),
    [DISKS.byInstance, filter.instanceId, isInstanceId],
    [DISKS.byImage, filter.imageId, isAnyImageId],
    [DISKS.byKey, filter.keyId, isKeyId],
    [DISKS.byDataKey, filter.dataKeyId, isLineageId],
    [DISKS.bySource, filter.sourceSnapshotId, isSnapshotId],
  ]);
}

/** @returns prefixes of the groups; null: a filter is no id, so nothing passes */
export function groupsOfSnapshotFilter(filter: SnapshotFilter): string[] | null {
  return groupsOf([
    ...scopeRows(SNAPSHOTS, filter),
    [SNAPSHOTS.byCopied, filter.copiedFrom, isSnapshotId],
    [SNAPSHOTS.byKey, filter.keyId, isKeyId],
    [SNAPSHOTS.byDataKey, filter.dataKeyId, isLineageId],
    [SNAPSHOTS.bySource, filter.diskId, isDiskId],
  ]);
}

type FilterRow = readonly [
  index: { readonly prefix: string },
  group: string | undefined,
  isId: (text: string) => boolean,
];

function groupsOf(rows: readonly FilterRow[]): string[] | null {
  const groups: string[] = [];
  for (const [index, group, isId] of rows) {
    if (group === undefined) continue;
    if (!isId(group)) return null;
    groups.push(groupPrefix(index, group));
  }
  return groups;
}

const isAny = (): boolean => true;

/** What is in a facet of a scope is in the scope. */
function scopeRows(
  table: typeof DISKS | typeof SNAPSHOTS,
  filter: FacetFilter & { readonly scope?: Scope },
): FilterRow[] {
  const scope =
    filter.scope === undefined
      ? undefined
      : scopeGroup(filter.scope.accountId, filter.scope.regionId);
  const facets = facetGroups(scope ?? '', filter);
  if (facets.length === 0) return [[table.byScope, scope, isAny]];
  invariant(scope !== undefined, 'a facet is looked up in a scope');
  return facets.map((facet) => [table.byFacet, facet, isAny]);
}

/** Public images have ids of other forms than ours. */
function isAnyImageId(text: string): boolean {
  return /^[\w.-]{1,128}$/.test(text);
}
