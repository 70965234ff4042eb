/** Text that no UTF-8 can hold: put right before anything is made of it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wellFormed } from '../../../src/control/well-formed.ts';
import { testCaller } from '../../support/control-caller.ts';

test('half a surrogate pair is U+FFFD, a whole one stays, wherever the text is', () => {
  expect(wellFormed({ Name: 'a\ud800b', Tag: [{ Key: '\udfff', Value: '😀' }] })).toEqual({
    Name: 'a\ufffdb',
    Tag: [{ Key: '\ufffd', Value: '😀' }],
  });
});

test('text is what UTF-8 makes of it, whatever it was', () => {
  const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(anyText, (text) => {
      expect(wellFormed(text)).toBe(Buffer.from(text).toString());
    }),
  );
});

test('what is no plain object stays the same object, and what goes in circles ends', () => {
  const bytes = new Uint8Array(3);
  expect(wellFormed(bytes)).toBe(bytes);
  const circle: { next?: unknown } = {};
  circle.next = circle;
  expect(wellFormed(circle)).toHaveProperty('next.next.next');
});

test('a disk whose name is half a pair is found by that name, and may be changed', async () => {
  const { call, control } = await testCaller();
  const { DiskId } = await call('CreateDisk', { Size: 1, DiskName: 'half \ud800' });
  const found = await call('DescribeDisks', { DiskName: 'half \ud800' });
  expect(found.Disks.map((disk) => disk.DiskName)).toEqual(['half \ufffd']);
  await call('ModifyDiskAttribute', { DiskId, DiskName: 'whole' });
  expect((await call('DescribeDisks', { DiskName: 'half \ufffd' })).Disks).toEqual([]);
  expect(control.context.metadata.check()).toEqual([]);
});
