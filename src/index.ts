/**
 * sealdisk: an encrypted block-storage data plane in one process. The only public face.
 *
 * @example
 * import { openPlane } from 'sealdisk';
 * await using plane = await openPlane({ memory: true });
 * const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
 * await using disk = await plane.attach(DiskId);
 * await disk.write(0, new TextEncoder().encode('hello'));
 * const bytes = await disk.read(0, 5);
 */
export { ERROR_CODES, type ErrorCode, type ErrorRecord, PlaneError } from './base/errors.ts';
export { openPlane } from './plane.ts';
export type {
  Disk,
  DiskExtent,
  DiskWriteOptions,
  EngineSurvey,
  KeySearch,
  Plane,
  PlaneCheck,
  PlaneOptions,
  PlaneStats,
  RegisteredBuffer,
} from './types.ts';
