/**
 * Which engine this thread encrypts with: the first, in order of speed, that passes its known
 * answers. Run by every worker before it takes a key; `sealdisk doctor` prints the survey.
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

/** One engine, and what became of it. */
export interface ConsideredEngine {
  readonly name: SectorCipherName;
  /** chosen: this thread's engine; passed: would do as well, but comes later in order. */
  readonly verdict: 'chosen' | 'passed' | 'failed';
  /** How the engine works, or why it does not. One line. */
  readonly reason: string;
}

export interface EngineSelection {
  readonly engine: SectorCipherEngine;
  /** In order, up to the one that was chosen. */
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
 * Chooses an engine. Stops at the first that passes: the reference alone takes 20 ms to pass in a
 * thread whose code is cold, against 3 ms for OpenSSL.
 *
 * @param preference a name considers that engine alone, 'auto' each in order
 * @throws PlaneError CipherUnavailable: none that was considered passes; names each and why
 */
export function selectEngine(
  preference: 'auto' | SectorCipherName,
  candidates: readonly EngineCandidate[] = engineCandidates(),
): EngineSelection {
  const considered: ConsideredEngine[] = [];
  for (const candidate of candidates) {
    if (preference !== 'auto' && preference !== candidate.name) continue;
    const { name } = candidate;
    const { engine, reason } = judge(candidate);
    considered.push({ name, verdict: engine === null ? 'failed' : 'chosen', reason });
    if (engine !== null) return { engine, considered };
  }
  const reasons = considered.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  throw new PlaneError('CipherUnavailable', reasons || `no engine is called ${preference}`);
}

/** Considers every engine, whether or not an earlier one passes: what 'auto' has to choose from. */
export function surveyEngines(
  candidates: readonly EngineCandidate[] = engineCandidates(),
): readonly ConsideredEngine[] {
  let isChosen = false;
  return candidates.map((candidate) => {
    const { name } = candidate;
    const { engine, reason } = judge(candidate);
    if (engine === null) return { name, verdict: 'failed', reason };
    const verdict = isChosen ? 'passed' : 'chosen';
    isChosen = true;
    return { name, verdict, reason };
  });
}

function judge(candidate: EngineCandidate): { engine: XtsEngine | null; reason: string } {
  try {
    const engine = candidate.open();
    runKnownAnswers(engine);
    return { engine, reason: engine.method };
  } catch (error) {
    if (error instanceof PlaneError) return { engine: null, reason: error.toRecord().message };
    throw error;
  }
}
