import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority, issueCertificate } from '@periplus/pki';
import { exportJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';

/** A server on HTTPS with an authority of its own, as others run it. */
export interface TlsServer extends AsyncDisposable {
  url: string;
  /** PEM, of its authority. */
  ca: string;
}

async function startTlsServer(answer: RequestListener): Promise<TlsServer> {
  const authority = await createAuthority('elsewhere');
  const { cert, key } = await issueCertificate(authority, {
    commonName: 'localhost',
    usages: ['server'],
    hosts: ['localhost', '127.0.0.1'],
  });
  const server = createServer({ cert, key }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.cert,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Key {
  kid: string;
  alg: string;
  private: KeyObject;
  public: KeyObject;
}

const rsaKey = (kid: string): Key => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg: 'RS256', private: privateKey, public: publicKey };
};

/** A small OpenID Connect provider: its document, its keys, and tokens of theirs. */
export class TestProvider implements AsyncDisposable {
  /** What has been asked for, by path. */
  readonly asked: string[] = [];
  isDown = false;
  private keys: Key[] = [rsaKey('first')];
  private server!: TlsServer;

  static async start(): Promise<TestProvider> {
    const provider = new TestProvider();
    provider.server = await startTlsServer((request, response) => {
      provider.asked.push(request.url ?? '');
      void provider.answer(request.url ?? '').then((content) => {
        response.writeHead(content && !provider.isDown ? 200 : 503, { 'content-type': 'application/json' });
        response.end(JSON.stringify(content ?? {}));
      });
    });
    return provider;
  }

  get url(): string {
    return this.server.url;
  }

  get ca(): string {
    return this.server.ca;
  }

  /** From now on others sign; the old keys are not published any more. */
  rotate(kid: string): void {
    this.keys = [rsaKey(kid)];
  }

  /** Publishes a further key, which signs nothing. */
  addKey(kid: string): void {
    this.keys.push(rsaKey(kid));
  }

  /** Good for ten minutes, of `jane` and for `kubernetes`, but for what is said otherwise. Undefined claims are left out. */
  token(claims: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}, key?: KeyObject): Promise<string> {
    const own = this.keys[0]!;
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.url, aud: 'kubernetes', sub: 'jane', iat: now, exp: now + 600, ...claims };
    const payload = JSON.parse(JSON.stringify(all)) as JWTPayload;
    return new SignJWT(payload).setProtectedHeader({ alg: own.alg, kid: own.kid, ...header }).sign(key ?? own.private);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.server[Symbol.asyncDispose]();
  }

  private async answer(path: string): Promise<object | undefined> {
    if (path === '/.well-known/openid-configuration') return { issuer: this.url, jwks_uri: `${this.url}/keys` };
    if (path !== '/keys') return undefined;
    const keys = this.keys.map(async ({ kid, alg, public: key }) => ({
      ...(await exportJWK(key)),
      kid,
      alg,
      use: 'sig',
    }));
    return { keys: await Promise.all(keys) };
  }
}

interface TokenReview {
  apiVersion: string;
  kind: string;
  spec: { token: string; audiences?: string[] };
}

/** A webhook that answers TokenReviews with what a test says. */
export class TestWebhook implements AsyncDisposable {
  readonly reviews: TokenReview[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** The answer's status; a number is an HTTP code. */
  answer: (token: string) => object | number = () => ({ authenticated: false });
  private server!: TlsServer;

  static async start(): Promise<TestWebhook> {
    const webhook = new TestWebhook();
    webhook.server = await startTlsServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const review = JSON.parse(body) as TokenReview;
      webhook.reviews.push(review);
      webhook.headers.push(request.headers);
      const answer = webhook.answer(review.spec.token);
      const code = typeof answer === 'number' ? answer : 200;
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(typeof answer === 'number' ? {} : { ...review, status: answer }));
    });
    return webhook;
  }

  /** Where it is, as kube-apiserver is told. */
  kubeconfig(): string {
    const data = Buffer.from(this.server.ca).toString('base64');
    return JSON.stringify({
      clusters: [
        { name: 'hook', cluster: { server: `${this.server.url}/authenticate`, 'certificate-authority-data': data } },
      ],
      users: [{ name: 'me', user: { token: 'secret-of-mine' } }],
      contexts: [{ name: 'hook', context: { cluster: 'hook', user: 'me' } }],
      'current-context': 'hook',
    });
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
