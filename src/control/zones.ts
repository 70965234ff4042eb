/** Zones of a region: named after it, with one letter. Source: ECS DescribeZones. */
import { PlaneError } from '../base/errors.ts';

/**
 * The zone a caller names, or the region's first.
 *
 * @throws PlaneError InvalidZoneId.NotFound
 */
export function zoneOf(context: { readonly regionId: string }, zoneId: string | undefined): string {
  const prefix = /\d$/.test(context.regionId) ? context.regionId : `${context.regionId}-`;
  if (zoneId === undefined) return `${prefix}a`;
  if (zoneId.startsWith(prefix) && /^[a-z]$/.test(zoneId.slice(prefix.length))) return zoneId;
  const shown = JSON.stringify(zoneId.slice(0, 64));
  throw new PlaneError('InvalidZoneId.NotFound', `${context.regionId} has no zone ${shown}`);
}
