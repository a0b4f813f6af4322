import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { unauthorized } from '@periplus/apimachinery';
import type { Authenticator, User } from '@periplus/operations';

const BEARER = /^bearer (\S+)/i;

/** Who is at the other end of each connection. A certificate is looked at once, whatever is asked over it. */
export class ConnectionUsers {
  private readonly authenticator: Authenticator;
  private readonly users = new WeakMap<TLSSocket, User>();

  constructor(authenticator: Authenticator) {
    this.authenticator = authenticator;
  }

  /** Throws or rejects with Unauthorized: for a certificate that the cluster's authority did not issue, too. */
  userOf(request: IncomingMessage): User | Promise<User> {
    const socket = request.socket as TLSSocket;
    const known = this.users.get(socket);
    if (known) return known;
    const token = bearerToken(request);
    const certificate = socket.getPeerCertificate();
    if (Object.keys(certificate ?? {}).length > 0) {
      // A token may still say who it is.
      if (!socket.authorized && token === null) throw unauthorized();
      if (socket.authorized) {
        const user = this.authenticator.authenticate({ certificate, bearerToken: token });
        if (certificate.subject.CN && !(user instanceof Promise)) this.users.set(socket, user);
        return user;
      }
    }
    return this.authenticator.authenticate({ certificate: null, bearerToken: token });
  }
}

function bearerToken(request: IncomingMessage): string | null {
  const { authorization } = request.headers;
  if (authorization === undefined) return null;
  return BEARER.exec(authorization)?.[1] ?? null;
}
