/**
 * "Did you mean": the nearest known word, by edits of one letter.
 *
 * The distance is optimal string alignment (insert, delete, replace, swap of neighbours), so that
 * the commonest slips of the keyboard cost one.
 */

/**
 * @returns the nearest of known, or null if none is within a third of the word's length
 */
export function nearestWord(word: string, known: readonly string[]): string | null {
  const edits = Math.max(1, Math.floor(word.length / 3));
  let nearest: string | null = null;
  let nearestDistance = edits + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= nearestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate);
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** ' (did you mean x?)', or '' if nothing is near. For the end of a message. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  return nearest === null ? '' : ` (did you mean ${nearest}?)`;
}

function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = left[i - 1] === right[j - 1] ? 0 : 1;
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + replaced);
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (isSwap) cost = Math.min(cost, beforePrevious[j - 2]! + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length]!;
}
