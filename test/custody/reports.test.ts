/**
 * No data key in anything a process tells: output, errors, diagnostic reports, its objects printed,
 * the audit log, and the strings of main's heap.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openVaultAt } from '../../src/kms/open-vault.ts';
import { createKmsServer } from '../../src/kms/serve.ts';
import type { KmsRequest } from '../../src/record/kms-message.ts';
import { namesFound } from '../support/leak-search.ts';
import { keyNeedles } from '../support/memory-scan.ts';
import { learnKey, Subject } from '../support/subject.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('what a process with an encrypted disk tells', () => {
  const dir = tempDir();
  const dataDir = join(dir.path, 'plane');
  let subject: Subject;
  let needles = new Map<string, Buffer>();

  beforeAll(async () => {
    subject = new Subject(dataDir, 'openssl-ffi');
    expect(await subject.next()).toBe('ready');
    const diskId = await subject.ask('create');
    needles = await learnKey(dataDir, diskId);
    await subject.ask(`attach ${diskId}`);
    await subject.ask('load 20');
    await subject.ask('errors');
    await subject.ask('disable');
    await subject.ask('detach');
    await subject.ask(`refusedAttach ${diskId}`);
    await subject.ask('enable');
    await subject.ask(`attach ${diskId}`);
  }, 120_000);
  afterAll(() => {
    subject.child.kill('SIGKILL');
    dir[Symbol.dispose]();
  });

  it('reports, errors, printed objects and the audit log hold no key in any form', async () => {
    const path = join(dir.path, 'reports');
    expect(await subject.ask(`reports ${path}`)).toMatch(/^[1-9]\d* texts of errors, [1-9]\d* ev/);
    const text = readFileSync(path);
    expect(namesFound(text, needles)).toEqual([]);
    // Everything is in it: the report, the log, the plane, an error.
    for (const part of ['javascriptHeap', 'DisableKey', 'OpenPlane', 'OutOfRange']) {
      expect(text.includes(part), part).toBe(true);
    }
  });

  it('main’s heap holds no key as a string: the snapshot finds one that is planted', async () => {
    const path = join(dir.path, 'heap');
    await subject.ask(`heap ${path}`);
    expect(namesFound(readFileSync(path), needles)).toEqual([]);
    const forms = ['hex', 'HEX', 'base64', 'decimals'].map((form) => `data key ${form}`);
    const words = forms.map((form) => needles.get(form)?.toString('latin1'));
    await subject.ask(`plantText ${words.join(' ')}`);
    await subject.ask(`heap ${path}`);
    expect(namesFound(readFileSync(path), needles).sort()).toEqual(forms.sort());
  });

  it('neither stdout nor stderr hold a key', () => {
    expect(namesFound(Buffer.from(subject.output), needles)).toEqual([]);
    expect(subject.output).toContain('refused');
  });
});

describe('refusals of the KMS', () => {
  it('of a wrapped key with any bit flipped tell nothing of the key it holds', async () => {
    const vault = await openVaultAt({ dataDir: null, rootKeyFile: null });
    const server = createKmsServer({ vault });
    const context = { accountId: '1000000000000001', regionId: 'cn-hangzhou', lineageId: 'd-1' };
    const { accountId, regionId } = context;
    const created = await server.handle({
      op: 'createKey',
      accountId,
      regionId,
      description: '',
    } as KmsRequest);
    const { keyId } = created as { keyId: string };
    const request = { op: 'generateWrappedDataKey', keyId, context } as const;
    const wrappedKey = (await server.handle(request)) as Uint8Array;
    const opened = server.unwrap({ id: 1, wrappedKey, context });
    if (!('key' in opened)) throw new Error('expected a key that opens');
    const needles = keyNeedles('data key', new Uint8Array(opened.key));
    let told = '';
    for (let bit = 0; bit < 8 * wrappedKey.length; bit++) {
      const flipped = Uint8Array.from(wrappedKey);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      const answer = server.unwrap({ id: bit, wrappedKey: flipped, context });
      expect('key' in answer).toBe(false);
      told += inspect(answer, { depth: 9 }) + JSON.stringify(answer);
    }
    await vault.close();
    expect(namesFound(Buffer.from(told), needles)).toEqual([]);
    expect(told).toContain('WrappedKeyInvalid');
  });
});
