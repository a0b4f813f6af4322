import {
  type ConfigMap,
  configMap,
  type Pod,
  pod,
  type Secret,
  type ServiceAccount,
  secret,
  serviceAccount,
} from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { legacyTokenCleaner, type SecretEnquiry } from './legacy-token-cleaner.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const LAST_USED = 'kubernetes.io/legacy-token-last-used';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const KEY = { namespace: 'shop', name: 'bot-token' };

let sim: Simulation;
/** What of the Secret is sealed, as the api-server answers it. Undefined: not answered yet. */
let annotations: Record<string, string> | undefined;
const ask: SecretEnquiry = (_key, { namespace, name }) => {
  const found = sim.cluster.truth().get(secret, namespace, name)!;
  return annotations && { ...found, metadata: { ...found.metadata, annotations } };
};
const cleaner = legacyTokenCleaner(ask, { unusedMs: YEAR_MS });
const look = () => cleaner.reconcile(KEY, sim.cluster.view());
const labels = () => sim.cluster.view().get(secret, 'shop', 'bot-token')?.metadata.labels;
const daysAgo = (days: number): string => new Date(sim.cluster.nowMs - days * DAY_MS).toISOString();
const dayAgo = (days: number): string => daysAgo(days).slice(0, 10);

function track(since: string): void {
  const metadata = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' };
  sim.cluster.put<ConfigMap>(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { since } });
}
function account(secrets: string[]): void {
  sim.cluster.put<ServiceAccount>(serviceAccount, {
    ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'bot', uid: 'bot-uid' } },
    secrets: secrets.map((name) => ({ name })),
  });
}
function token(more: Record<string, string> = {}, createdDaysAgo = 800): void {
  sim.cluster.put<Secret>(secret, {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token' },
    metadata: { ...KEY, labels: more, creationTimestamp: daysAgo(createdDaysAgo) },
  });
}

beforeEach(() => {
  sim = new Simulation();
  annotations = { 'kubernetes.io/service-account.name': 'bot', 'kubernetes.io/service-account.uid': 'bot-uid' };
  track(dayAgo(400));
  account(['bot-token']);
});

describe('a token that nobody used for long', () => {
  it('is marked, and deleted after as long again', () => {
    token();
    sim.execute(look());
    expect(labels()).toEqual({ [INVALID_SINCE]: dayAgo(0) });
    sim.advance(YEAR_MS);
    expect(look()).toEqual({ steps: [], lookAgainMs: DAY_MS });
    sim.advance(DAY_MS);
    sim.execute(look());
    expect(labels()).toBeUndefined();
  });

  it('is left alone as soon as it is used again', () => {
    token();
    sim.execute(look());
    sim.advance(YEAR_MS + DAY_MS);
    token({ ...labels(), [LAST_USED]: dayAgo(10) });
    expect(look()).toEqual({ steps: [], lookAgainMs: DAY_MS });
  });

  it('is marked anew when its mark cannot be read', () => {
    token({ [INVALID_SINCE]: 'long-ago' });
    sim.execute(look());
    expect(labels()).toEqual({ [INVALID_SINCE]: dayAgo(0) });
  });

  it('is marked when its last use is long ago', () => {
    token({ [LAST_USED]: dayAgo(366) });
    sim.execute(look());
    expect(labels()).toHaveProperty([INVALID_SINCE]);
  });

  it('waits until it is known whose it is', () => {
    token();
    annotations = undefined;
    expect(look()).toEqual({ steps: [], lookAgainMs: 50 });
  });
});

describe('left alone is', () => {
  const mounted: Pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: 'p' } },
    spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 'bot-token' } }] },
  };
  it.each<[string, () => void]>([
    ['what was used within the time', () => token({ [LAST_USED]: dayAgo(365) })],
    ['what was used nobody knows when', () => token({ [LAST_USED]: 'yesterday' })],
    ['what was made within the time', () => token({}, 364)],
    [
      'what a pod mounts',
      () => {
        token();
        sim.cluster.put(pod, mounted);
      },
    ],
    [
      'what somebody made by hand',
      () => {
        token();
        account(['other']);
      },
    ],
    [
      'what is the token of another account',
      () => {
        token();
        annotations = { 'kubernetes.io/service-account.name': 'other' };
      },
    ],
    [
      'what was the token of an account of the same name',
      () => {
        token();
        annotations = { ...annotations, 'kubernetes.io/service-account.uid': 'before' };
      },
    ],
    [
      'every token before uses were noted for long enough',
      () => {
        token();
        track(dayAgo(365));
      },
    ],
    [
      'every token when nobody knows since when uses are noted',
      () => {
        token();
        track('always');
      },
    ],
  ])('%s', (_what, given) => {
    given();
    expect(look()).toEqual({ steps: [], lookAgainMs: DAY_MS });
  });
});
