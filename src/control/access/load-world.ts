/** A world from a file, YAML or JSON. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PlaneError } from '../../base/errors.ts';
import type { World } from './world.ts';
import { checkShape } from './world-schema.ts';

/**
 * Reads a world, to be given to openPlane(). What is in the file is described in
 * control/access/world.ts; JSON is read as the YAML it is.
 *
 * @param path of the file
 * @throws PlaneError WorldInvalid: it cannot be read, is not YAML, or is no world; the message
 *   names the file and the place in it
 */
export function loadWorld(path: string): World {
  return checkShape(parseFile(path), path);
}

function parseFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new PlaneError('WorldInvalid', `${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    // An empty file is an empty world.
    return parse(text) ?? {};
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new PlaneError('WorldInvalid', `${path}: ${reason}`, { cause: error });
  }
}
