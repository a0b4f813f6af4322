import { createHash } from 'node:crypto';
import type { Kind } from '@periplus/api';
import { type GroupVersion, groupVersions, type ServedResource, type ServedSubresource } from './served-resources.ts';

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
  /** `/api` and `/apis` for clients that take everything in one document, by version of that document. */
  aggregatedCore: ReadonlyMap<string, Document>;
  aggregatedGroups: ReadonlyMap<string, Document>;
  /** `/apis/<group>`, by group. */
  group: ReadonlyMap<string, Document>;
  /** `/api/v1` and `/apis/<group>/<version>`, by "<group>/<version>". */
  resources: ReadonlyMap<string, Document>;
}

const AGGREGATED_GROUP = 'apidiscovery.k8s.io';
const AGGREGATED_KIND = 'APIGroupDiscoveryList';
/** What clients ask for with `as=...;v=...;g=...`; those before 1.30 know the second alone. They read the same. */
export const AGGREGATED = ['v2', 'v2beta1'].map((version) => ({
  group: AGGREGATED_GROUP,
  version,
  kind: AGGREGATED_KIND,
}));

const JSON_TYPE = 'application/json';

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

/** Changes when objects begin to be stored as another kind or version. */
function storageVersionHash({ storedAs, ...own }: Kind): string {
  const { group, version, kind } = storedAs?.kind ?? own;
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

const mainResource = ({ kind }: ServedResource) => ({
  name: kind.plural,
  singularName: kind.singular,
  namespaced: kind.namespaced,
  kind: kind.kind,
  verbs: [...kind.verbs].sort(),
  ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
  ...(kind.categories.length > 0 && { categories: kind.categories }),
  ...(kind.isStored && { storageVersionHash: storageVersionHash(kind) }),
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

function aggregated(groups: ReadonlyMap<string, readonly GroupVersion[]>): ReadonlyMap<string, Document> {
  const items = [...groups].map(([name, versions]) => ({
    metadata: name ? { name } : {},
    versions: versions.map(({ version, resources }) => ({
      version,
      resources: resources.map(aggregatedResource),
      freshness: 'Current',
    })),
  }));
  const list = { kind: AGGREGATED_KIND, metadata: {}, items };
  return new Map(
    AGGREGATED.map(({ group, version, kind }) => {
      const type = `${JSON_TYPE};g=${group};v=${version};as=${kind}`;
      return [version, document({ ...list, apiVersion: `${group}/${version}` }, type)];
    }),
  );
}

const aggregatedResource = ({ kind, subresources: all }: ServedResource) => ({
  resource: kind.plural,
  responseKind: responseKind(kind, kind),
  scope: kind.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: kind.singular,
  verbs: [...kind.verbs].sort(),
  ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
  ...(kind.categories.length > 0 && { categories: kind.categories }),
  ...(all.length > 0 && {
    subresources: all.map(({ name, answers, verbs }) => ({
      subresource: name,
      responseKind: responseKind(answers, kind),
      verbs,
    })),
  }),
});

/** Group and version are left out where they are those of the list. */
function responseKind(answers: ServedSubresource['answers'], { group, version }: Kind) {
  const isOwn = answers.group === group && answers.version === version;
  return { group: isOwn ? '' : answers.group, version: isOwn ? '' : answers.version, kind: answers.kind };
}
