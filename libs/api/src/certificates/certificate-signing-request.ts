import { X509Certificate } from 'node:crypto';
import { type DeepReadonly, type FieldPath, humanDuration } from '@periplus/apimachinery';
import type { ICertificateSigningRequest } from 'kubernetes-models/certificates.k8s.io/v1/CertificateSigningRequest';
import type { ICertificateSigningRequestCondition } from 'kubernetes-models/certificates.k8s.io/v1/CertificateSigningRequestCondition';
import { ageColumn, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import { differences } from '../differences.ts';
import { sameValue } from '../equality.ts';
import type { Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkSignerName } from './signer-name.ts';

export type CertificateSigningRequest = Stored<ICertificateSigningRequest, 'spec'>;

type Request = DeepReadonly<CertificateSigningRequest>;
type Condition = DeepReadonly<ICertificateSigningRequestCondition>;

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const SECONDS_MIN = 600;
const DECISIONS = ['Approved', 'Denied'];
/** Conditions that stay once they are there, and are never false. */
const FINAL = [...DECISIONS, 'Failed'];
const STATUSES = ['False', 'True', 'Unknown'];
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

function checkUsages(errors: Errors, at: FieldPath, usages: readonly string[] = []): void {
  if (usages.length === 0) errors.push(at.child('usages').required());
  usages.forEach((usage, i) => {
    const place = at.index('usages', i);
    if (!USAGES.includes(usage)) errors.push(place.notSupported(usage, USAGES));
    if (usages.indexOf(usage) < i) errors.push(place.duplicate(usage));
  });
}

function checkConditions(errors: Errors, at: FieldPath, conditions: readonly Condition[] = []): void {
  const seen = new Set<string>();
  conditions.forEach(({ type, status }, i) => {
    const place = at.item(i);
    if (!type) errors.push(place.child('type').required());
    const allowed = FINAL.includes(type) ? ['True'] : STATUSES;
    if (!status) errors.push(place.child('status').required());
    else if (!allowed.includes(status)) errors.push(place.child('status').notSupported(status, allowed));
    if (DECISIONS.includes(type) && DECISIONS.some((other) => other !== type && seen.has(other))) {
      errors.push(at.invalid(type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type)) errors.push(place.child('type').duplicate(type));
    seen.add(type);
  });
}

function check(errors: Errors, root: FieldPath, { spec, status }: Request): void {
  const at = root.child('spec');
  checkUsages(errors, at, spec.usages);
  const { signerName = '', expirationSeconds } = spec;
  const place = at.child('signerName');
  if (signerName === LEGACY_SIGNER) {
    errors.push(place.invalid(signerName, 'the legacy signerName is not allowed via this API version'));
  } else checkSignerName(errors, place, signerName);
  if (expirationSeconds !== undefined && expirationSeconds < SECONDS_MIN) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(at.child('expirationSeconds').invalid(expirationSeconds, detail));
  }
  checkConditions(errors, root.child('status', 'conditions'), status?.conditions);
}

/** What is wrong with a signed certificate, which is base64 of one or more PEM blocks. */
function certificateProblem(certificate: string): string | undefined {
  const blocks = [...Buffer.from(certificate, 'base64').toString('latin1').matchAll(BLOCK)];
  for (const [block, type] of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (block.includes(':')) return 'no PEM block headers are permitted';
    try {
      new X509Certificate(block);
    } catch {
      return 'x509: malformed certificate';
    }
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function checkKept(errors: Errors, at: FieldPath, now: Request, old: Request, mayDecide: boolean): void {
  const of = ({ status }: Request, type: string) =>
    status?.conditions?.filter((condition) => condition.type === type) ?? [];
  for (const type of FINAL) {
    const [after, before] = [of(now, type), of(old, type)];
    const quoted = JSON.stringify(type);
    if (after.length < before.length) errors.push(at.forbidden(`updates may not remove a condition of type ${quoted}`));
    else if (mayDecide || !DECISIONS.includes(type)) continue;
    else if (after.length > before.length) {
      errors.push(at.forbidden(`updates may not add a condition of type ${quoted}`));
    } else if (!sameValue(after, before)) {
      const lines = differences(before, after, 'conditions').join('\n');
      errors.push(at.forbidden(`updates may not modify a condition of type ${quoted}\n${lines}`));
    }
  }
}

/** Whoever signs may give the certificate, once; who decides is asked elsewhere. */
function checkStatusUpdate(errors: Errors, root: FieldPath, now: Request, old: Request): void {
  const at = root.child('status');
  check(errors, root, now);
  checkKept(errors, at.child('conditions'), now, old, false);
  const [certificate = '', before = ''] = [now.status?.certificate, old.status?.certificate];
  if (certificate === before) return;
  const place = at.child('certificate');
  const problem = certificate === '' ? undefined : certificateProblem(certificate);
  if (problem) errors.push(place.invalid('<certificate data>', problem));
  if (before !== '') errors.push(place.forbidden('updates may not modify existing certificate content'));
}

/** `Approved,Issued` */
function conditionOf({ status }: Request): string {
  const types = new Set(status?.conditions?.map(({ type }) => type));
  const decision = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending';
  return [decision, ...(types.has('Failed') ? ['Failed'] : []), ...(status?.certificate ? ['Issued'] : [])].join(',');
}

/** https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/ */
export const certificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  nameRule: () => [],
  columns: [
    nameColumn,
    ageColumn,
    {
      name: 'SignerName',
      type: 'string',
      description: fieldText('certificates.k8s.io/v1.CertificateSigningRequestSpec.signerName'),
      of: ({ spec }) => orNone(spec.signerName),
    },
    {
      name: 'Requestor',
      type: 'string',
      description: 'Base64-encoded PKCS#10 CSR data',
      of: ({ spec }) => spec.username ?? '',
    },
    {
      name: 'RequestedDuration',
      type: 'string',
      description: fieldText('certificates.k8s.io/v1.CertificateSigningRequestSpec.expirationSeconds'),
      of: ({ spec }) =>
        spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    },
    {
      name: 'Condition',
      type: 'string',
      description: 'Conditions applied to the request, such as approval or denial.',
      of: conditionOf,
    },
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName ?? '' },
  parts: {
    approval: {
      take(request, asked) {
        const { conditions = [] } = asked.status ?? {};
        request.status = { ...request.status, conditions };
      },
      check(errors, root, now, old) {
        checkKept(errors, root.child('status', 'conditions'), now, old, true);
      },
    },
  },
  check,
  checkStatusUpdate,
  setDefaults(request) {
    request.spec ??= {} as CertificateSigningRequest['spec'];
    request.status ??= {};
  },
  /** What was asked for stays so. */
  prepareForUpdate(request, old) {
    request.spec = old.spec as CertificateSigningRequest['spec'];
  },
});
