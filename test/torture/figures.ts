/** What a run of torture has done, and what it found. */

export interface Violation {
  readonly pass: string;
  readonly seed: number;
  readonly what: string;
  /** Where the data directory was kept. */
  readonly directory: string;
}

export class Figures {
  operations = 0;
  kills = 0;
  /** Sectors read back and compared. */
  sectors = 0;
  readonly faults = new Map<string, number>();
  /** Rounds, by pass. */
  readonly rounds = new Map<string, number>();
  /** Why a pass was left out. */
  readonly skipped = new Map<string, string>();
  readonly violations: Violation[] = [];

  /** System calls of scripts at which a kill was to be tried, and was. */
  readonly callPoints = { counted: 0, tried: 0 };

  points(counted: number, tried: number): void {
    this.callPoints.counted += counted;
    this.callPoints.tried += tried;
  }

  /** A victim was killed. */
  kill(kind = 'kill'): void {
    this.kills++;
    this.fault(kind);
  }

  fault(kind: string): void {
    this.faults.set(kind, 1 + (this.faults.get(kind) ?? 0));
  }

  round(pass: string): void {
    this.rounds.set(pass, 1 + (this.rounds.get(pass) ?? 0));
  }
}
