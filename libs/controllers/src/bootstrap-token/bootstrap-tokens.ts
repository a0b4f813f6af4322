import { type Secret, secret } from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { ResourceClient } from '@periplus/client';
import { watchRule } from '@periplus/reconcile';
import { type Enquiry, enquiry } from '../enquiry.ts';

const NAMESPACE = 'kube-system';
const TYPE = 'bootstrap.kubernetes.io/token';
const NAME = /^bootstrap-token-([a-z0-9]{6})$/;

/** The controllers of bootstrap tokens look at all of them together. */
export const ALL_TOKENS = { namespace: NAMESPACE, name: '' };

/** The Secrets of bootstrap tokens as the api-server reads them: in the view their payload is sealed. */
export type TokenEnquiry = Enquiry<null, readonly DeepReadonly<Secret>[]>;

export const tokenEnquiry = (resources: ResourceClient): TokenEnquiry =>
  enquiry(async () => (await resources.list(secret, NAMESPACE, { fieldSelector: `type=${TYPE}` })).items);

/** A Secret of a token comes, changes or goes. */
export const tokenChanges = watchRule(
  secret,
  () => [ALL_TOKENS],
  ({ entry }) => entry.key.namespace === NAMESPACE && entry.mentions(JSON.stringify(TYPE)),
);

/** All that `view` shows, with their payload. Undefined: not answered yet. */
export function tokensIn(view: View, ask: TokenEnquiry): readonly DeepReadonly<Secret>[] | undefined {
  const shown = view.list(secret, NAMESPACE).filter(({ type }) => type === TYPE);
  if (shown.length === 0) return [];
  return ask(shown.map(({ metadata: { uid, resourceVersion } }) => `${uid}/${resourceVersion}`).join(), null);
}

const entryOf = ({ data = {} }: DeepReadonly<Secret>, key: string): string =>
  Buffer.from(data[key] ?? '', 'base64').toString();

/** When a token ends, milliseconds since the epoch: never when it names no time, long since when that cannot be read. */
export function endMs(token: DeepReadonly<Secret>): number {
  const expiration = entryOf(token, 'expiration');
  return expiration === '' ? Number.POSITIVE_INFINITY : (parseTime(expiration) ?? 0);
}

/** What a token signs with; undefined when it is not for signing, or not any more. */
export function signingPart(token: DeepReadonly<Secret>, nowMs: number): { id: string; secret: string } | undefined {
  const [, id] = NAME.exec(token.metadata.name ?? '') ?? [];
  const part = entryOf(token, 'token-secret');
  if (id === undefined || id !== entryOf(token, 'token-id') || part === '' || endMs(token) <= nowMs) return undefined;
  return entryOf(token, 'usage-bootstrap-signing') === 'true' ? { id, secret: part } : undefined;
}
