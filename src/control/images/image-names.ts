/**
 * What an image may be called. An image without a name is called nothing, as often as one likes.
 *
 * **Source:** ECS CreateImage, CopyImage, ModifyImageAttribute: parameter ImageName.
 */
import { PlaneError } from '../../base/errors.ts';
import { facetGroups } from '../../meta/facets.ts';
import type { Scope } from '../../meta/metadata.ts';
import type { ControlContext } from '../context.ts';

/** 2 to 128 characters; a letter first, then letters, digits and . : _ -, no address thereby */
const NAME = /^\p{L}[\p{L}\p{M}\p{N}.:_-]{1,127}$/u;
const RESERVED = /^(aliyun|acs:)/;

/** To be held by who makes an image, or calls it by another name: names are each one's own. */
export function imageNameLock(scope: Scope, name: string | undefined): string[] {
  const { accountId, regionId } = scope;
  return name === undefined || name === '' ? [] : [`~image ${accountId} ${regionId} ${name}`];
}

/**
 * @param ownId of the image that is to have the name, if it is there already
 * @throws PlaneError InvalidImageName.Malformed, InvalidImageName.Duplicated
 */
export function checkImageName(
  { metadata }: ControlContext,
  { accountId, regionId }: Scope,
  name: string | undefined,
  ownId: string | null,
): void {
  if (name === undefined || name === '') return;
  if (!NAME.test(name) || RESERVED.test(name)) {
    const shape = '2 to 128 letters, digits and . : _ -, a letter first';
    const expected = `expected ImageName of ${shape}, not beginning with aliyun or acs:`;
    const got = JSON.stringify(name.slice(0, 64));
    throw new PlaneError('InvalidImageName.Malformed', `${expected}, got ${got}`);
  }
  for (const group of facetGroups(`${accountId}/${regionId}`, { name })) {
    const { records } = metadata.listDocuments('image', `named/${group}`, 0, 2);
    const other = records.find(({ imageId }) => imageId !== ownId);
    if (other === undefined) continue;
    const detail = `${other.imageId} is called ${JSON.stringify(name)} already`;
    throw new PlaneError('InvalidImageName.Duplicated', detail);
  }
}
