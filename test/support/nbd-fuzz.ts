/**
 * Runs fuzzed sessions against an NBD server, several at once, and one client beside them that
 * means well and wants its bytes back. Ends at the first problem.
 *
 * The server has the exports wild (also the default), clean and healthy, of FUZZED_SIZE bytes.
 */
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { createPrng } from '../../src/base/prng.ts';
import { AnswerChecker } from './nbd-answer-checker.ts';
import { requestBytes } from './nbd-bytes.ts';
import { FUZZED_SIZE, type FuzzSession, fuzzSession } from './nbd-fuzz-session.ts';
import { RawClient } from './nbd-raw-client.ts';

export interface FuzzOptions {
  readonly socketPath: string;
  readonly seed: number;
  readonly milliseconds: number;
  /** Nothing takes so long, however slow the machine: the server hangs. @default 25,000 */
  readonly hangMs?: number;
  /** Asked again and again: what is wrong with the server itself, or null. */
  readonly watch: () => string | null;
}

export interface FuzzOutcome {
  readonly sessions: number;
  readonly answers: number;
  readonly healthyRounds: number;
  /** null: nothing was wrong. */
  readonly problem: string | null;
}

const SESSIONS_AT_ONCE = 12;
const HANG_MS = 25_000;
const WATCH_MS = 100;
const HEALTHY_BYTES = 64 * 1024;
const [READ, WRITE, TRIM] = [0, 1, 4];

export async function fuzzNbd(options: FuzzOptions): Promise<FuzzOutcome> {
  const { socketPath, seed, milliseconds, watch, hangMs = HANG_MS } = options;
  const startedAt = performance.now();
  let sessions = 0;
  let answers = 0;
  let healthyRounds = 0;
  let problem: string | null = null;
  const isOver = (): boolean => problem !== null || performance.now() - startedAt > milliseconds;
  const fail = (text: string): void => {
    problem ??= text;
  };
  const fuzz = async (): Promise<void> => {
    while (!isOver()) {
      const number = sessions++;
      const session = fuzzSession(createPrng(seed + number));
      const checker = new AnswerChecker(session);
      const failure = await within(runSession(socketPath, session, checker), hangMs, 'hangs');
      answers += checker.answers;
      const wrong = checker.problem ?? failure;
      if (wrong !== null) fail(`${session.kind} session ${number} of seed ${seed}: ${wrong}`);
    }
  };
  const beHealthy = async (): Promise<void> => {
    const client = new RawClient(socketPath);
    const wild = new RawClient(socketPath);
    await Promise.all([client.go('healthy'), wild.go('wild')]);
    for (; !isOver(); healthyRounds++) {
      const failure = await within(healthyRound(client, wild, healthyRounds), hangMs, 'hangs');
      if (failure !== null) fail(`the healthy client, round ${healthyRounds}: ${failure}`);
    }
    for (const each of [client, wild]) each.socket.destroy();
  };
  const look = async (): Promise<void> => {
    while (!isOver()) {
      const wrong = watch();
      if (wrong !== null) fail(wrong);
      await wait(WATCH_MS);
    }
  };
  const healthy = beHealthy().catch((error: Error) => fail(`the healthy client: ${error.message}`));
  await Promise.all([healthy, look(), ...Array.from({ length: SESSIONS_AT_ONCE }, fuzz)]);
  // A server that ended closes its connections before its end is seen.
  if (problem !== null) await wait(2 * WATCH_MS);
  return { sessions, answers, healthyRounds, problem: watch() ?? problem };
}

/** @returns what was wrong, or null */
async function within(
  work: Promise<string | null>,
  milliseconds: number,
  hang: string,
): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(hang), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One write, read back; and now and then what the others wrote is given back. */
async function healthyRound(
  client: RawClient,
  wild: RawClient,
  round: number,
): Promise<string | null> {
  const payload = Buffer.alloc(HEALTHY_BYTES);
  createPrng(round).fill(payload);
  const offset = BigInt((round % 64) * 100_003);
  client.send(requestBytes({ command: WRITE, offset, length: payload.length, payload }));
  if ((await client.simple()) !== 0) return 'a write was refused';
  client.send(requestBytes({ command: READ, offset, length: payload.length }));
  if ((await client.simple()) !== 0) return 'a read was refused';
  if (Buffer.compare(await client.take(payload.length), payload) !== 0)
    return 'other bytes came back';
  if (round % 50 !== 0) return null;
  wild.send(requestBytes({ command: TRIM, length: FUZZED_SIZE }));
  return (await wild.simple()) === 0 ? null : 'a trim was refused';
}

/** Says all of a session. Resolves when the connection is closed, with what was wrong with that. */
function runSession(
  socketPath: string,
  session: FuzzSession,
  checker: AnswerChecker,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    let isLeaving = false;
    const leave = (): void => {
      if (isLeaving || session.end !== 'answered' || !checker.isAllAnswered) return;
      isLeaving = true;
      socket.write(requestBytes({ command: 2 }));
    };
    socket.on('data', (chunk: Buffer) => {
      checker.take(chunk);
      if (checker.problem !== null) socket.destroy();
      else leave();
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      const isOpen = session.end === 'answered' && !checker.isAllAnswered;
      resolve(isOpen ? 'closed before everything was answered' : null);
    });
    if (session.end === 'deaf') socket.pause();
    for (const chunk of session.chunks) socket.write(chunk);
    socket.write(Buffer.alloc(0), () => {
      if (session.end === 'FIN') socket.end();
      else if (session.end === 'RST') socket.destroy();
      else if (session.end === 'deaf') setTimeout(() => socket.destroy(), 20);
      else leave();
    });
  });
}
