// The X.509 library resolves its own parts by metadata and asks for this first.
import 'reflect-metadata';
import { PemConverter, Pkcs10CertificateRequest } from '@peculiar/x509';

const TYPE = 'CERTIFICATE REQUEST';
const ORGANIZATION = 'O';

/** What a PKCS #10 request says of whom it is for. */
export interface CertificateRequest {
  readonly organizations: readonly string[];
}

/** Reads a PEM request. Rejects with an Error that says what is wrong with it: also when nobody holds its key. */
export async function readCertificateRequest(pem: string): Promise<CertificateRequest> {
  if (!pem.includes(`-----BEGIN ${TYPE}-----`)) throw new Error(`PEM block type must be ${TYPE}`);
  const request = new Pkcs10CertificateRequest(PemConverter.decodeFirst(pem));
  if (!(await request.verify())) throw new Error('x509: the signature of the request is wrong');
  return { organizations: request.subjectName.getField(ORGANIZATION) };
}
