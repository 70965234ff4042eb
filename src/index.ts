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
export { httpStatusOf } from './base/http-status.ts';
export { Simulation } from './base/simulation.ts';
export { checkDirectory, type DirectoryCheck } from './check-directory.ts';
export { loadWorld } from './control/access/load-world.ts';
export type { World } from './control/access/world.ts';
export { DISK_CATEGORIES, type DiskCategory } from './control/encryption/categories.ts';
export type { EncryptionQuestion } from './control/encryption/decide.ts';
export {
  type EncryptionExplanation,
  explainEncryption,
  explainTable,
  type TableEntry,
} from './control/encryption/explain.ts';
export { renderEncryptionRules } from './control/encryption/render-document.ts';
export type { CommonParameters, DiskCount, Verbs } from './control/verbs.ts';
export type { FleetInput } from './fleet/fleet-options.ts';
export { openPlane } from './plane.ts';
export {
  type FleetReport,
  type FleetSimulation,
  type SimulateFleetOptions,
  simulateFleet,
} from './simulate-fleet.ts';
export type {
  AttachOptions,
  Disk,
  DiskExtent,
  DiskPerformance,
  DiskWriteOptions,
  EngineSurvey,
  IoStages,
  KeySearch,
  Plane,
  PlaneCheck,
  PlaneOptions,
  PlanePrincipal,
  PlaneSession,
  PlaneStats,
  RegisteredBuffer,
  ScrubFinding,
  ScrubOptions,
  ScrubProgress,
  ScrubReport,
  SnapshotReader,
} from './types.ts';
