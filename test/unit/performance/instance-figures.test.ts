/** What instance types do on all their disks together: published examples, and their order. */
import { expect, it } from 'vitest';
import { INSTANCE_FIGURES, instanceRatesOf } from '../../../src/performance/instance-figures.ts';

it.each([
  // Gbit/s of 10^9 bits: 1.5 of them are 187,500,000 bytes.
  ['ecs.g7.large', 20_000, 187_500_000],
  ['ecs.g7.32xlarge', 600_000, 4_000_000_000],
  ['ecs.g6e.4xlarge', 80_000, 375_000_000],
  ['ecs.g6.large', 10_000, 125_000_000],
  ['ecs.g6.3xlarge', 30_000, 312_500_000],
] as const)('%s does %i IOPS and %i bytes a second', (type, iops, bytesPerSecond) => {
  expect(instanceRatesOf(type)).toEqual({ iops, bytesPerSecond });
});

it('a type that is not listed has no limits', () => {
  expect(instanceRatesOf('ecs.x9.large')).toBeNull();
  expect(instanceRatesOf('toString')).toBeNull();
});

it('every type has one row, and a larger one of its family does no less', () => {
  const types = INSTANCE_FIGURES.map(({ instanceType }) => instanceType);
  expect(new Set(types).size).toBe(types.length);
  const sizeOf = (type: string): number => {
    const [, count, word] = /\.(\d*)(x?large)$/.exec(type) ?? [];
    return word === 'large' ? 0.5 : Number(count === '' ? 1 : count);
  };
  for (const one of INSTANCE_FIGURES) {
    for (const other of INSTANCE_FIGURES) {
      const [own, its] = [one, other].map(({ instanceType }) => instanceType.split('.')[1]);
      if (own !== its || sizeOf(one.instanceType) > sizeOf(other.instanceType)) continue;
      expect(one.iops).toBeLessThanOrEqual(other.iops);
      expect(one.bytesPerSecond).toBeLessThanOrEqual(other.bytesPerSecond);
    }
  }
});
