/**
 * What a test injects into calls of the API: refusals, and time they take.
 *
 * **Thread:** main.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES, type ErrorCode, PlaneError } from '../../base/errors.ts';
import { API_LATENCY_MS_MAX } from '../../limits.ts';
import type { Service } from './wire-refusal.ts';

/** Calls that match are refused with `code`, or take `latencyMs` longer, or both. */
export interface Fault {
  /** @default every API */
  readonly service?: 'ecs' | 'kms' | 'resourcesharing';
  /** As CreateDisk. @default every operation */
  readonly action?: string;
  /** A code of the API, as Throttling. @default the call is done */
  readonly code?: ErrorCode;
  readonly message?: string;
  /** @default 0 */
  readonly latencyMs?: number;
  /** How many calls it befalls. @default all, until it is cleared */
  readonly times?: number;
}

export class Faults {
  private readonly active: { readonly fault: Fault; left: number }[] = [];

  /** @throws PlaneError InvalidArgument: not a fault */
  inject(fault: Fault): void {
    const { code, latencyMs = 0, times = 1 } = fault;
    const isCode = code === undefined || Object.hasOwn(ERROR_CODES, code);
    const isLatency = latencyMs >= 0 && latencyMs <= API_LATENCY_MS_MAX;
    if (!isCode || !isLatency || !(times >= 1)) {
      throw new PlaneError(
        'InvalidArgument',
        `expected a known code, latencyMs up to ${API_LATENCY_MS_MAX} and times of at least 1`,
      );
    }
    this.active.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.active.length = 0;
  }

  /** Befalls a call. @throws PlaneError what it is to be refused with */
  async interfere(service: Service, action: string): Promise<void> {
    if (this.active.length === 0) return;
    const found = this.active.filter(
      ({ fault, left }) =>
        left > 0 && (fault.service ?? service) === service && (fault.action ?? action) === action,
    );
    for (const each of found) each.left--;
    const latencyMs = found.reduce((sum, { fault }) => sum + (fault.latencyMs ?? 0), 0);
    if (latencyMs > 0) await sleep(latencyMs);
    const refusal = found.find(({ fault }) => fault.code !== undefined)?.fault;
    if (refusal?.code === undefined) return;
    throw new PlaneError(refusal.code, refusal.message ?? 'injected by a test');
  }
}
