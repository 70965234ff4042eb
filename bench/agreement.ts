/**
 * Whether two figures agree: a verdict on their ratio and its 95 % interval.
 *
 * Two tools are never the same to the last thousandth, and a rate that both were told to keep has
 * an interval as narrow as that. So what counts as the same is said beforehand: a ratio within
 * MARGIN. Agree is then a finding of its own, by two one-sided tests at 5 % each (TOST, Schuirmann
 * 1987): the 90 % interval lies within the margin. AGREEMENT_RULES says the rest; the first row
 * that holds counts.
 */
import { studentQuantile } from '../src/load/paired-overhead.ts';

export interface PairedRatio {
  readonly mean: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** Pairs of turns it is from. */
  readonly pairs: number;
}

export type Agreement = 'agree' | 'differ' | 'no difference seen' | 'cannot tell';

/** Ratios from 1 / MARGIN to MARGIN are the same. */
const MARGIN = 1.02;
/** An interval that reaches farther from 1 says nothing. */
const SEEN_WITHIN = 1.25;

export interface AgreementRule {
  readonly verdict: Agreement;
  readonly holds: (ratio: PairedRatio) => boolean;
  readonly because: string;
}

export const AGREEMENT_RULES: readonly AgreementRule[] = [
  {
    verdict: 'agree',
    holds: (ratio) => isWithin(narrower(ratio), MARGIN),
    because: 'they are the same within 2 %',
  },
  {
    verdict: 'differ',
    holds: ({ low, high }) => low > MARGIN || high < 1 / MARGIN,
    because: 'they are farther apart than 2 %',
  },
  {
    verdict: 'no difference seen',
    holds: (ratio) => ratio.low <= 1 && ratio.high >= 1 && isWithin(ratio, SEEN_WITHIN),
    because: 'they may be the same, and are less than a quarter apart',
  },
  {
    verdict: 'cannot tell',
    holds: () => true,
    because: 'it could be the same and could be farther apart than 2 %',
  },
];

export function agreementOf(ratio: PairedRatio): Agreement {
  return AGREEMENT_RULES.find(({ holds }) => holds(ratio))!.verdict;
}

function isWithin({ low, high }: Pick<PairedRatio, 'low' | 'high'>, factor: number): boolean {
  return low >= 1 / factor && high <= factor;
}

/** The 90 % interval: of the same numbers, in logarithms. */
function narrower({ low, high, pairs }: PairedRatio): { low: number; high: number } {
  const middle = Math.log(low * high) / 2;
  const shrink = studentQuantile(0.95, pairs - 1) / studentQuantile(0.975, pairs - 1);
  const half = (Math.log(high / low) / 2) * shrink;
  return { low: Math.exp(middle - half), high: Math.exp(middle + half) };
}
