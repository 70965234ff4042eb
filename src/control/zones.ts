/** Zones as callers name them. */
import { PlaneError } from '../base/errors.ts';
import { findRegion, zonesOf } from './access/regions.ts';

/**
 * The zone a caller names, or the region's first.
 *
 * @throws PlaneError InvalidZoneId.NotFound
 */
export function zoneOf(context: { readonly regionId: string }, zoneId: string | undefined): string {
  const zones = zonesOf(findRegion(context.regionId));
  const zone = zoneId === undefined ? zones[0] : zones.find((each) => each === zoneId);
  if (zone !== undefined) return zone;
  const shown = JSON.stringify(String(zoneId).slice(0, 64));
  throw new PlaneError('InvalidZoneId.NotFound', `${context.regionId} has no zone ${shown}`);
}
