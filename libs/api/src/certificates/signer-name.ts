import { dns1123Label, dns1123Subdomain, type FieldPath, type NameRule } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';

const DOMAIN_LENGTH_MAX = 253;
const NAME_LENGTH_MAX = DOMAIN_LENGTH_MAX + 1 + (253 + 63 + 1);

function checkLabels(errors: Errors, at: FieldPath, part: string, rule: NameRule): void {
  for (const label of part.split('.')) {
    const problems = rule(label);
    for (const problem of problems)
      errors.push(at.invalid(part, `validating label ${JSON.stringify(label)}: ${problem}`));
    if (problems.length > 0) return;
  }
}

/** `example.com/my-signer`. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#signers */
export function checkSignerName(errors: Errors, at: FieldPath, name: string): void {
  if (name === '') {
    errors.push(at.required());
    return;
  }
  const [domain = '', path = '', ...more] = name.split('/');
  if (path === '' || more.length > 0) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(at.invalid(name, detail));
    return;
  }
  if (domain.length > DOMAIN_LENGTH_MAX) errors.push(at.tooLong(DOMAIN_LENGTH_MAX));
  checkLabels(errors, at, domain, dns1123Label);
  if (!domain.includes('.')) {
    errors.push(at.invalid(domain, 'should be a domain with at least two segments separated by dots'));
  }
  checkLabels(errors, at, path, dns1123Subdomain);
  if (name.length > NAME_LENGTH_MAX) errors.push(at.tooLong(NAME_LENGTH_MAX));
}
