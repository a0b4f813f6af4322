import { createHash } from 'node:crypto';
import type { Kind } from '@periplus/api';
import { type GroupVersion, groupVersions, type ServedResource } from './served-resources.ts';

/** A document that is made once and sent as it is. */
export interface Document {
  body: Buffer;
  contentType: string;
  /** A strong ETag over the body, quoted. */
  etag: string;
}

/** All discovery documents of a set of kinds. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api */
export interface Discovery {
  /** `/api`. */
  legacyVersions(serverAddress: string): Document;
  /** `/apis`. */
  groups: Document;
  /** `/api` and `/apis` for clients that take everything in one document. */
  aggregatedCore: Document;
  aggregatedGroups: Document;
  /** `/apis/<group>`, by group. */
  group: ReadonlyMap<string, Document>;
  /** `/api/v1` and `/apis/<group>/<version>`, by "<group>/<version>". */
  resources: ReadonlyMap<string, Document>;
}

/** What clients ask for with `as=...;v=...;g=...`. */
export const AGGREGATED = { group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' } as const;

const JSON_TYPE = 'application/json';
const AGGREGATED_TYPE = `${JSON_TYPE};g=${AGGREGATED.group};v=${AGGREGATED.version};as=${AGGREGATED.kind}`;

export function document(content: unknown, contentType = JSON_TYPE): Document {
  const body = Buffer.from(`${JSON.stringify(content)}\n`);
  return { body, contentType, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
}

export function discoveryOf(kinds: readonly Kind[]): Discovery {
  const all = groupVersions(kinds);
  const core = all.filter(({ group }) => group === '');
  const named = Map.groupBy(
    all.filter(({ group }) => group !== ''),
    ({ group }) => group,
  );
  const groups = [...named].map(([name, versions]) => legacyGroup(name, versions));
  return {
    legacyVersions: (serverAddress) =>
      document({
        kind: 'APIVersions',
        versions: core.map(({ version }) => version),
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
      }),
    groups: document({ kind: 'APIGroupList', apiVersion: 'v1', groups }),
    aggregatedCore: aggregated(new Map([['', core]])),
    aggregatedGroups: aggregated(named),
    group: new Map(groups.map((group) => [group.name, document({ kind: 'APIGroup', apiVersion: 'v1', ...group })])),
    resources: new Map(all.map((one) => [`${one.group}/${one.version}`, legacyResources(one)])),
  };
}

function legacyGroup(name: string, versions: readonly GroupVersion[]) {
  const listed = versions.map(({ group, version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name, versions: listed, preferredVersion: listed[0] };
}

function legacyResources({ group, version, resources }: GroupVersion): Document {
  return document({
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' }),
    groupVersion: group ? `${group}/${version}` : version,
    resources: resources.flatMap((resource) => [mainResource(resource), ...subresources(resource)]),
  });
}

const mainResource = ({ kind }: ServedResource) => ({
  name: kind.plural,
  singularName: kind.singular,
  namespaced: kind.namespaced,
  kind: kind.kind,
  verbs: [...kind.verbs].sort(),
  ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
  ...(kind.categories.length > 0 && { categories: kind.categories }),
});

const subresources = ({ kind, subresources: all }: ServedResource) =>
  all.map(({ name, answers, verbs }) => ({
    name: `${kind.plural}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...((answers.group !== kind.group || answers.version !== kind.version) && {
      group: answers.group,
      version: answers.version,
    }),
    kind: answers.kind,
    verbs,
  }));

function aggregated(groups: ReadonlyMap<string, readonly GroupVersion[]>): Document {
  const items = [...groups].map(([name, versions]) => ({
    metadata: { ...(name && { name }), creationTimestamp: null },
    versions: versions.map(({ version, resources }) => ({
      version,
      resources: resources.map(aggregatedResource),
      freshness: 'Current',
    })),
  }));
  const apiVersion = `${AGGREGATED.group}/${AGGREGATED.version}`;
  return document({ kind: AGGREGATED.kind, apiVersion, metadata: {}, items }, AGGREGATED_TYPE);
}

const aggregatedResource = ({ kind, subresources: all }: ServedResource) => ({
  resource: kind.plural,
  responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
  scope: kind.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: kind.singular,
  verbs: [...kind.verbs].sort(),
  ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
  ...(kind.categories.length > 0 && { categories: kind.categories }),
  ...(all.length > 0 && {
    subresources: all.map(({ name, answers, verbs }) => ({ subresource: name, responseKind: answers, verbs })),
  }),
});
