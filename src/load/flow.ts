/**
 * flow: jobs of one flow_id make requests in proportion to their weights.
 *
 * A job may make a request as long as its share of the requests made in the flow does not exceed
 * its share of the weights; otherwise it waits flow_sleep and looks again (fio flow.c). A job that
 * ends takes its weight and its requests with it: the others are as if it had never been there.
 */
import type { LoadDisk } from './load-disk.ts';
import {
  type Operation,
  type OperationSource,
  SOURCE_READY,
  SOURCE_WAIT,
  type SourceAnswer,
} from './operation-source.ts';

/** The jobs of one flow_id. */
export class Flow {
  /** One more than were made: there is a share before the first request. */
  requests = 1;
  weight = 0;
}

/** A source held back to its job's share of a flow. */
export class FlowSource implements OperationSource {
  readonly #inner: OperationSource;
  readonly #flow: Flow;
  readonly #weight: number;
  readonly #sleepMs: number;
  #made = 0;
  #isMember = false;
  #isHeld = false;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param weight above 0
   * @param sleepMs between two looks; 0: a turn of the event loop
   */
  constructor(inner: OperationSource, flow: Flow, weight: number, sleepMs: number) {
    this.#inner = inner;
    this.#flow = flow;
    this.#weight = weight;
    this.#sleepMs = sleepMs;
  }

  get operation(): Operation {
    return this.#inner.operation;
  }
  get offsetBytes(): number {
    return this.#inner.offsetBytes;
  }
  get lengthBytes(): number {
    return this.#inner.lengthBytes;
  }
  get disk(): LoadDisk {
    return this.#inner.disk;
  }
  get dueAtMs(): number {
    return this.#inner.dueAtMs;
  }

  begin(nowMs: number): void {
    this.#isMember = true;
    this.#flow.weight += this.#weight;
    this.#inner.begin?.(nowMs);
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#inner.cancel?.();
    if (!this.#isMember) return;
    this.#isMember = false;
    this.#flow.weight -= this.#weight;
    this.#flow.requests -= this.#made;
    this.#made = 0;
  }

  shift(milliseconds: number): void {
    this.#inner.shift?.(milliseconds);
  }

  next(): SourceAnswer {
    const share = this.#made / this.#flow.requests;
    this.#isHeld = share > this.#weight / this.#flow.weight;
    if (this.#isHeld) return SOURCE_WAIT;
    const answer = this.#inner.next();
    if (answer === SOURCE_READY) {
      this.#made += 1;
      this.#flow.requests += 1;
    }
    return answer;
  }

  ready(): Promise<void> {
    if (!this.#isHeld) return this.#inner.ready();
    return new Promise((resolve) => {
      if (this.#sleepMs === 0) setImmediate(resolve);
      else this.#timer = setTimeout(resolve, this.#sleepMs);
    });
  }

  progress(): number {
    return this.#inner.progress();
  }
}
