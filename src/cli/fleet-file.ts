/** The YAML file of `sealdisk fleet`. What is in it is described in fleet/fleet-options.ts. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { UsageError } from './exit-codes.ts';

/** @throws UsageError: it cannot be read, or is no YAML of names and values */
export function readFleetFile(fileName: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(fileName === '-' ? 0 : fileName, 'utf8'));
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new UsageError(`${fileName}: ${reason}`);
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
    return content as Record<string, unknown>;
  }
  throw new UsageError(`${fileName}: expected a fleet, as in 'disks: [{ count: 1000 }]'`);
}
