import { describe, expect, it } from 'vitest';
import { InvariantError, invariant, unreachable } from '../../../src/base/invariant.ts';

describe('invariant', () => {
  it('does nothing while the condition holds', () => {
    expect(() => invariant(true, 'never said')).not.toThrow();
  });

  it('throws an InvariantError that says what is broken', () => {
    expect(() => invariant(false, 'a queue has a limit')).toThrow(InvariantError);
    expect(() => invariant(false, 'a queue has a limit')).toThrow(
      'invariant broken: a queue has a limit',
    );
  });

  it('is not an operating error: it has no code', () => {
    expect(new InvariantError('x')).not.toHaveProperty('code');
    expect(new InvariantError('x').name).toBe('InvariantError');
  });

  it('names the case a switch forgot', () => {
    expect(() => unreachable('frozen' as never)).toThrow('unreachable case: frozen');
  });
});
