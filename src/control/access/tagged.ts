/** Disks, snapshots, images and instances as what they have in common: an owner, tags, a group. */
import { PlaneError } from '../../base/errors.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { Listing, MetadataChange } from '../../meta/metadata.ts';
import type { ImageRecord, InstanceRecord } from '../../record/document.ts';
import { isImageId, isInstanceId } from '../../record/ids.ts';
import type { DiskRecord, OwnedRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { isInScope } from '../find.ts';
import { moved } from '../resource-groups.ts';
import type { TaggedType } from './types.ts';

export interface TaggedResource {
  readonly id: string;
  readonly record: OwnedRecord;
  /** Its record with other tags. */
  readonly withTags: (tags: Readonly<Record<string, string>>) => MetadataChange;
  /** Its record in another resource group. */
  readonly withGroup: (resourceGroupId: string) => MetadataChange;
}

interface TypeRow {
  readonly find: (context: ControlContext, id: string) => TaggedResource | undefined;
  readonly list: (context: ControlContext, skip: number, limit: number) => Listing<TaggedResource>;
}

function row<R extends OwnedRecord>(
  idOf: (record: R) => string,
  put: (record: R) => MetadataChange,
  find: (context: ControlContext, id: string) => R | undefined,
  list: (context: ControlContext, skip: number, limit: number) => Listing<R>,
): TypeRow {
  const toResource = (record: R): TaggedResource => ({
    id: idOf(record),
    record,
    withTags: (tags) => put({ ...record, tags }),
    withGroup: (resourceGroupId) => put(moved(record, resourceGroupId)),
  });
  return {
    find: (context, id) => {
      const record = find(context, id);
      return record === undefined ? undefined : toResource(record);
    },
    list: (context, skip, limit) => {
      const { total, records } = list(context, skip, limit);
      return { total, records: records.map(toResource) };
    },
  };
}

const TYPES: Readonly<Record<TaggedType, TypeRow>> = {
  disk: row<DiskRecord>(
    ({ diskId }) => diskId,
    (disk) => ({ putDisks: [disk] }),
    ({ metadata }, id) => metadata.getDisk(id),
    (context, skip, limit) => context.metadata.listDisks({ scope: context }, skip, limit),
  ),
  snapshot: row<SnapshotRecord>(
    ({ snapshotId }) => snapshotId,
    (snapshot) => ({ putSnapshots: [snapshot] }),
    ({ metadata }, id) => metadata.getSnapshot(id),
    (context, skip, limit) => context.metadata.listSnapshots({ scope: context }, skip, limit),
  ),
  image: row<ImageRecord>(
    ({ imageId }) => imageId,
    (record) => ({ putDocuments: [{ kind: 'image', record }] }),
    ({ metadata }, id) => (isImageId(id) ? metadata.getDocument('image', id) : undefined),
    (context, skip, limit) =>
      context.metadata.listDocuments('image', groupOf(context), skip, limit),
  ),
  instance: row<InstanceRecord>(
    ({ instanceId }) => instanceId,
    (record) => ({ putDocuments: [{ kind: 'instance', record }] }),
    ({ metadata }, id) => (isInstanceId(id) ? metadata.getDocument('instance', id) : undefined),
    (context, skip, limit) =>
      context.metadata.listDocuments('instance', groupOf(context), skip, limit),
  ),
};

/** @throws PlaneError InvalidResourceId.NotFound: not there, or not of the call's account */
export function findTagged(context: ControlContext, type: TaggedType, id: string): TaggedResource {
  const found = TYPES[type].find(context, id);
  if (found !== undefined && isInScope(context, found.record)) return found;
  const shown = JSON.stringify(id.slice(0, 64));
  throw new PlaneError('InvalidResourceId.NotFound', `there is no ${type} ${shown}`);
}

/** Resources of the account in the region, in the order of their ids. */
export function listTagged(
  context: ControlContext,
  type: TaggedType,
  skip: number,
  limit: number,
): Listing<TaggedResource> {
  return TYPES[type].list(context, skip, limit);
}

function groupOf({ accountId, regionId }: ControlContext): string {
  return `scope/${scopeGroup(accountId, regionId)}`;
}
