/**
 * When a run looks at what came out so far, and how much of its level each look may spend.
 *
 * Going on until the result pleases makes any test lie, unless each look pays. The level of a run
 * is divided among its looks beforehand: a look judges with its part, and the chance that any of
 * them is wrong is at most the sum (Bonferroni; Lan and DeMets 1983 for the spending). When a look
 * falls due is a matter of time alone. A look for which there are too few rounds is left out; its
 * part is the next one's.
 */

export interface Look {
  /** Of the time of the run. */
  readonly share: number;
  /** Of the level, that may have been spent when the look is over. */
  readonly spent: number;
}

/** The end has half of it: what is in doubt is decided there. */
export const LOOKS: readonly Look[] = [
  { share: 0.5, spent: 0.25 },
  { share: 0.75, spent: 0.5 },
  { share: 1, spent: 1 },
];

/** How much of the level may have been spent at a time. @param share of the run */
export function spentAt(share: number): number {
  return LOOKS.reduce((most, look) => (look.share <= share ? look.spent : most), 0);
}
