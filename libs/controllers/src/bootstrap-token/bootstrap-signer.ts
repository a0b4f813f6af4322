import { createHmac } from 'node:crypto';
import { configMap } from '@periplus/api';
import { type Controller, defineController, idle, watchRule } from '@periplus/reconcile';
import { ANSWER_SOON_MS } from '../enquiry.ts';
import { ALL_TOKENS, signingPart, type TokenEnquiry, tokenChanges, tokensIn } from './bootstrap-tokens.ts';

const NAMESPACE = 'kube-public';
const NAME = 'cluster-info';
const CONTENT = 'kubeconfig';
const SIGNATURE = 'jws-kubeconfig-';

const encoded = (text: string): string => Buffer.from(text).toString('base64url');

/** A JSON web signature whose payload stands elsewhere. RFC 7515, appendix F. */
export function detachedSignature(content: string, key: { id: string; secret: string }): string {
  const header = encoded(JSON.stringify({ alg: 'HS256', kid: key.id }));
  const signature = createHmac('sha256', key.secret)
    .update(`${header}.${encoded(content)}`)
    .digest('base64url');
  return `${header}..${signature}`;
}

/**
 * Signs what is told to everybody of the cluster with each bootstrap token: who has one knows by it that he is told the
 * truth. https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#configmap-signing
 */
export const bootstrapSigner = (ask: TokenEnquiry): Controller =>
  defineController({
    name: 'bootstrapsigner',
    for: null,
    watches: [
      tokenChanges,
      watchRule(
        configMap,
        () => [ALL_TOKENS],
        ({ entry: { key } }) => key.namespace === NAMESPACE && key.name === NAME,
      ),
    ],
    reconcile(_ref, view) {
      const info = view.get(configMap, NAMESPACE, NAME);
      const content = info?.data?.[CONTENT];
      if (!info?.data || content === undefined || info.metadata.deletionTimestamp) return idle;
      const tokens = tokensIn(view, ask);
      if (!tokens) return { steps: [], lookAgainMs: ANSWER_SOON_MS };
      const data: Record<string, string | null> = {};
      for (const name in info.data) if (name.startsWith(SIGNATURE)) data[name] = null;
      for (const token of tokens) {
        const key = signingPart(token, view.nowMs);
        if (key) data[SIGNATURE + key.id] = detachedSignature(content, key);
      }
      for (const name in data) if (data[name] === info.data[name]) delete data[name];
      if (Object.keys(data).length === 0) return idle;
      const { resourceVersion: ifResourceVersion } = info.metadata;
      const target = { kind: configMap, namespace: NAMESPACE, name: NAME, ifResourceVersion };
      return { steps: [[{ ...target, verb: 'patch', type: 'merge', patch: { data } }]] };
    },
  });
