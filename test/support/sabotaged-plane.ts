/** A plane of the built package whose threads a test can kill. */
import { openPlane, type Plane, type PlaneOptions } from 'sealdisk';
import { SABOTAGE, Sabotage, type SabotageOptions } from '../../dist/src/threads/sabotage.js';

export interface SabotagedPlane extends AsyncDisposable {
  readonly plane: Plane;
  readonly sabotage: Sabotage;
}

export async function openSabotaged(
  options: PlaneOptions,
  sabotageOptions: SabotageOptions = {},
): Promise<SabotagedPlane> {
  const sabotage = new Sabotage(sabotageOptions);
  const plane = await openPlane({ ...options, [SABOTAGE]: sabotage } as PlaneOptions);
  return { plane, sabotage, [Symbol.asyncDispose]: () => plane.close() };
}
