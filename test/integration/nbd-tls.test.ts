/** NBD under TLS, by libnbd (GnuTLS), and by a client that tries to get around it. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { tlsOf } from '../../dist/src/cli/nbd-tls.js';
import { startNbdServer } from '../../dist/src/front/nbd/server.js';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { absentModule, absentTools, nbdSubject, PYTHON, run } from '../support/nbd-server.ts';
import { tempDir } from '../support/temp-dir.ts';

const SCRIPT = new URL('nbd-tls.py', import.meta.url).pathname;
const STARTTLS = 5;
const STRUCTURED_REPLY = 8;
const ACK = 1;
const absent = absentModule || absentTools('openssl');

/** An authority, a server's and a client's certificate, and a stranger's, named as tools want. */
function makeCertificates(directory: string): void {
  const openssl = (...words: string[]): void => {
    const { status, stderr } = spawnSync('openssl', words, { cwd: directory, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=ca',
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca-cert.pem',
  );
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', `${name}-key.pem`, '-out', 'a.csr');
    const ca = ['-CA', 'ca-cert.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'];
    openssl('x509', '-req', '-in', 'a.csr', ...ca, '-out', `${name}-cert.pem`);
  }
}

describe.skipIf(absent !== '')(`TLS ${absent}`, () => {
  test('certificates, keys, and what is refused: no way around TLS (CVE-2019-14842)', async () => {
    using directory = tempDir();
    using strange = tempDir();
    makeCertificates(directory.path);
    makeCertificates(strange.path);
    const keyFile = join(directory.path, 'keys.psk');
    const wrongFile = join(directory.path, 'wrong.psk');
    writeFileSync(keyFile, `alice:${randomBytes(32).toString('hex')}\n`);
    writeFileSync(wrongFile, `alice:${randomBytes(32).toString('hex')}\n`);
    const certificates = ['certificates', directory.path];
    const stranger = ['certificates', strange.path];
    const keys = ['psk', keyFile, 'alice'];
    const wrongKeys = ['psk', wrongFile, 'alice'];
    const tlsCertificates = directory.path;
    const table = [
      [{ tlsCertificates }, certificates, 'tls True'],
      [{ tlsCertificates }, stranger, 'tls True'],
      [{ tlsCertificates }, ['plain'], 'refused'],
      [{ tlsCertificates, tls: 'on' }, ['plain'], 'plain True'],
      [{ tlsCertificates, tls: 'on' }, certificates, 'tls True'],
      [{ tlsCertificates, tlsVerifyPeer: true }, certificates, 'tls True'],
      [{ tlsCertificates, tlsVerifyPeer: true }, stranger, 'refused'],
      [{ tlsPsk: keyFile }, keys, 'tls True'],
      [{ tlsPsk: keyFile }, wrongKeys, 'refused'],
      [{ tlsPsk: keyFile }, certificates, 'refused'],
      [{ tlsPsk: keyFile }, ['plain'], 'refused'],
    ] as const;
    for (const [flags, client, wanted] of table) {
      await using subject = await nbdSubject([{ name: 'disk' }], { tls: tlsOf(flags)! });
      const { stdout } = await run(PYTHON, SCRIPT, subject.socketPath, 'disk', ...client);
      expect([flags, client, stdout.trim()]).toEqual([flags, client, wanted]);
      expect(subject.bugs).toEqual([]);
    }
  });

  test('nothing agreed in the clear holds under TLS (CVE-2021-3716)', async () => {
    using directory = tempDir();
    makeCertificates(directory.path);
    const tls = tlsOf({ tlsCertificates: directory.path, tls: 'on' })!;
    await using subject = await nbdSubject([{ name: 'disk' }], { tls });
    const client = new RawClient(subject.socketPath);
    await client.take(18);
    client.send(clientFlagsBytes(), optionBytes(STRUCTURED_REPLY));
    expect(await client.lastReply()).toBe(ACK);
    client.send(optionBytes(STARTTLS));
    expect(await client.lastReply()).toBe(ACK);
    client.socket.removeAllListeners('data');
    const secured = connect({ socket: client.socket, rejectUnauthorized: false });
    const inner = new RawClient(secured);
    inner.send(optionBytes(STARTTLS), optionBytes(7, goBytes('disk')));
    expect((await inner.reply()).type).toBe(0x80000003);
    expect(await inner.lastReply()).toBe(ACK);
    inner.send(requestBytes({ command: 0, length: 512 }));
    // A simple reply: the structured ones have to be asked for again.
    expect((await inner.take(16)).readUInt32BE(0)).toBe(0x67446698);
    secured.destroy();
  });

  test('what is sent in the clear behind STARTTLS ends the connection', async () => {
    using directory = tempDir();
    makeCertificates(directory.path);
    const tls = tlsOf({ tlsCertificates: directory.path })!;
    await using subject = await nbdSubject([{ name: 'disk' }], { tls });
    const client = new RawClient(subject.socketPath);
    await client.take(18);
    client.send(clientFlagsBytes(), optionBytes(3));
    expect((await client.reply()).type).toBe(0x80000005);
    client.send(optionBytes(STARTTLS), optionBytes(7, goBytes('disk')));
    await client.closed;
    await expect.poll(() => subject.server.connectionCount).toBe(0);
  });

  test('a server others can reach needs TLS that is required, not offered', async () => {
    using directory = tempDir();
    makeCertificates(directory.path);
    const common = {
      address: { host: '0.0.0.0', port: 0 },
      directory: { list: () => [], find: () => null },
      registerBuffer: () => Promise.reject(new Error('not asked for')),
      onBug: () => {},
    };
    const tlsCertificates = directory.path;
    const offered = startNbdServer({ ...common, tls: tlsOf({ tlsCertificates, tls: 'on' })! });
    await expect(offered).rejects.toMatchObject({ code: 'InvalidArgument' });
    const server = await startNbdServer({ ...common, tls: tlsOf({ tlsCertificates })! });
    expect(server.port).toBeGreaterThan(0);
    await server.stop();
  });
});

describe('TLS options', () => {
  test('are refused where they mean nothing', () => {
    using directory = tempDir();
    const bad = join(directory.path, 'bad.psk');
    writeFileSync(bad, 'alice:xyz\n');
    const empty = join(directory.path, 'empty.psk');
    writeFileSync(empty, '\n');
    expect(tlsOf({})).toBe(null);
    const table = [
      [{ tls: 'on' }, 'expected --tls-certificates or --tls-psk'],
      [{ tls: 'off', tlsPsk: bad }, 'expected on or require'],
      [{ tlsVerifyPeer: true }, 'expected --tls-certificates or --tls-psk'],
      [{ tlsVerifyPeer: true, tlsPsk: bad }, 'expected --tls-certificates, whose'],
      [{ tlsPsk: bad }, 'bad.psk:1: expected identity:key'],
      [{ tlsPsk: empty }, 'at least one line'],
      [{ tlsCertificates: directory.path }, 'cannot read'],
    ] as const;
    for (const [flags, text] of table) expect(() => tlsOf(flags)).toThrow(text);
    writeFileSync(join(directory.path, 'server-cert.pem'), 'no certificate');
    writeFileSync(join(directory.path, 'server-key.pem'), 'no key');
    expect(() => tlsOf({ tlsCertificates: directory.path })).toThrow('cannot be used');
  });
});
