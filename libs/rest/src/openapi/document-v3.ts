import type { Definitions } from '@periplus/api';
import type { GroupVersion } from '../served-resources.ts';
import { VERSION } from '../version.ts';
import { addressesOf, type Operation, tagOf } from './operations.ts';
import type { Parameter } from './parameters.ts';
import { SECURITY, wordOf } from './words.ts';

const REFERENCE = '"#/components/schemas/';

/**
 * The OpenAPI v3 document of one version of a group, as JSON: what can be done at which address, and the schemas of
 * everything that is sent there and back. https://spec.openapis.org/oas/v3.0.0
 */
export function documentV3(groupVersion: GroupVersion, definitions: Definitions): Buffer {
  const tag = tagOf(groupVersion);
  const paths: Record<string, unknown> = {};
  for (const { path, parameters, operations } of addressesOf(groupVersion)) {
    const described = operations.map((one) => [one.method, operationV3(one, tag, definitions)]);
    paths[path] = { ...Object.fromEntries(described), parameters: parameters.map(parameterV3) };
  }
  const info = { title: 'Kubernetes', version: VERSION.gitVersion };
  const head = Buffer.from(JSON.stringify({ openapi: '3.0.0', info, paths }));
  const security = JSON.stringify({ BearerToken: SECURITY });
  return Buffer.concat([
    head.subarray(0, -1),
    Buffer.from(',"components":{"schemas":{'),
    ...componentsOf(head, definitions),
    Buffer.from(`},"securitySchemes":${security}}}`),
  ]);
}

const parameterV3 = ({ name, in: place, type, description, required }: Parameter) => ({
  name,
  in: place,
  description,
  ...(required && { required }),
  schema: { type, uniqueItems: true },
});

function operationV3(operation: Operation, tag: string, definitions: Definitions) {
  const { takes, consumes, answers, produces, codes, parameters } = operation;
  const content = (types: readonly string[], id: string) =>
    Object.fromEntries(types.map((type) => [type, { schema: schemaOf(id, definitions) }]));
  return {
    tags: [tag],
    description: operation.description,
    operationId: operation.id,
    ...(parameters.length > 0 && { parameters: parameters.map(parameterV3) }),
    ...(takes && { requestBody: { content: content(consumes, takes) } }),
    responses: {
      ...Object.fromEntries(
        codes.map((code) => [code, { description: wordOf(code), content: content(produces, answers) }]),
      ),
      '401': { description: wordOf(401) },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.of,
  };
}

function schemaOf(id: string, { byId }: Definitions) {
  if (id === '') return { type: 'string' };
  const definition = byId.get(id);
  return definition ? { $ref: `#/components/schemas/${definition.name}` } : { type: 'object' };
}

/** The definitions that a text refers to, and those that these refer to, as members of an object, by name. */
function componentsOf(text: Buffer, { byName }: Definitions): Buffer[] {
  const found = new Map<string, Buffer>();
  const look = (json: Buffer): void => {
    for (const name of referencesIn(json)) {
      if (found.has(name)) continue;
      const definition = byName.get(name);
      if (!definition) throw new Error(`OpenAPI refers to ${name}, which is not defined`);
      found.set(name, definition.json);
      look(definition.json);
    }
  };
  look(text);
  return [...found.keys()]
    .sort()
    .flatMap((name, at) => [Buffer.from(`${at > 0 ? ',' : ''}"${name}":`), found.get(name)!]);
}

/** Names of definitions. Searched for in bytes: the texts are long, and would be as long again as strings. */
function* referencesIn(json: Buffer): Generator<string> {
  for (let at = json.indexOf(REFERENCE); at >= 0; at = json.indexOf(REFERENCE, at)) {
    const start = at + REFERENCE.length;
    at = json.indexOf('"', start);
    yield json.toString('latin1', start, at);
  }
}
