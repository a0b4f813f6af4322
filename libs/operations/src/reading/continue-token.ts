import { badRequest, expired, StatusError } from '@periplus/apimachinery';

/** Where a list in pieces goes on: behind an object, in the cluster as it was at a revision. */
export interface ContinueToken {
  /** null: at whatever is the newest, since the first piece's revision is gone. */
  readonly revision: number | null;
  /** `[<namespace>/]<name>`. */
  readonly after: string;
}

const API = 'meta.k8s.io/v1';
/** What a token may hold at most: a namespace, a name and some framing. */
const TOKEN_CHARS_MAX = 2_048;
const NEWEST = -1;

export function writeContinueToken({ revision, after }: ContinueToken): string {
  const start = `${after}\0`;
  return Buffer.from(JSON.stringify({ v: API, rv: revision ?? NEWEST, start })).toString('base64url');
}

const notValid = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);

function decoded(token: string): unknown {
  if (token.length > TOKEN_CHARS_MAX || !/^[A-Za-z0-9_-]+$/.test(token)) throw notValid('illegal base64 data');
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw notValid('it is not JSON');
  }
}

/** Throws BadRequest for what this server cannot have issued. */
export function readContinueToken(token: string): ContinueToken {
  const value = decoded(token);
  if (typeof value !== 'object' || value === null) throw notValid('it is not an object');
  const { v, rv, start } = value as Record<string, unknown>;
  if (v !== API) throw notValid('server does not recognize this encoded version');
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < NEWEST) {
    throw notValid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || !/^[^\0]+\0$/.test(start)) {
    throw notValid('encoded start key empty (version meta.k8s.io/v1)');
  }
  return { revision: rv === NEWEST ? null : rv, after: start.slice(0, -1) };
}

const TOO_OLD = [
  'The provided continue parameter is too old to display a consistent list result.',
  'You can start a new list without the continue parameter, or use the continue token in this response to retrieve',
  'the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that',
  'were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
].join(' ');

/** 410 with a token that goes on in the cluster as it is now. */
export class ContinueExpired extends StatusError {
  readonly continue: string;

  constructor(token: ContinueToken) {
    super('Expired', TOO_OLD);
    this.continue = writeContinueToken({ ...token, revision: null });
  }

  override toStatus(): ReturnType<StatusError['toStatus']> {
    const status = super.toStatus();
    return { ...status, metadata: { continue: this.continue } as unknown as typeof status.metadata };
  }
}

export const goneRevision = () => expired('The resourceVersion for the provided list is too old.');
