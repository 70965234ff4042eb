/**
 * A terminal's alternate screen, drawn anew at most four times a second, and given back as it was.
 *
 *   enter() ──► drawn by a timer and at each change of size ──► leave(), any number of times
 *
 * Plain ANSI, so that it works over any connection. A terminal that is slow to take what was
 * written misses frames. The timer does not keep the process alive.
 */
import type { FrameSize } from './live-view.ts';

const REFRESH_MS = 250;
/** Alternate screen, no cursor, no wrapping; and the opposite, in the opposite order. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';

/** What is needed of a tty.WriteStream. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writableNeedDrain?: boolean;
  write(text: string): unknown;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export class LiveScreen {
  readonly #stream: ScreenStream;
  readonly #frame: (size: FrameSize, nowMs: number) => readonly string[];
  #timer: NodeJS.Timeout | null = null;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  /** @param frame asked for the lines of the next frame */
  constructor(stream: ScreenStream, frame: (size: FrameSize, nowMs: number) => readonly string[]) {
    this.#stream = stream;
    this.#frame = frame;
  }

  /** Takes the terminal. Again after leave(). */
  enter(): void {
    if (this.#timer !== null) return;
    this.#stream.write(ENTER);
    this.#stream.on?.('resize', this.#resized);
    this.#timer = setInterval(() => this.#draw(), REFRESH_MS);
    this.#timer.unref();
    this.#draw();
  }

  /** Gives the terminal back. Idempotent. */
  leave(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#stream.off?.('resize', this.#resized);
    this.#stream.write(LEAVE);
  }

  /** Draws for the new size, or leaves that to the timer if it has just drawn. */
  readonly #resized = (): void => {
    if (performance.now() - this.#drawnAtMs >= REFRESH_MS) this.#draw();
  };

  #draw(): void {
    const { columns = 80, rows = 24, writableNeedDrain = false } = this.#stream;
    if (writableNeedDrain) return;
    this.#drawnAtMs = performance.now();
    const lines = this.#frame({ columns, rows }, this.#drawnAtMs);
    this.#stream.write(HOME + lines.map((line) => line + ERASE_LINE).join('\r\n') + ERASE_BELOW);
  }
}
