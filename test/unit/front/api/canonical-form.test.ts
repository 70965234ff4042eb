/** Both signatures against published vectors, and against requests that official SDKs signed. */
import { describe, expect, test } from 'vitest';
import {
  acs3Signature,
  encode,
  sha256Of,
  version1Signature,
} from '../../../../src/front/api/canonical-form.ts';
import { readPairs } from '../../../../src/front/api/request-pairs.ts';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('ACS3-HMAC-SHA256', () => {
  test("gives the signature of the cloud's documentation", () => {
    const signature = acs3Signature('YourAccessKeySecret', {
      method: 'POST',
      path: '/',
      query: readPairs(
        'ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai',
      ),
      signedHeaders: [
        ['host', 'ecs.cn-shanghai.aliyuncs.com'],
        ['x-acs-action', 'RunInstances'],
        ['x-acs-content-sha256', EMPTY],
        ['x-acs-date', '2023-10-26T10:22:32Z'],
        ['x-acs-signature-nonce', '3156853299f313e23d1673dc12e1703d'],
        ['x-acs-version', '2014-05-26'],
      ],
      bodySha256: EMPTY,
    });
    expect(signature).toBe('06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0');
  });

  test('gives the signature the ECS SDK put on a query with marks it does not escape', () => {
    const query =
      'ClientToken=tok-1&DiskCategory=cloud_essd&DiskName=my%20disk%20(%E6%B5%8B%E8%AF%95)*!~%2B' +
      '&Encrypted=true&KMSKeyId=0e478b7a-4262-4802-b8cb-00d3fb40826X&PerformanceLevel=PL1' +
      '&RegionId=cn-hangzhou&Size=40&Tag.1.Key=k1&Tag.1.Value=v%201&Tag.2.Key=k2&Tag.2.Value=v2' +
      '&ZoneId=cn-hangzhou-g';
    const signature = acs3Signature('testsecret', {
      method: 'POST',
      path: '/',
      query: readPairs(query),
      signedHeaders: [
        ['host', '127.0.0.1:40001'],
        ['x-acs-action', 'CreateDisk'],
        ['x-acs-content-sha256', EMPTY],
        ['x-acs-credentials-provider', 'static_ak'],
        ['x-acs-date', '2026-11-22T00:26:28Z'],
        [
          'x-acs-signature-nonce',
          '0490cf4770455abbe5201a65e1ccbd424e6079cfe7532c701c88b9b24dc40938',
        ],
        ['x-acs-version', '2014-05-26'],
      ],
      bodySha256: EMPTY,
    });
    expect(signature).toBe('b6e55f1077b9e29dc4c11bc222c15613f88a07bf9187770a6c8859279723c99e');
  });

  test('covers the body by its digest', () => {
    expect(sha256Of(new Uint8Array(0))).toBe(EMPTY);
    const body = Buffer.from('X=form%20value%20%2B%26%3D');
    expect(sha256Of(body)).toBe('19f3f277916b3b86c68989876060e7eaa3ba84fc93f655567491648eff34ba10');
    const signature = acs3Signature('testsecret', {
      method: 'POST',
      path: '/',
      query: readPairs('KeyId=k1&KeySpec=AES_256&EncryptionContext=%7B%22a%22%3A%22b%22%7D'),
      signedHeaders: [
        ['content-type', 'application/x-www-form-urlencoded'],
        ['host', '127.0.0.1:40001'],
        ['x-acs-action', 'GenerateDataKey'],
        ['x-acs-content-sha256', sha256Of(body)],
        ['x-acs-credentials-provider', 'static_ak'],
        ['x-acs-date', '2026-11-22T00:26:28Z'],
        [
          'x-acs-signature-nonce',
          'ac1d19d9aa05c9bfbec64a50bb8eaf50a2026db1ae42507900eac434eeb9aba9',
        ],
        ['x-acs-version', '2016-01-20'],
      ],
      bodySha256: sha256Of(body),
    });
    expect(signature).toBe('c1b844f2406ebde553070dc45ef6042ad1d44bc7270038b36a49fd88ea522cc3');
  });
});

