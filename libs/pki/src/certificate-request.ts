// The X.509 library resolves its own parts by metadata and asks for this first.
import 'reflect-metadata';
import {
  type GeneralNameType,
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';

const TYPE = 'CERTIFICATE REQUEST';

/** What a PKCS #10 request says of whom it is for. */
export interface CertificateRequest {
  /** '' when it names none. */
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** The subject alternative names, by their sort. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** Takes a PEM request apart. Rejects with an Error that says what is wrong with it: also when nobody holds its key. */
export async function openCertificateRequest(pem: string): Promise<Pkcs10CertificateRequest> {
  if (!pem.includes(`-----BEGIN ${TYPE}-----`)) throw new Error(`PEM block type must be ${TYPE}`);
  const request = new Pkcs10CertificateRequest(PemConverter.decodeFirst(pem));
  if (!(await request.verify())) throw new Error('x509: the signature of the request is wrong');
  return request;
}

/** The names of a request beside its subject. */
export const alternativeNames = (request: Pkcs10CertificateRequest) =>
  request.extensions.find((one) => one instanceof SubjectAlternativeNameExtension)?.names.items ?? [];

/** Reads a PEM request. Rejects as `openCertificateRequest`. */
export async function readCertificateRequest(pem: string): Promise<CertificateRequest> {
  const request = await openCertificateRequest(pem);
  const names = alternativeNames(request);
  const named = (wanted: GeneralNameType): string[] =>
    names.flatMap(({ type, value }) => (type === wanted ? [value] : []));
  return {
    commonName: request.subjectName.getField('CN').at(-1) ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: named('dns'),
    ipAddresses: named('ip'),
    emailAddresses: named('email'),
    uris: named('url'),
  };
}
