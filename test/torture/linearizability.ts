/**
 * Whether a register behaved as one: some order of its reads and writes, each at an instant between
 * its beginning and its end, explains what every read saw.
 *
 * "Just-in-time" linearization (Lowe, "Testing for linearizability", 2017): events are gone through
 * as they happened, with every state the register can be in: its value, and which of the requests
 * under way have taken effect already. A request ends: states in which it has not are followed
 * through everything that can happen up to it; without any the history is not linearizable. Exact,
 * also where two writes write the same value; exponential only in the requests under way at once.
 */
export interface RegisterRequest {
  readonly kind: 'write' | 'read';
  readonly value: number;
  /** When it began and ended, all different; Infinity: it never did, and may have had effect. */
  readonly begun: number;
  readonly ended: number;
}

interface State {
  readonly value: number;
  /** Numbers of requests under way that have taken effect, ascending. */
  readonly done: readonly number[];
}

/** @returns null if it is linearizable; otherwise the request nothing explains */
export function findNonLinearizable(
  requests: readonly RegisterRequest[],
  first: number,
): RegisterRequest | null {
  const events = requests.flatMap(({ begun, ended, kind }, index) => [
    { at: begun, index, isEnd: false },
    // A read that never ended says nothing.
    ...(ended === Infinity ? [] : [{ at: ended, index, isEnd: true }]),
    ...(ended === Infinity && kind === 'read' ? [{ at: begun, index, isEnd: true }] : []),
  ]);
  events.sort((left, right) => left.at - right.at);
  const open = new Set<number>();
  let states: State[] = [{ value: first, done: [] }];
  for (const { index, isEnd } of events) {
    if (!isEnd) {
      open.add(index);
      continue;
    }
    const request = requests[index]!;
    if (request.ended === Infinity) {
      open.delete(index);
      continue;
    }
    states = statesAfter(states, index, open, requests);
    if (states.length === 0) return request;
    open.delete(index);
  }
  return null;
}

/** Every state in which a request has taken effect, as far as it matters once it has ended. */
function statesAfter(
  states: readonly State[],
  ended: number,
  open: ReadonlySet<number>,
  requests: readonly RegisterRequest[],
): State[] {
  const seen = new Set<string>();
  const found = new Map<string, State>();
  const waiting = [...states];
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    const key = keyOf(state);
    if (seen.has(key)) continue;
    seen.add(key);
    if (state.done.includes(ended)) {
      const left = { value: state.value, done: state.done.filter((index) => index !== ended) };
      found.set(keyOf(left), left);
      continue;
    }
    for (const index of open) {
      if (state.done.includes(index)) continue;
      const { kind, value } = requests[index]!;
      if (kind === 'read' && value !== state.value) continue;
      waiting.push({ value, done: [...state.done, index].sort((left, right) => left - right) });
    }
  }
  return [...found.values()];
}

function keyOf({ value, done }: State): string {
  return `${value}:${done.join()}`;
}
