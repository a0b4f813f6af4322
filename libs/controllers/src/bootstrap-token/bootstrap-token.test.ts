import { type ConfigMap, configMap, type Secret, secret } from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { bootstrapSigner, detachedSignature } from './bootstrap-signer.ts';
import { ALL_TOKENS, type TokenEnquiry } from './bootstrap-tokens.ts';
import { tokenCleaner } from './token-cleaner.ts';

const HOUR_MS = 3_600_000;
const KUBECONFIG = 'apiVersion: v1\nkind: Config\n';
const PART = '0123456789abcdef';

let sim: Simulation;
let isAnswered: boolean;
/** What the api-server answers: the Secrets as they are. */
const ask: TokenEnquiry = () =>
  isAnswered
    ? sim.cluster
        .truth()
        .list(secret)
        .filter(({ type }) => type?.startsWith('bootstrap'))
    : undefined;
const [cleaner, signer] = [tokenCleaner(ask), bootstrapSigner(ask)];

function put(id: string, more: Record<string, string> = {}, name = `bootstrap-token-${id}`): void {
  const data = { 'token-id': id, 'token-secret': PART, 'usage-bootstrap-signing': 'true', ...more };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  sim.cluster.put<Secret>(secret, {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'bootstrap.kubernetes.io/token' },
    metadata: { namespace: 'kube-system', name },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
  });
}
const inHours = (hours: number): string => new Date(sim.cluster.nowMs + hours * HOUR_MS).toISOString();
const publish = (data: Record<string, string>): void => {
  const metadata = { namespace: 'kube-public', name: 'cluster-info' };
  sim.cluster.put<ConfigMap>(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
};
const published = () => sim.cluster.view().get(configMap, 'kube-public', 'cluster-info')!.data!;

beforeEach(() => {
  sim = new Simulation();
  isAnswered = true;
});

describe('bootstrap tokens', () => {
  const left = () =>
    sim.cluster
      .view()
      .list(secret)
      .map(({ metadata }) => metadata.name?.slice(-6));

  it('go when their time is over', () => {
    put('aaaaaa', { expiration: inHours(1) });
    put('bbbbbb', { expiration: inHours(3) });
    put('cccccc');
    expect(cleaner.reconcile(ALL_TOKENS, sim.cluster.view())).toEqual({ steps: [], lookAgainMs: HOUR_MS });
    sim.advance(HOUR_MS);
    const plan = cleaner.reconcile(ALL_TOKENS, sim.cluster.view());
    expect(plan.lookAgainMs).toBe(2 * HOUR_MS);
    sim.execute(plan);
    expect(left()).toEqual(['bbbbbb', 'cccccc']);
    sim.advance(2 * HOUR_MS);
    sim.reconcile(cleaner, ALL_TOKENS);
    expect(left()).toEqual(['cccccc']);
    expect(cleaner.reconcile(ALL_TOKENS, sim.cluster.view())).toEqual({ steps: [] });
  });

  it('go at once when nobody can tell when that is', () => {
    put('aaaaaa', { expiration: 'tomorrow' });
    sim.reconcile(cleaner, ALL_TOKENS);
    expect(left()).toEqual([]);
  });

  it('stay until it is known what they say', () => {
    put('aaaaaa', { expiration: inHours(-1) });
    isAnswered = false;
    expect(cleaner.reconcile(ALL_TOKENS, sim.cluster.view())).toEqual({ steps: [], lookAgainMs: 50 });
  });
});

describe('what is told of the cluster', () => {
  it('is signed as Kubernetes does it', () => {
    // As Kubernetes' documentation shows it: the header is that of the token 07401b.
    const [header, payload, signature] = detachedSignature(KUBECONFIG, { id: '07401b', secret: PART }).split('.');
    expect([header, payload]).toEqual(['eyJhbGciOiJIUzI1NiIsImtpZCI6IjA3NDAxYiJ9', '']);
    expect(signature).toHaveLength(43);
  });

  it('has the signature of each token that signs, and of no other', () => {
    publish({ kubeconfig: KUBECONFIG, 'jws-kubeconfig-gone00': 'old', 'jws-kubeconfig-aaaaaa': 'wrong', more: 'kept' });
    put('aaaaaa');
    put('bbbbbb', { 'usage-bootstrap-signing': 'false' });
    put('cccccc', { expiration: inHours(-1) });
    put('dddddd', {}, 'bootstrap-token-eeeeee');
    put('ffffff', { 'token-secret': '' });
    put('gggggg', { expiration: inHours(1) });
    sim.reconcile(signer, ALL_TOKENS);
    const signed = (id: string): string => detachedSignature(KUBECONFIG, { id, secret: PART });
    expect(published()).toEqual({
      ...{ kubeconfig: KUBECONFIG, more: 'kept' },
      ...{ 'jws-kubeconfig-aaaaaa': signed('aaaaaa'), 'jws-kubeconfig-gggggg': signed('gggggg') },
    });
    expect(signer.reconcile(ALL_TOKENS, sim.cluster.view())).toEqual({ steps: [] });
  });

  it('is signed again when it changes, and left alone where it tells nothing', () => {
    put('aaaaaa');
    publish({ kubeconfig: 'other' });
    sim.reconcile(signer, ALL_TOKENS);
    const before = published()['jws-kubeconfig-aaaaaa'];
    publish({ ...published(), kubeconfig: KUBECONFIG });
    sim.reconcile(signer, ALL_TOKENS);
    expect(published()['jws-kubeconfig-aaaaaa']).not.toBe(before);
    publish({ more: 'kept' });
    expect(signer.reconcile(ALL_TOKENS, sim.cluster.view())).toEqual({ steps: [] });
  });
});
