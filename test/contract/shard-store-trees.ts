/** The contract of shard-store.ts about trees: named, shared, removed. */
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import { fillerOf, HOLE } from '../support/sector-pattern.ts';
import type { StoreSubject } from './shard-store-subject.ts';

export function treeTests(subject: StoreSubject): void {
  const { write, versions, expectSound } = subject;

  describe('trees', () => {
    it('are known by name', () => {
      expect(subject.store.treeNames()).toEqual([]);
      const tree = subject.store.openTree('a');
      expect(tree.name).toBe('a');
      expect(subject.store.openTree('a')).toBe(tree);
      subject.store.openTree('b/ü');
      expect(subject.store.treeNames().sort()).toEqual(['a', 'b/ü']);
      expect(subject.store.stats().trees).toBe(2);
    });

    it('have names of 1 to 1024 bytes', () => {
      for (const bad of ['', 'x'.repeat(1025), 'ü'.repeat(513)]) {
        expect(() => subject.store.openTree(bad)).toThrow(/InvalidArgument/);
        expect(() => subject.store.shareTree('a', bad)).toThrow(/InvalidArgument/);
      }
      subject.store.openTree('ü'.repeat(512));
      expect(subject.store.treeNames()).toEqual(['ü'.repeat(512)]);
    });

    it('shared have the same content and then go their own ways', () => {
      write('d', 0, 30, 1);
      write('d', 2 ** 33, 3, 2);
      subject.store.shareTree('d', 's');
      write('d', 5, 5, 3);
      subject.store.discard(subject.store.openTree('s'), 20, 5);
      expect(versions('d', 4, 3)).toEqual([1, 3, 3]);
      expect(versions('s', 4, 3)).toEqual([1, 1, 1]);
      expect(versions('d', 19, 2)).toEqual([1, 1]);
      expect(versions('s', 19, 2)).toEqual([1, HOLE]);
      expect(versions('s', 2 ** 33, 3)).toEqual([2, 2, 2]);
      expectSound();
    });

    it('shared take no space until they differ', () => {
      write('d', 0, 50, 1);
      const before = subject.store.stats();
      for (let index = 0; index < 20; index++) subject.store.shareTree('d', `s${index}`);
      expect(subject.store.stats().storedSectors).toBe(before.storedSectors);
      expect(subject.store.stats().liveSectors).toBe(50);
      write('s3', 0, 1, 2);
      expect(subject.store.stats().liveSectors).toBe(51);
    });

    it('survive the removal of what they were shared from', () => {
      write('d', 0, 10, 1);
      subject.store.shareTree('d', 's');
      subject.store.shareTree('s', 't');
      subject.store.removeTree('d');
      subject.store.removeTree('s');
      expect(subject.store.treeNames()).toEqual(['t']);
      expect(versions('t', 0, 10)).toEqual(Array(10).fill(1));
      subject.store.removeTree('t');
      expect(subject.store.stats().liveSectors).toBe(0);
      expectSound();
    });

    it('shared from none are empty', () => {
      subject.store.shareTree('none', 's');
      expect(subject.store.treeNames()).toEqual(['s']);
      expect(versions('s', 0, 2)).toEqual([HOLE, HOLE]);
    });

    it('cannot be shared over another', () => {
      write('d', 0, 1, 1);
      write('s', 0, 1, 2);
      expect(() => subject.store.shareTree('d', 's')).toThrow(/InvalidArgument/);
      expect(() => subject.store.shareTree('d', 'd')).toThrow(/InvalidArgument/);
      expect(versions('s', 0, 1)).toEqual([2]);
    });

    it('removed are gone, and their objects dead', () => {
      write('d', 0, 3, 1);
      const tree = subject.store.openTree('d');
      subject.store.removeTree('d');
      subject.store.removeTree('d');
      subject.store.removeTree('never');
      expect(subject.store.treeNames()).toEqual([]);
      expect(() => subject.store.discard(tree, 0, 1)).toThrow(InvariantError);
      expect(versions('d', 0, 3)).toEqual([HOLE, HOLE, HOLE]);
      expect(() => subject.store.append(tree, 0, 1, fillerOf(1))).toThrow(InvariantError);
    });
  });
}
