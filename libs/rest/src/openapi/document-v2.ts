import { setImmediate as turn } from 'node:timers/promises';
import type { Definitions } from '@periplus/api';
import type { GroupVersion } from '../served-resources.ts';
import { VERSION } from '../version.ts';
import { type Address, addressesOf, type Operation, tagOf } from './operations.ts';
import type { Parameter } from './parameters.ts';
import { SECURITY, wordOf } from './words.ts';

/** A schema of OpenAPI v2, as far as ours go. */
export interface SchemaV2 {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  enum?: string[];
  required?: string[];
  items?: SchemaV2;
  properties?: Record<string, SchemaV2>;
  additionalProperties?: SchemaV2;
  [extension: `x-${string}`]: unknown;
}

export interface ParameterV2 {
  name: string;
  in: 'path' | 'query' | 'body';
  type?: string;
  description?: string;
  required?: boolean;
  uniqueItems?: boolean;
  schema?: SchemaV2;
}

export interface OperationV2 {
  consumes: readonly string[];
  description: string;
  operationId: string;
  parameters: readonly ParameterV2[];
  produces: readonly string[];
  responses: Readonly<Record<string, { description: string; schema?: SchemaV2 }>>;
  schemes: readonly string[];
  tags: readonly string[];
  [extension: `x-${string}`]: unknown;
}

export interface PathV2 {
  parameters: readonly ParameterV2[];
  get?: OperationV2;
  put?: OperationV2;
  post?: OperationV2;
  delete?: OperationV2;
  patch?: OperationV2;
}

export const INFO = { title: 'Kubernetes', version: VERSION.gitVersion } as const;

/** Writes one form of the document, part by part. */
export interface WriterV2 {
  path(path: string, item: PathV2): void;
  definition(name: string, schema: SchemaV2): void;
  end(): Buffer;
}

/** How many parts are written before others get their turn; a part takes some tens of microseconds. */
const PARTS_PER_TURN = 32;

/** The OpenAPI v2 document of everything: all addresses and all definitions. https://spec.openapis.org/oas/v2.0 */
export async function documentV2(
  groupVersions: readonly GroupVersion[],
  definitions: Definitions,
  writer: WriterV2,
): Promise<Buffer> {
  let parts = 0;
  const rest = async (): Promise<void> => {
    parts += 1;
    if (parts % PARTS_PER_TURN === 0) await turn();
  };
  for (const groupVersion of groupVersions) {
    const tag = tagOf(groupVersion);
    for (const address of addressesOf(groupVersion)) {
      writer.path(address.path, pathV2(address, tag, definitions));
      await rest();
    }
  }
  for (const { name, json } of definitions.byName.values()) {
    writer.definition(name, schemaV2(JSON.parse(json.toString()) as SchemaV3));
    await rest();
  }
  return writer.end();
}

/** The document as JSON. */
export function jsonWriter(): WriterV2 {
  const paths: Buffer[] = [];
  const definitions: Buffer[] = [];
  const member = (name: string, value: unknown): string => `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  const add = (to: Buffer[], name: string, value: unknown): void => {
    to.push(Buffer.from(`${to.length > 0 ? ',' : ''}${member(name, value)}`));
  };
  return {
    path: (path, item) => add(paths, path, item),
    definition: (name, schema) => add(definitions, name, schema),
    end() {
      const security = `${member('securityDefinitions', { BearerToken: SECURITY })},"security":[{"BearerToken":[]}]`;
      return Buffer.concat([
        Buffer.from(`{"swagger":"2.0",${member('info', INFO)},"paths":{`),
        ...paths,
        Buffer.from('},"definitions":{'),
        ...definitions,
        Buffer.from(`},${security}}`),
      ]);
    },
  };
}

interface SchemaV3 extends Omit<SchemaV2, 'items' | 'properties' | 'additionalProperties'> {
  allOf?: [SchemaV3];
  oneOf?: SchemaV3[];
  default?: unknown;
  items?: SchemaV3;
  properties?: Record<string, SchemaV3>;
  additionalProperties?: SchemaV3;
}

/** Without what v2 does not know: alternatives (quantities are strings then), and defaults, which old clients misread. */
function schemaV2({ allOf, oneOf, default: _, items, properties, additionalProperties, ...rest }: SchemaV3): SchemaV2 {
  const schema: SchemaV2 = rest;
  const reference = allOf?.[0].$ref ?? rest.$ref;
  if (reference) schema.$ref = reference.replace('#/components/schemas/', '#/definitions/');
  if (oneOf) schema.type = 'string';
  if (items) schema.items = schemaV2(items);
  if (additionalProperties) schema.additionalProperties = schemaV2(additionalProperties);
  if (properties) {
    schema.properties = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, schemaV2(value)]));
  }
  return schema;
}

const parameterV2 = ({ name, in: place, type, description, required }: Parameter): ParameterV2 => ({
  name,
  in: place,
  type,
  description,
  ...(required && { required }),
  uniqueItems: true,
});

const pathV2 = ({ parameters, operations }: Address, tag: string, definitions: Definitions): PathV2 => ({
  ...Object.fromEntries(operations.map((one) => [one.method, operationV2(one, tag, definitions)])),
  parameters: parameters.map(parameterV2),
});

function operationV2(operation: Operation, tag: string, definitions: Definitions): OperationV2 {
  const { takes, answers, codes } = operation;
  const body: ParameterV2[] = takes
    ? [
        {
          name: 'body',
          in: 'body',
          required: !takes.endsWith('DeleteOptions'),
          schema: referenceTo(takes, definitions),
        },
      ]
    : [];
  const answer = answers ? referenceTo(answers, definitions) : { type: 'string' };
  return {
    consumes: operation.consumes,
    description: operation.description,
    operationId: operation.id,
    parameters: [...body, ...operation.parameters.map(parameterV2)],
    produces: operation.produces,
    responses: {
      ...Object.fromEntries(codes.map((code) => [code, { description: wordOf(code), schema: answer }])),
      '401': { description: wordOf(401) },
    },
    schemes: ['https'],
    tags: [tag],
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.of,
  };
}

function referenceTo(id: string, { byId }: Definitions): SchemaV2 {
  const definition = byId.get(id);
  return definition ? { $ref: `#/definitions/${definition.name}` } : { type: 'object' };
}
