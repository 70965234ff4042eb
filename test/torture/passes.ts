/** The passes: what is done to victims, and what part of the time each has. */
import { killUnderLoad } from './kill-pass.ts';
import type { Pass } from './pass.ts';

const nothing = (): null => null;

export const PASSES: readonly Pass[] = [
  {
    name: 'kill',
    weight: 4,
    because: 'what was acknowledged survives a kill at any moment; sectors are whole',
    missing: nothing,
    run: killUnderLoad,
  },
];
