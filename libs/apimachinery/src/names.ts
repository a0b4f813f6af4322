import { isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * What names must look like. Each rule returns Kubernetes' messages, none when the name is fine.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
export type NameRule = (name: string) => readonly string[];

const FINE: readonly string[] = [];

const tooLong = (lengthMax: number): string => `must be no more than ${lengthMax} bytes`;

function mismatch(why: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${why} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

const anchored = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

/** Names are ASCII once their pattern matches, so only names that fail anyway pay for counting bytes. */
const longerThan = (name: string, bytesMax: number): boolean =>
  name.length > bytesMax || (name.length * 3 > bytesMax && Buffer.byteLength(name) > bytesMax);

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_LENGTH_MAX = 63;
const label = anchored(LABEL);
const labelMismatch = mismatch(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL,
  'my-name',
  '123-abc',
);

const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SUBDOMAIN_LENGTH_MAX = 253;
const subdomain = anchored(SUBDOMAIN);
const subdomainMismatch = mismatch(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN,
  'example.com',
);

/** Names of Namespaces, containers, volumes. */
export function dns1123Label(name: string): readonly string[] {
  const long = longerThan(name, LABEL_LENGTH_MAX);
  if (!long && label.test(name)) return FINE;
  const problems = long ? [tooLong(LABEL_LENGTH_MAX)] : [];
  if (!label.test(name)) problems.push(subdomain.test(name) ? 'must not contain dots' : labelMismatch);
  return problems;
}

/** Names of most kinds. */
export function dns1123Subdomain(name: string): readonly string[] {
  const long = longerThan(name, SUBDOMAIN_LENGTH_MAX);
  const matches = subdomain.test(name);
  if (!long && matches) return FINE;
  return [...(long ? [tooLong(SUBDOMAIN_LENGTH_MAX)] : []), ...(matches ? [] : [subdomainMismatch])];
}

const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const wildcard = anchored(WILDCARD);
const wildcardMismatch = mismatch(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  WILDCARD,
  '*.example.com',
);

/** Hosts of Ingress rules: `*.example.com`. */
export function wildcardDns1123Subdomain(name: string): readonly string[] {
  const long = longerThan(name, SUBDOMAIN_LENGTH_MAX);
  const matches = wildcard.test(name);
  if (!long && matches) return FINE;
  return [...(long ? [tooLong(SUBDOMAIN_LENGTH_MAX)] : []), ...(matches ? [] : [wildcardMismatch])];
}

const DNS_1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const dns1035 = anchored(DNS_1035_LABEL);
const dns1035Mismatch = mismatch(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  DNS_1035_LABEL,
  'my-name',
  'abc-123',
);

/** Names of Services. */
export function dns1035Label(name: string): readonly string[] {
  const long = longerThan(name, LABEL_LENGTH_MAX);
  const matches = dns1035.test(name);
  if (!long && matches) return FINE;
  return [...(long ? [tooLong(LABEL_LENGTH_MAX)] : []), ...(matches ? [] : [dns1035Mismatch])];
}

/** RBAC names and others that only have to be safe as one segment of a URL path. */
export function pathSegment(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const problems: string[] = [];
  for (const part of ['/', '%']) if (name.includes(part)) problems.push(`may not contain '${part}'`);
  return problems;
}

const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const QUALIFIED_LENGTH_MAX = 63;
const qualified = anchored(QUALIFIED);
const qualifiedMismatch = mismatch(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED,
  'MyName',
  'my.name',
  '123-abc',
);

/** Keys of labels and annotations, finalizers, resource names: `[prefix/]name`. */
export function qualifiedName(name: string): readonly string[] {
  const slash = name.indexOf('/');
  if (slash === -1) return unprefixedName(name);
  if (name.includes('/', slash + 1)) {
    return [
      `a valid label key ${qualifiedMismatch} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const prefix = name.slice(0, slash);
  const problems = prefix === '' ? ['must be non-empty'] : dns1123Subdomain(prefix);
  const rest = unprefixedName(name.slice(slash + 1));
  return problems.length === 0 ? rest : [...problems.map((problem) => `prefix part ${problem}`), ...rest];
}

function unprefixedName(name: string): readonly string[] {
  const matches = qualified.test(name);
  const long = longerThan(name, QUALIFIED_LENGTH_MAX);
  if (matches && !long) return FINE;
  const problems: string[] = [];
  if (name === '') problems.push('name part must be non-empty');
  else if (long) problems.push(`name part ${tooLong(QUALIFIED_LENGTH_MAX)}`);
  if (!matches) problems.push(`name part ${qualifiedMismatch}`);
  return problems;
}

const LABEL_VALUE = `(${QUALIFIED})?`;
const value = anchored(LABEL_VALUE);
const valueMismatch = mismatch(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_VALUE,
  'MyValue',
  'my_value',
  '12345',
);

export function labelValue(text: string): readonly string[] {
  const long = longerThan(text, LABEL_LENGTH_MAX);
  const matches = value.test(text);
  if (!long && matches) return FINE;
  return [...(long ? [tooLong(LABEL_LENGTH_MAX)] : []), ...(matches ? [] : [valueMismatch])];
}

const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const identifier = anchored(C_IDENTIFIER);
const identifierMismatch = mismatch(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  C_IDENTIFIER,
  'my_name',
  'MY_NAME',
  'MyName',
);

export const cIdentifier: NameRule = (name) => (identifier.test(name) ? FINE : [identifierMismatch]);

const printable = /^[ -<>-~]+$/;

/** Since 1.34 any printable ASCII but `=`. https://kep.k8s.io/4369 */
export function envVarName(name: string): readonly string[] {
  if (name === '') return ['environment variable name must be non-empty'];
  if (printable.test(name)) return FINE;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const configKey = anchored(CONFIG_KEY);
const configKeyMismatch = mismatch(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  CONFIG_KEY,
  'key.name',
  'KEY_NAME',
  'key-name',
);

/** Keys of ConfigMaps and Secrets, which become file names. */
export function configMapKey(name: string): readonly string[] {
  const problems: string[] = [];
  if (longerThan(name, SUBDOMAIN_LENGTH_MAX)) problems.push(tooLong(SUBDOMAIN_LENGTH_MAX));
  if (!configKey.test(name)) problems.push(configKeyMismatch);
  if (name === '.' || name === '..') problems.push(`must not be '${name}'`);
  else if (name.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

const PORT_NAME_LENGTH_MAX = 15;

/** IANA_SVC_NAME. https://www.rfc-editor.org/rfc/rfc6335 section 5.1 */
export function portName(name: string): readonly string[] {
  const problems: string[] = [];
  if (longerThan(name, PORT_NAME_LENGTH_MAX)) problems.push(tooLong(PORT_NAME_LENGTH_MAX));
  if (!/^[-a-z0-9]+$/.test(name)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

/** Bounds are included. */
export const inRange = (number: number, low: number, high: number): readonly string[] =>
  number >= low && number <= high ? FINE : [`must be between ${low} and ${high}, inclusive`];

export const portNumber = (port: number): readonly string[] => inRange(port, 1, 65535);

const PERCENT = '[0-9]+%';
const percentPattern = anchored(PERCENT);
const percentMismatch = mismatch(
  "a valid percent string must be a numeric string followed by an ending '%'",
  PERCENT,
  '1%',
  '93%',
);

export const percent: NameRule = (text) => (percentPattern.test(text) ? FINE : [percentMismatch]);

const HEADER = '[-A-Za-z0-9]+';
const header = anchored(HEADER);
const headerMismatch = mismatch(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  HEADER,
  'X-Header-Name',
);

export const httpHeaderName: NameRule = (name) => (header.test(name) ? FINE : [headerMismatch]);

const ZEROS_IN_FRONT = /(^|[./])0+(?=\d)/g;
const NO_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

const NO_RANGE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** An address of IPv4, or a range, without what some programs take for octal: `10.1.0.1` of `010.001.0.1`. */
export const withoutZerosInFront = (text: string): string => text.replace(ZEROS_IN_FRONT, '$1');

const hasZerosInFront = (text: string): boolean => !isIPv4(text) && isIPv4(withoutZerosInFront(text));

/** Whether an address of IPv6 stands for one of IPv4: `::ffff:10.0.0.1`. */
export const isMapped = (address: string): boolean =>
  isIPv6(address) && /^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(new URL(`http://[${address}]`).hostname);

/**
 * Zones (`fe80::1%eth0`) are refused, as by Go, and what programs read in different ways.
 * https://kep.k8s.io/4858
 */
export function ipAddress(text: string): readonly string[] {
  if (hasZerosInFront(text)) return ['must not have leading 0s'];
  if (isIP(text) === 0 || text.includes('%')) return [NO_ADDRESS];
  return isMapped(text) ? ['must not be an IPv4-mapped IPv6 address'] : FINE;
}

function isRange(text: string): boolean {
  const [address = '', bits = '', more] = text.split('/');
  const bitsMax = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : -1;
  return more === undefined && /^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= bitsMax;
}

export function cidr(text: string): readonly string[] {
  if (isRange(text)) return FINE;
  return [isRange(withoutZerosInFront(text)) ? 'must not have leading 0s in IP or prefix length' : NO_RANGE];
}
