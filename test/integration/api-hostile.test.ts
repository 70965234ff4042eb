/** What is not a client: malformed, oversized, late, many at once. Never a 500, never a crash. */
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ApiSubject, startApi } from '../support/api-subject.ts';
import { ecs, ecsClient } from '../support/official-sdk.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function send(api: ApiSubject, { method = 'POST', path = '/', headers, body }: Sent) {
  return new Promise<Answer>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: api.port,
      method,
      path,
      ...(headers && { headers }),
    };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    // What follows another method is no body, but a request of its own.
    request.end(method === 'POST' ? body : undefined);
  });
}

/** What the server says to bytes on a socket, until it closes. */
function sendRaw(api: ApiSubject, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(api.port, '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

async function diskCount(api: ApiSubject): Promise<number> {
  const client = ecsClient(api.port);
  const request = new ecs.DescribeDisksRequest({ regionId: 'cn-hangzhou' });
  return (await client.describeDisks(request)).body!.totalCount!;
}

const VERSION = { 'x-acs-version': '2014-05-26' };

describe('hostile requests', () => {
  const ACTIONS = ['DescribeDisks', 'DeleteDisk', 'AttachDisk', 'DescribeImages', 'CreateSnapshot'];
  const name = fc.oneof(
    fc.constantFrom('RegionId', 'DiskId', 'DiskIds', 'PageSize', 'NextToken', 'Tag.1.Key'),
    fc.constantFrom('Filter.1.Key', 'Tag.99999999.Key', '__proto__', 'constructor', 'Signature'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const value = fc.oneof(
    fc.constantFrom(
      '',
      'cn-hangzhou',
      '-1',
      '1e99',
      '[]',
      '{"a":1}',
      '[[',
      'null',
      'true',
      '../..',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  const query = fc
    .array(fc.tuple(name, value, fc.boolean()), { maxLength: 8 })
    .map((pairs) =>
      pairs
        .map(([key, each, isRaw]) => `${encode(key)}=${isRaw ? rawText(each) : encode(each)}`)
        .join('&'),
    );
  const sent: fc.Arbitrary<Sent> = fc.record({
    method: fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'),
    path: query.map((text) => `/?${text}`),
    headers: fc
      .record(
        {
          'x-acs-action': fc.constantFrom(...ACTIONS, 'NoSuchAction', '__proto__', 'toString'),
          'x-acs-version': fc.constantFrom('2014-05-26', '2016-01-20', '2015-04-01', 'constructor'),
          authorization: fc.constantFrom(
            'ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=00',
            'Basic YTpi',
            'ACS3-HMAC-SHA256',
          ),
          'content-type': fc.constantFrom('application/x-www-form-urlencoded', 'application/json'),
          'x-acs-date': fc.constantFrom('2026-11-22T00:26:28Z', 'now', ''),
        },
        { requiredKeys: [] },
      )
      .map((headers) => headers as Record<string, string>),
    body: fc.oneof(fc.constant(''), query, fc.string({ maxLength: 100 })),
  });

  /** What cannot be said in a request line at all is not what is tested here. */
  function rawText(text: string): string {
    return text.replaceAll(/[^\x21-\x7e]|[#&]/g, '%');
  }

  function encode(text: string): string {
    return encodeURIComponent(text);
  }

  test.each(['off', 'any'] as const)(
    'are answered as JSON with a RequestId, under auth %s: 2,500 generated ones',
    async (auth) => {
      await using api = await startApi({ auth });
      const before = await diskCount(api);
      await fc.assert(
        fc.asyncProperty(sent, async (request) => {
          const { status, body } = await send(api, request);
          expect(status).toBeLessThan(500);
          if (request.method === 'HEAD') return;
          const answer = JSON.parse(body) as { RequestId: string };
          expect(answer.RequestId).toMatch(/^[0-9A-Fa-f-]{36}$/);
        }),
        { numRuns: 2_500 },
      );
      expect(await diskCount(api)).toBe(before);
      expect(api.bugs).toEqual([]);
    },
  );

  test('that are no HTTP are refused, and nobody else is harmed', async () => {
    await using api = await startApi();
    const garbage = [
      'GET\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabc',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      `GET /?${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(5_000)}\r\n`,
      new Uint8Array(1_000).fill(0xff),
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort',
      '\u0016\u0003\u0001\u0002\u0000',
    ];
    for (const bytes of garbage) {
      const answer = await sendRaw(api, bytes);
      expect(answer).not.toMatch(/^HTTP\/1\.1 (2|500)/);
    }
    expect(await diskCount(api)).toBe(0);
    expect(api.bugs).toEqual([]);
  });

  test('two requests in one, by lengths that differ, are not taken apart', async () => {
    await using api = await startApi();
    const smuggled =
      'POST /?Action=DescribeRegions&Version=2014-05-26 HTTP/1.1\r\nHost: x\r\n' +
      'Content-Length: 4\r\nContent-Length: 60\r\n\r\n' +
      'aa\r\nGET /-/admin/reset HTTP/1.1\r\nHost: x\r\n\r\n';
    expect(await sendRaw(api, smuggled)).toMatch(/^HTTP\/1\.1 400/);
  });

  test('a body that is too large is refused with 413, and its connection closed', async () => {
    await using api = await startApi();
    const body = 'a='.padEnd(2 << 20, 'x');
    const outcome = await send(api, { body, headers: VERSION }).catch((error) => error as Error);
    // A client that still writes may see its connection gone before it reads the answer.
    if (!(outcome instanceof Error)) expect(outcome.status).toBe(413);
    expect(await diskCount(api)).toBe(0);
    expect(api.bugs).toEqual([]);
  });

  test('versions and actions that are not there are told apart', async () => {
    await using api = await startApi({ auth: 'off' });
    const unknown = await send(api, { path: '/?Action=DescribeDisks&Version=1999-01-01' });
    expect(JSON.parse(unknown.body)).toMatchObject({ Code: 'InvalidVersion' });
    const disc = await send(api, { path: '/?Action=CreateDisc', headers: VERSION });
    expect(disc.status).toBe(404);
    expect(JSON.parse(disc.body)).toMatchObject({ Code: 'InvalidAction.NotFound' });
    const differ = await send(api, {
      path: '/?Action=DeleteDisk&RegionId=cn-hangzhou',
      headers: { ...VERSION, 'x-acs-action': 'DescribeDisks' },
    });
    expect(JSON.parse(differ.body)).toMatchObject({ Code: 'InvalidParameter' });
    const method = await send(api, { method: 'PUT', headers: VERSION });
    expect(method.status).toBe(403);
    expect(JSON.parse(method.body)).toMatchObject({ Code: 'UnsupportedHTTPMethod' });
  });

  test('without credentials are refused, unless none are looked at', async () => {
    await using api = await startApi();
    const path = '/?Action=DescribeRegions';
    const { status, body } = await send(api, { path, headers: VERSION });
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ Code: 'IncompleteSignature' });
    await using open = await startApi({ auth: 'off' });
    expect((await send(open, { path, headers: VERSION })).status).toBe(200);
  });

  test('a page of a browser finds nothing to do', async () => {
    await using api = await startApi({ auth: 'off' });
    const { status } = await send(api, { path: '/-/admin/reset' });
    expect(status).toBe(404);
    const path = '/?Action=DeleteDisk&Version=2014-05-26&DiskId=d-x';
    const page = await send(api, { path, headers: { origin: 'https://example.com' } });
    expect(page.status).toBe(403);
  });

  test('a page that has its name resolved to the loopback is refused by its Host', async () => {
    await using api = await startApi({ auth: 'off', allowedHosts: ['plane.test'] });
    const path = '/?Action=DescribeRegions&Version=2014-05-26';
    const statusOf = async (host: string): Promise<number> =>
      (await send(api, { path, headers: { host } })).status;
    const { port } = api;
    expect(await statusOf(`attacker.example:${port}`)).toBe(403);
    for (const own of ['localhost', '127.0.0.1', 'plane.test']) {
      expect(await statusOf(`${own}:${port}`)).toBe(200);
    }
    const health = { path: '/-/health', method: 'GET', headers: { host: 'attacker.example' } };
    expect((await send(api, health)).status).toBe(403);
  });
});

describe('many clients', () => {
  test('a hundred at once: every disk is made once', async () => {
    await using api = await startApi();
    // As long as a busy machine needs: the SDK's own 3 s are those of the other tests.
    const patience = { readTimeout: 60_000, connectTimeout: 60_000 } as never;
    const made = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const client = ecsClient(api.port);
        const ids: string[] = [];
        for (let each = 0; each < 3; each++) {
          const request = { regionId: 'cn-hangzhou', size: 20, encrypted: true };
          const { body } = await client.createDiskWithOptions(
            new ecs.CreateDiskRequest(request),
            patience,
          );
          ids.push(body!.diskId!);
        }
        return ids;
      }),
    );
    expect(new Set(made.flat()).size).toBe(300);
    expect(await diskCount(api)).toBe(300);
  });

  test('a stop answers what is under way', async () => {
    await using api = await startApi({
      auth: 'off',
      interfere: () => new Promise((resolve) => setTimeout(resolve, 300)),
    });
    const call = send(api, { path: '/?Action=DescribeRegions', headers: VERSION });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await api.server.stop();
    expect((await call).status).toBe(200);
  });

  test('an address others can reach is refused without TLS, or leave', async () => {
    await expect(startApi({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(startApi({ auth: 'strict' })).rejects.toMatchObject({ code: 'InvalidArgument' });
    await using api = await startApi({ host: '0.0.0.0', allowRemote: true });
    expect(await diskCount(api)).toBe(0);
  });
});