describe('HMAC-SHA1, version 1.0', () => {
  const VECTORS = [
    {
      name: 'the ECS documentation',
      method: 'GET',
      query:
        'Action=DescribeRegions&Format=XML&SignatureMethod=HMAC-SHA1&AccessKeyId=testid' +
        '&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&SignatureVersion=1.0' +
        '&Timestamp=2016-02-23T12:46:24Z&Version=2014-05-26',
      signature: 'OLeaidS1JvxuMvnyHOwuJ+uX5qY=',
    },
    {
      name: 'the ECS SDK with signatureAlgorithm v2',
      method: 'POST',
      query:
        'Action=CreateDisk&Format=json&Version=2014-05-26&Timestamp=2026-11-22T00%3A26%3A28Z' +
        '&SignatureNonce=6f763fe8d0a7c676aba946c71feabccee2599848da39347f9fa4b451e236cf3a' +
        '&Encrypted=true&RegionId=cn-hangzhou&Size=40&ZoneId=cn-hangzhou-g' +
        '&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid&Signature=ignored',
      signature: 'MYs2H3LXbLtU7hnelPf5QPg3DbI=',
    },
    {
      name: 'the KMS SDK, an encryption context in members',
      method: 'POST',
      query:
        'Action=GenerateDataKey&Format=json&Timestamp=2026-11-22T00%3A26%3A28Z&Version=2016-01-20' +
        '&SignatureNonce=bf5ceb9cbd6f7bdb896263084c811b26&KeyId=k1&KeySpec=AES_256' +
        '&EncryptionContext.a=b&EncryptionContext.disk=d-1&SignatureMethod=HMAC-SHA1' +
        '&SignatureVersion=1.0&AccessKeyId=testid',
      signature: 'mWvlveC22JG0CENECkvoStaJnr4=',
    },
    {
      name: 'pop-core by GET, with a star',
      method: 'GET',
      query:
        'AccessKeyId=testid&Action=DescribeDisks&DiskName=a%20b%2A&Format=JSON' +
        '&RegionId=cn-hangzhou&SignatureMethod=HMAC-SHA1' +
        '&SignatureNonce=bd1c18063f302babdf08a6bbd6400acf&SignatureVersion=1.0' +
        '&Timestamp=2026-11-22T00%3A26%3A28Z&Version=2014-05-26',
      signature: 'eyyalCfRSOloRdJjJ3gVpbj+3HA=',
    },
    {
      name: 'Terraform: common parameters in the query, the others in a form',
      method: 'POST',
      query:
        'Action=CreateDisk&Format=json&Timestamp=2026-11-22T00%3A38%3A52Z&Version=2014-05-26' +
        '&SignatureNonce=33a5b90e58a79eef20918373cbb19d27&SignatureMethod=HMAC-SHA1' +
        '&SignatureVersion=1.0&AccessKeyId=testid&RegionId=cn-hangzhou&ZoneId=cn-hangzhou-g' +
        '&Size=40&Encrypted=true&KMSKeyId=k&ClientToken=TF-CreateDisk-1&Tag.1.Key=a' +
        '&Tag.1.Value=b%20c',
      signature: 'CdV2aV+NUD3QYZbcHCHOc/pRlMA=',
    },
  ];

  test.each(VECTORS)('gives the signature of $name', ({ method, query, signature }) => {
    expect(version1Signature('testsecret', method, readPairs(query))).toBe(signature);
  });
});

test('encode leaves the unreserved marks of RFC 3986 and no others', () => {
  const unreserved = 'AZaz09-_.~';
  expect(encode(unreserved)).toBe(unreserved);
  expect(encode(" !'()*+/&=%ü测")).toBe('%20%21%27%28%29%2A%2B%2F%26%3D%25%C3%BC%E6%B5%8B');
});
