/** No message main receives, from any thread, holds a data key in plain. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { learnKey, Subject } from '../support/subject.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('the messages main receives', () => {
  it('hold wrapped keys and no plain one, through a disk’s whole life', async () => {
    using dir = tempDir();
    const messages = join(dir.path, 'messages');
    const dataDir = join(dir.path, 'plane');
    const subject = new Subject(dataDir, 'openssl-ffi', { messagesFile: messages });
    try {
      expect(await subject.next()).toBe('ready');
      const diskId = await subject.ask('create');
      await subject.ask(`attach ${diskId}`);
      await subject.ask('load 50');
      await subject.ask('errors');
      await subject.ask('detach');
      await subject.ask(`churn ${diskId} 20`);
      const needles = await learnKey(dataDir, diskId);
      await subject.ask('close');
      const received = readFileSync(messages);
      for (const [name, needle] of needles) {
        expect({ name, at: received.indexOf(needle) }).toEqual({ name, at: -1 });
      }
      // What the recorder must have seen, if it has seen anything: the engine a shard reports.
      expect(received.includes('openssl-ffi')).toBe(true);
      expect(received.length).toBeGreaterThan(2000);
    } finally {
      subject.child.kill('SIGKILL');
    }
  });
});
