import { describe, expect, test } from 'vitest';
import { isOwnHost } from '../../../../src/front/api/host-check.ts';

describe('a Host header', () => {
  test.each([
    undefined,
    'localhost',
    'localhost:7171',
    'LOCALHOST.:80',
    'ecs.localhost:7171',
    '127.0.0.1',
    '127.0.0.1:7171',
    '127.0.0.1:7171/ecs',
    '192.168.0.7:80',
    '[::1]:7171',
    '[::1]',
  ])('%s is the server’s own', (header) => {
    expect(isOwnHost(header, [])).toBe(true);
  });

  test.each([
    '',
    'attacker.example',
    'attacker.example:7171',
    'localhost.attacker.example',
    'notlocalhost',
    '127.0.0.1.attacker.example:7171',
    'attacker.example/127.0.0.1',
    '[::1].attacker.example',
  ])('%s is not', (header) => {
    expect(isOwnHost(header, [])).toBe(false);
  });

  test('that is allowed by name is, with any port', () => {
    expect(isOwnHost('Plane.Internal:7171', ['plane.internal'])).toBe(true);
    expect(isOwnHost('other.internal:7171', ['plane.internal'])).toBe(false);
  });
});
