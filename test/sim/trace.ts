/**
 * The trace of a history: a hash of everything that happened, in the order it did.
 *
 * Two runs of one seed have the same hash, or the simulator is not deterministic.
 */
export class Trace {
  /** Events noted. */
  length = 0;
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  readonly #lines: string[] | null;

  /** @param isVerbose keeps every event as a line */
  constructor(isVerbose = false) {
    this.#lines = isVerbose ? [] : null;
  }

  /** Lines of the events, if they are kept. */
  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  get hash(): string {
    const half = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return half(this.#high) + half(this.#low);
  }

  note(what: string, ...values: readonly (string | number)[]): void {
    this.length++;
    this.#text(what);
    for (const value of values) {
      if (typeof value === 'number') this.#number(value);
      else this.#text(value);
    }
    this.#lines?.push(`${what} ${values.join(' ')}`);
  }

  #text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at));
    this.#mix(text.length);
  }

  #number(value: number): void {
    this.#mix(value | 0);
    this.#mix(Math.floor(value / 2 ** 32));
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#low = Math.imul(this.#low + word, 0x85ebca6b) ^ (this.#low >>> 13);
  }
}
