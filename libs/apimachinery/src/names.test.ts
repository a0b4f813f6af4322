import { describe, expect, test } from 'vitest';
import {
  cIdentifier,
  cidr,
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  httpHeaderName,
  inRange,
  ipAddress,
  labelValue,
  type NameRule,
  pathSegment,
  percent,
  portName,
  portNumber,
  qualifiedName,
  wildcardDns1123Subdomain,
} from './names.ts';

const long = (length: number): string => 'a'.repeat(length);

const cases: [string, NameRule, { good: string[]; bad: string[] }][] = [
  [
    'a DNS label',
    dns1123Label,
    { good: ['a', 'my-name', '123-abc', long(63)], bad: ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a\n', long(64)] },
  ],
  [
    'a DNS subdomain',
    dns1123Subdomain,
    { good: ['a', 'a.b-c.d', '1.2', long(253)], bad: ['', '.', 'a..b', 'a.', 'A.b', 'a_b', long(254)] },
  ],
  [
    'a wildcard',
    wildcardDns1123Subdomain,
    { good: ['*.a', '*.a.b'], bad: ['*', '*a', 'a.*.b', '*.*.a', 'a.b', `*.${long(252)}`] },
  ],
  ['a DNS-1035 label', dns1035Label, { good: ['a', 'a-1'], bad: ['', '1a', 'a-', 'a.b', long(64)] }],
  ['a segment of a path', pathSegment, { good: ['a', 'system:node', 'a b'], bad: ['.', '..', 'a/b', 'a%b'] }],
  [
    'a qualified name',
    qualifiedName,
    {
      good: ['a', 'A.b_c-1', 'example.com/a', `x/${long(63)}`],
      bad: ['', '/a', 'a/', 'A/a', 'a/b/c', '-a', 'a-', `x/${long(64)}`],
    },
  ],
  ['a label value', labelValue, { good: ['', 'a', 'A.b_c-1', long(63)], bad: ['-', 'a b', 'a/b', 'ä', long(64)] }],
  ['a C identifier', cIdentifier, { good: ['a', '_A1'], bad: ['', '1a', 'a-b'] }],
  ['the name of a variable', envVarName, { good: ['a', '1', 'a b', 'A.B-C'], bad: ['', 'a=b', 'ä', 'a\tb'] }],
  [
    'a key of a ConfigMap',
    configMapKey,
    { good: ['a', '.a', 'A_b-c', '__proto__'], bad: ['', '.', '..', '..a', 'a/b', long(254)] },
  ],
  [
    'the name of a port',
    portName,
    { good: ['http', 'a-1', '8a'], bad: ['', '80', 'Http', 'a--b', '-a', 'a-', long(16)] },
  ],
  ['a percentage', percent, { good: ['0%', '250%'], bad: ['', '%', '-1%', '1.5%', '1'] }],
  ['a header', httpHeaderName, { good: ['X-Header-Name'], bad: ['', 'a b', 'a:'] }],
  [
    'an address',
    ipAddress,
    { good: ['10.0.0.1', '::1', 'fd00::ffff:10.0.0.1'], bad: ['', '10.0.0', '010.0.0.1', 'fe80::1%eth0', 'a'] },
  ],
  [
    'a CIDR',
    cidr,
    {
      good: ['10.0.0.0/8', '0.0.0.0/0', 'fd00::/64', '::/128'],
      bad: ['', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/8/8', 'fd00::/129', '/8'],
    },
  ],
];

describe.each(cases)('%s', (_name, rule, { good, bad }) => {
  test.each(good)('%j is fine', (name) => {
    expect(rule(name)).toEqual([]);
  });
  test.each(bad)('%j is not', (name) => {
    expect(rule(name).length).toBeGreaterThan(0);
  });
});

test('what is wrong is said in the words of Kubernetes', () => {
  expect(dns1123Label('A')).toEqual([
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  expect(dns1123Label('a.b')).toEqual(['must not contain dots']);
  expect(dns1123Subdomain('A')).toEqual([
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  expect(dns1123Subdomain(`A${long(253)}`)[0]).toBe('must be no more than 253 bytes');
  expect(qualifiedName('/')).toEqual([
    'prefix part must be non-empty',
    'name part must be non-empty',
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ]);
  expect(pathSegment('a/%')).toEqual(["may not contain '/'", "may not contain '%'"]);
  expect(portNumber(0)).toEqual(['must be between 1 and 65535, inclusive']);
  expect(inRange(3, 1, 3)).toEqual([]);
  expect(ipAddress('x')).toEqual(['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']);
  expect(ipAddress('10.01.0.1')).toEqual(['must not have leading 0s']);
  expect(ipAddress('::ffff:10.0.0.1')).toEqual(['must not be an IPv4-mapped IPv6 address']);
  expect(ipAddress('0:0:0:0:0:FFFF:0A00:1')).toEqual(['must not be an IPv4-mapped IPv6 address']);
  expect(ipAddress('::fffe:10.0.0.1')).toEqual([]);
});

test('a hostile name is refused in linear time', () => {
  // Were a pattern to backtrack, this would run into the test's timeout.
  const hostile = `${'a-'.repeat(500_000)}!`;
  for (const rule of [dns1123Subdomain, qualifiedName, labelValue, configMapKey]) {
    expect(rule(hostile).length).toBeGreaterThan(0);
  }
});
