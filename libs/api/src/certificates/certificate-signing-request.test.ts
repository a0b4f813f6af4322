import type { DeepReadonly } from '@periplus/apimachinery';
import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type CertificateSigningRequest, certificateSigningRequest } from './certificate-signing-request.ts';

type Spec = Partial<CertificateSigningRequest['spec']>;
type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

const aRequest = (spec: Spec = {}): CertificateSigningRequest => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: 'ann' },
  spec: { request: '', signerName: 'example.com/signer', usages: ['client auth'], ...spec },
});
const approved: Conditions = [{ type: 'Approved', status: 'True', reason: 'Fine' }];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What an update of the approval would be refused for, and what it makes of the request. */
function approve(before: Conditions, after: Conditions): { problems: string[]; now: CertificateSigningRequest } {
  const old = created(certificateSigningRequest, aRequest());
  old.metadata.resourceVersion = '1';
  old.status = { conditions: before };
  const now = structuredClone(old);
  now.status = { conditions: after, certificate: base64('x') };
  now.spec.signerName = 'example.com/other';
  const { approval } = certificateSigningRequest.parts;
  approval!.prepare(now, old as DeepReadonly<CertificateSigningRequest>);
  const errors = approval!.validate(now as DeepReadonly<CertificateSigningRequest>, old as never, new FieldPath());
  return { problems: errors.map(({ field, message }) => `${field}: ${message}`), now };
}

describe('a request for a certificate', () => {
  it.each<[string, Spec, string[]]>([
    ['as kubectl makes it', { expirationSeconds: 600 }, []],
    [
      'for nothing, too short',
      { usages: [], expirationSeconds: 599 },
      [
        'spec.usages: Required value',
        'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
      ],
    ],
    [
      'for odd uses',
      { usages: ['any', 'any', 'fun' as never] },
      [
        'spec.usages[1]: Duplicate value: "any"',
        expect.stringMatching(
          /^spec.usages\[2\]: Unsupported value: "fun": supported values: "any", "cert sign"/,
        ) as never,
      ],
    ],
    ['to nobody', { signerName: '' }, ['spec.signerName: Required value']],
    [
      'to a signer without a domain',
      { signerName: 'signer' },
      [
        `spec.signerName: Invalid value: "signer": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
      ],
    ],
    [
      'to an odd signer',
      { signerName: 'local/Odd' },
      [
        'spec.signerName: Invalid value: "local": should be a domain with at least two segments separated by dots',
        expect.stringMatching(
          /^spec.signerName: Invalid value: "Odd": validating label "Odd": a lowercase RFC 1123 sub/,
        ) as never,
      ],
    ],
    [
      'to the signer of old',
      { signerName: 'kubernetes.io/legacy-unknown' },
      [
        'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(certificateSigningRequest, aRequest(spec))).toEqual(expected);
  });

  it('is approved apart from the rest', () => {
    const { problems, now } = approve([], approved);
    expect(problems).toEqual([]);
    expect([now.spec.signerName, now.status]).toEqual(['example.com/signer', { conditions: approved }]);
  });

  it('is not approved and denied, nor otherwise undecided again', () => {
    const denied = { type: 'Denied', status: 'True' };
    expect(approve(approved, [...approved, denied]).problems).toEqual([
      'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ]);
    expect(approve(approved, []).problems).toEqual([
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ]);
    expect(
      approve(
        [],
        [
          { type: 'Approved', status: 'False' },
          { type: '', status: '' },
        ],
      ).problems,
    ).toEqual([
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
      'status.conditions[1].type: Required value',
      'status.conditions[1].status: Required value',
    ]);
  });

  it('is signed with a certificate, and not approved on the way', () => {
    const sign = (certificate: string, conditions: Conditions = []) =>
      statusProblems(certificateSigningRequest, aRequest(), (copy) => {
        copy.status = { certificate: base64(certificate), conditions };
      });
    expect(sign('nothing', approved)).toEqual([
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ]);
    expect(sign('-----BEGIN RSA KEY-----\n-----END RSA KEY-----')).toEqual([
      'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "RSA KEY"',
    ]);
    expect(sign('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toEqual([
      'status.certificate: Invalid value: "<certificate data>": x509: malformed certificate',
    ]);
  });

  it('prints how far it is', () => {
    const object = aRequest({ username: 'ann', expirationSeconds: 3600 });
    object.status = { conditions: approved, certificate: base64('x') };
    expect(table(certificateSigningRequest, object)).toEqual([
      'NAME  AGE  SIGNERNAME  REQUESTOR  REQUESTEDDURATION  CONDITION',
      'ann  60m  example.com/signer  ann  60m  Approved,Issued',
    ]);
    expect(table(certificateSigningRequest, aRequest())[1]).toBe('ann  60m  example.com/signer    <none>  Pending');
  });
});
