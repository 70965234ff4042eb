import { describe, expect, test } from 'vitest';
import type { KeyValueStore } from '../../../src/kv/key-value-store.ts';
import { openMemoryStore } from '../../../src/kv/memory-store.ts';
import { RECORDS_REMEMBERED_MAX } from '../../../src/limits.ts';
import { metadataOver } from '../../../src/meta/metadata.ts';
import { RecordMemory } from '../../../src/meta/record-memory.ts';
import { disk, diskId } from './fixtures.ts';

/** A store that counts what is got from it. */
function countedStore(): { store: KeyValueStore; gets: () => number } {
  const inner = openMemoryStore();
  let gets = 0;
  const get: KeyValueStore['get'] = (key) => {
    gets++;
    return inner.get(key);
  };
  return { store: { ...inner, get }, gets: () => gets };
}

const id = diskId(1);

describe('records that were read', () => {
  test('are asked of the store once, until something is committed', async () => {
    const { store, gets } = countedStore();
    const metadata = metadataOver(store);
    await metadata.commit({ putDisks: [disk(id, { name: 'one' })] });
    const before = gets();
    for (let time = 0; time < 3; time++) expect(metadata.getDisk(id)?.name).toBe('one');
    expect(metadata.listDisks({ scope: disk(id) }, 0, 1).records[0]?.name).toBe('one');
    expect(gets() - before).toBe(1);
    await metadata.commit({ putDisks: [disk(id, { name: 'two' })] });
    expect(metadata.getDisk(id)?.name).toBe('two');
    expect(metadata.listDisks({ scope: disk(id) }, 0, 1).records[0]?.name).toBe('two');
    await metadata.commit({ removeDisks: [id] });
    expect(metadata.getDisk(id)).toBeUndefined();
    await metadata.close();
  });

  test('are not remembered while a commit is in flight: they may be of before it', async () => {
    const metadata = metadataOver(openMemoryStore());
    await metadata.commit({ putDisks: [disk(id, { name: 'before' })] });
    const committed = metadata.commit({ putDisks: [disk(id, { name: 'after' })] });
    expect(metadata.getDisk(id)?.name).toBe('before');
    await committed;
    expect(metadata.getDisk(id)?.name).toBe('after');
    await metadata.close();
    expect(() => metadata.getDisk(id)).toThrow(expect.objectContaining({ code: 'PlaneClosed' }));
  });

  test('are the same for everybody, and frozen as deep as they go', async () => {
    const metadata = metadataOver(openMemoryStore());
    await metadata.commit({ putDisks: [disk(id, { tags: { key: 'value' } })] });
    const found = metadata.getDisk(id) as unknown as { name: string; tags: { key: string } };
    expect(metadata.getDisk(id)).toBe(found);
    expect(() => {
      found.name = 'other';
    }).toThrow(TypeError);
    expect(() => {
      found.tags.key = 'other';
    }).toThrow(TypeError);
    await metadata.close();
  });

  test('are bounded: one more and all are forgotten', () => {
    const memory = new RecordMemory();
    const reads: string[] = [];
    const recall = (key: string) =>
      memory.recall(key, true, () => {
        reads.push(key);
        return { key };
      });
    for (let index = 0; index < RECORDS_REMEMBERED_MAX; index++) recall(`${index}`);
    recall('0');
    expect(reads).toHaveLength(RECORDS_REMEMBERED_MAX);
    recall('more');
    recall('0');
    expect(reads.slice(RECORDS_REMEMBERED_MAX)).toEqual(['more', '0']);
    expect(memory.recall('none', true, () => undefined)).toBeUndefined();
  });
});
