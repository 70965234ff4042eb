/**
 * Which server a request says it is for. A page of a browser may have its own name resolved to the
 * loopback (DNS rebinding); then it needs no Origin, and the Host is the one thing that tells it.
 *
 * **Thread:** main.
 */
import { isIP } from 'node:net';

const LOCAL_NAME = /^([a-z0-9-]+\.)*localhost$/;

/**
 * @param header as it came; an SDK may have put a path behind it. Without one: no browser
 * @param allowed names that are the server's too, in lower case
 * @returns true: an address, a name of the loopback, or one of those that are allowed
 */
export function isOwnHost(header: string | undefined, allowed: readonly string[]): boolean {
  if (header === undefined) return true;
  const authority = (header.split('/', 1)[0] ?? '').toLowerCase();
  const name = authority
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  return isIP(name) !== 0 || LOCAL_NAME.test(name) || allowed.includes(name);
}
