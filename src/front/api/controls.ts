/**
 * What a test may do to a server beside calling the API: look at the audit log, move the clock,
 * bring KMS down, inject refusals and latency, begin anew.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { Simulation } from '../../base/simulation.ts';
import { ACCOUNT_DEFAULT, RESULTS_MAX } from '../../limits.ts';
import type { Plane } from '../../types.ts';
import type { Fault, Faults } from './faults.ts';

type AuditEvents = Awaited<ReturnType<typeof auditEvents>>;

export interface AuditSummary {
  /** Data keys of disks unwrapped, and wrapped. */
  readonly unwraps: number;
  readonly wraps: number;
  /** Plaintext keys the KMS API gave to its callers. Disks' keys are never among them. */
  readonly plaintextKeys: number;
  readonly events: AuditEvents;
}

/** What tests do to a server. */
export interface ServerControls {
  /** Begins anew with an empty plane and its seed; clock, faults and KMS as at the beginning. */
  reset(): Promise<void>;
  /** Moves the plane's time: keys are deleted, tokens forgotten, material expires. */
  moveClock(milliseconds: number): void;
  /** While KMS is down what needs it is refused; disks already attached serve on. */
  setKmsDown(isDown: boolean): void;
  inject(fault: Fault): void;
  clearFaults(): void;
  /** What an account did, oldest first. @default the account the plane opened with */
  auditLog(accountId?: string): Promise<AuditSummary>;
}

export function makeControls(
  plane: () => Plane,
  reset: () => Promise<void>,
  faults: Faults,
  simulation: Simulation,
): ServerControls {
  return {
    reset: async () => {
      faults.clear();
      simulation.reset();
      await reset();
    },
    moveClock: (milliseconds) => {
      if (!Number.isSafeInteger(milliseconds)) {
        throw new PlaneError('InvalidArgument', 'expected whole milliseconds');
      }
      simulation.moveClock(milliseconds);
    },
    setKmsDown: (isDown) => {
      simulation.isKmsDown = isDown;
    },
    inject: (fault) => faults.inject(fault),
    clearFaults: () => faults.clear(),
    auditLog: async (accountId = ACCOUNT_DEFAULT) => {
      const events = await auditEvents(plane(), accountId);
      const count = (names: readonly string[]): number =>
        events.filter(({ EventName, Outcome }) => names.includes(EventName) && Outcome === 'OK')
          .length;
      return {
        unwraps: count(['UnwrapDataKey']),
        wraps: count(['WrapDataKey']),
        plaintextKeys: count(['GenerateDataKey']),
        events,
      };
    },
  };
}

async function auditEvents(plane: Plane, accountId: string) {
  const session = plane.as({ accountId });
  const MaxResults = RESULTS_MAX;
  const first = await session.call('LookupEvents', { MaxResults });
  const events = [...first.Events];
  for (let token = first.NextToken; token !== ''; ) {
    const next = await session.call('LookupEvents', { MaxResults, NextToken: token });
    events.push(...next.Events);
    token = next.NextToken;
  }
  return events;
}
