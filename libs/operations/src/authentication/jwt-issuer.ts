import { decodeJwt } from 'jose';

/** Who says to have made a token; undefined for what is no JWT. Nothing of it is verified. */
export function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
