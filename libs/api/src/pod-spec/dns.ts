/** How a pod resolves names. https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config */
import { type DeepReadonly, type FieldPath, ipAddress } from '@periplus/apimachinery';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { checkOneOf, type Errors } from '../field-rules.ts';

const POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
/** libc's limits. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_LENGTH_MAX = 2048;
const DOMAIN_LENGTH_MAX = 253;
/** Service records begin with underscores. https://kep.k8s.io/4427 */
const LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const DOMAIN = `${LABEL}(\\.${LABEL})*`;
const domainPattern = new RegExp(`^${DOMAIN}$`);

function domainProblems(domain: string): readonly string[] {
  const problems = domain.length > DOMAIN_LENGTH_MAX ? [`must be no more than ${DOMAIN_LENGTH_MAX} bytes`] : [];
  if (!domainPattern.test(domain)) {
    const rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";
    const ends = 'and must start and end with an alphanumeric character';
    problems.push(`${rule}, ${ends} (e.g. 'example.com', regex used for validation is '${DOMAIN}')`);
  }
  return problems;
}

export function checkDns(errors: Errors, at: FieldPath, { dnsPolicy, dnsConfig }: DeepReadonly<IPodSpec>): void {
  checkOneOf(errors, at, 'dnsPolicy', dnsPolicy, POLICIES);
  if (!dnsConfig) {
    if (dnsPolicy === 'None') {
      errors.push(at.child('dnsConfig').required('must provide `dnsConfig` when `dnsPolicy` is None'));
    }
    return;
  }
  const place = at.child('dnsConfig');
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    errors.push(place.child('nameservers').required(detail));
  }
  if (nameservers.length > NAMESERVERS_MAX) {
    const detail = `must not have more than ${NAMESERVERS_MAX} nameservers`;
    errors.push(place.child('nameservers').invalid(nameservers, detail));
  }
  nameservers.forEach((address, i) => {
    for (const problem of ipAddress(address)) errors.push(place.index('nameservers', i).invalid(address, problem));
  });
  if (searches.length > SEARCHES_MAX) {
    const detail = `must not have more than ${SEARCHES_MAX} search paths`;
    errors.push(place.child('searches').invalid(searches, detail));
  }
  if (searches.join(' ').length > SEARCH_LENGTH_MAX) {
    const detail = `must not have more than ${SEARCH_LENGTH_MAX} characters (including spaces) in the search list`;
    errors.push(place.child('searches').invalid(searches, detail));
  }
  searches.forEach((search, i) => {
    if (search === '.') return;
    const domain = search.replace(/\.$/, '');
    for (const problem of domainProblems(domain)) errors.push(place.index('searches', i).invalid(domain, problem));
  });
  options.forEach(({ name }, i) => {
    if (!name) errors.push(place.index('options', i).required('must not be empty'));
  });
}
