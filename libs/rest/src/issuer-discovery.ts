import type { ServiceAccountTokens } from '@periplus/operations';
import type { FastifyInstance } from 'fastify';

/** As long clients may go on without asking again; a new key must be known that long before it signs. */
const CACHE_SECONDS = 3_600;
const KEYS_PATH = '/openid/v1/jwks';

export interface Issuer {
  tokens: Pick<ServiceAccountTokens, 'issuer' | 'publicKeys'>;
  /** Null: this server. */
  jwksUri: string | null;
}

/**
 * Tells whoever checks tokens of service accounts by himself who issues them and with which keys.
 * https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export function serveIssuer(app: FastifyInstance, { tokens, jwksUri }: Issuer, advertiseAddress: string): void {
  const keys = tokens.publicKeys();
  const configuration = JSON.stringify({
    issuer: tokens.issuer,
    jwks_uri: jwksUri ?? `https://${advertiseAddress}${KEYS_PATH}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))].sort(),
  });
  const documents = {
    '/.well-known/openid-configuration': { type: 'application/json', body: configuration },
    [KEYS_PATH]: { type: 'application/jwk-set+json', body: JSON.stringify({ keys }) },
  };
  for (const [path, { type, body }] of Object.entries(documents)) {
    const bytes = Buffer.from(body);
    app.get(path, (_request, reply) =>
      reply.header('cache-control', `public, max-age=${CACHE_SECONDS}`).type(type).send(bytes),
    );
  }
}
