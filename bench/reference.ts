/**
 * R: how fast OpenSSL alone encrypts on one core of this machine, now. What we measure is given as
 * a part of R, so that figures of different machines and of noisy hours can be compared.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const COMMAND = 'openssl speed -mr -evp aes-256-xts -bytes 4096 -seconds 1';

/** @returns bytes per second, null where there is no openssl command */
export async function measureReference(): Promise<number | null> {
  const [program, ...parameters] = COMMAND.split(' ');
  let output: string;
  try {
    output = (await promisify(execFile)(program as string, parameters)).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return parseReference(output);
}

/** The figure in the machine-readable report: `+F:<number>:AES-256-XTS:<bytes per second>`. */
export function parseReference(output: string): number {
  const figure = /^\+F:\d+:AES-256-XTS:([\d.]+)/m.exec(output)?.[1];
  if (figure === undefined) throw new Error(`${COMMAND}: no figure in its report`);
  return Number(figure);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[sorted.length - 1 - middle];
  if (upper === undefined || lower === undefined) throw new Error('the median of nothing');
  return (lower + upper) / 2;
}
