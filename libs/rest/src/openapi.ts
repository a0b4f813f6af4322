import type { Kind } from '@periplus/api';
import { type Document, document } from './discovery.ts';
import { type GroupVersion, groupVersions } from './served-resources.ts';
import { VERSION } from './version.ts';

/**
 * OpenAPI v3 as far as clients need it to talk: the patch operation of every kind with its query parameters,
 * from which kubectl learns that the server validates fields itself. Schemas are not in it.
 */
export interface OpenApi {
  /** `/openapi/v3`. */
  index: Document;
  /** `/openapi/v3/<path>`, by path: "api/v1", "apis/apps/v1". */
  documents: ReadonlyMap<string, Document>;
}

export function openApiOf(kinds: readonly Kind[]): OpenApi {
  const documents = new Map<string, Document>();
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const groupVersion of groupVersions(kinds)) {
    const { group, version } = groupVersion;
    const path = group ? `apis/${group}/${version}` : `api/${version}`;
    const content = document(describe(groupVersion, `/${path}`));
    documents.set(path, content);
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${content.etag.slice(1, -1)}` };
  }
  return { index: document({ paths }), documents };
}

const describe = ({ resources }: GroupVersion, root: string) => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: VERSION.gitVersion },
  paths: Object.fromEntries(
    resources
      .filter(({ kind }) => kind.verbs.includes('patch'))
      .map(({ kind }) => [
        `${root}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}/{name}`,
        { patch: patchOperation(kind) },
      ]),
  ),
});

const patchOperation = ({ group, version, kind, namespaced }: Kind) => ({
  operationId: `patch_${group}_${version}${namespaced ? '_Namespaced' : '_'}${kind}`,
  parameters: ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  })),
  responses: { '200': { description: 'OK' } },
  'x-kubernetes-action': 'patch',
  'x-kubernetes-group-version-kind': { group, version, kind },
});
