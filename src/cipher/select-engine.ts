/**
 * Which engine this thread encrypts with: the first, in order of speed, that passes its known
 * answers. Run by every worker before it takes a key, and by `sealdisk doctor`, which prints what
 * was considered and why.
 *
 * **Thread:** any.
 */
import { PlaneError } from '../base/errors.ts';
import { type NativeOpening, nativeOpening } from '../base/native.ts';
import type { SectorCipherEngine, SectorCipherName } from './sector-cipher.ts';
import { runKnownAnswers } from './xts-known-answers.ts';
import { nodeEngine } from './xts-node.ts';
import { opensslEngine } from './xts-openssl.ts';
import { referenceEngine } from './xts-reference.ts';
import type { XtsEngine } from './xts-sector-key.ts';

/** An engine that may or may not work here. */
export interface EngineCandidate {
  readonly name: SectorCipherName;
  /** @throws PlaneError CipherUnavailable, saying why */
  open(): XtsEngine;
}

export interface ConsideredEngine {
  readonly name: SectorCipherName;
  /** chosen: this thread's engine; passed: works too, but comes later in order. */
  readonly verdict: 'chosen' | 'passed' | 'failed';
  /** How the engine works, or why it does not. One line. */
  readonly reason: string;
}

export interface EngineSelection {
  readonly engine: SectorCipherEngine;
  readonly considered: readonly ConsideredEngine[];
}

/** Every engine, fastest first. */
export function engineCandidates(opening: NativeOpening = nativeOpening()): EngineCandidate[] {
  return [
    { name: 'openssl-ffi', open: () => opensslEngine(opening) },
    { name: 'node-crypto', open: nodeEngine },
    { name: 'noble-reference', open: referenceEngine },
  ];
}

/**
 * Chooses an engine.
 *
 * @param preference a name considers that engine alone; 'auto' considers all and takes the first
 *   that passes
 * @throws PlaneError CipherUnavailable: none that was considered passes; names each and why
 */
export function selectEngine(
  preference: 'auto' | SectorCipherName,
  candidates: readonly EngineCandidate[] = engineCandidates(),
): EngineSelection {
  let engine: XtsEngine | null = null;
  const considered: ConsideredEngine[] = [];
  for (const candidate of candidates) {
    if (preference !== 'auto' && preference !== candidate.name) continue;
    const { name } = candidate;
    try {
      const opened = candidate.open();
      runKnownAnswers(opened);
      const verdict = engine === null ? 'chosen' : 'passed';
      engine ??= opened;
      considered.push({ name, verdict, reason: opened.method });
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      considered.push({ name, verdict: 'failed', reason: error.toRecord().message });
    }
  }
  if (engine !== null) return { engine, considered };
  const reasons = considered.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  throw new PlaneError('CipherUnavailable', reasons || `no engine is called ${preference}`);
}
