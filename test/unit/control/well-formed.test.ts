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

test('a disk with half a pair in a tag is found by that tag, and may be changed', async () => {
  const { call, control } = await testCaller();
  const Tag = [{ Key: 'half', Value: '\ud800' }];
  const { DiskId } = await call('CreateDisk', { Size: 1, Tag });
  const found = await call('DescribeDisks', { Tag });
  expect(found.Disks[0]?.Tags).toEqual([{ TagKey: 'half', TagValue: '\ufffd' }]);
  const resources = { ResourceType: 'disk', ResourceId: [DiskId] } as const;
  await call('UntagResources', { ...resources, TagKey: ['half'] });
  const after = [{ Key: 'half', Value: '\ufffd' }];
  expect((await call('DescribeDisks', { Tag: after })).Disks).toEqual([]);
  expect(control.context.metadata.check()).toEqual([]);
});
