import { setImmediate as turn } from 'node:timers/promises';
import { Fields } from './fields.ts';

/** A schema of OpenAPI v3, or a reference to one, as far as ours go. */
interface SchemaV3 {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  default?: number | boolean | string | object;
  uniqueItems?: boolean;
  enum?: unknown[];
  required?: string[];
  allOf?: SchemaV3[];
  oneOf?: SchemaV3[];
  items?: SchemaV3;
  properties?: Record<string, SchemaV3>;
  additionalProperties?: SchemaV3;
}

type Content = Record<string, { schema: SchemaV3 }>;

interface ParameterV3 {
  name: string;
  in: string;
  description: string;
  required?: boolean;
  schema: SchemaV3;
}

interface OperationV3 {
  tags: string[];
  description: string;
  operationId: string;
  parameters?: ParameterV3[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

type PathV3 = { parameters: ParameterV3[] } & { [method in keyof typeof METHODS]?: OperationV3 };

interface DocumentV3 {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, PathV3>;
  components: {
    schemas: Record<string, SchemaV3>;
    securitySchemes: Record<string, { type: string; description: string; name: string; in: string }>;
  };
}

const METHODS = { get: 4, put: 5, post: 6, delete: 7, patch: 10 } as const;
/** How many parts are written before others get their turn; a part takes some tens of microseconds. */
const PARTS_PER_TURN = 32;

/**
 * The document that `documentV3` makes as `openapi.v3.Document` (OpenAPIv3.proto of gnostic). What may be a reference
 * is a message with one of two fields there. Of a default that is an object it only says that there is one.
 */
export async function protobufV3(json: Buffer): Promise<Buffer> {
  const { openapi, info, paths, components } = JSON.parse(json.toString()) as DocumentV3;
  const out = new Fields();
  let parts = 0;
  const each = async <T>(all: Record<string, T>, write: (name: string, one: T) => void): Promise<void> => {
    for (const [name, one] of Object.entries(all).toReversed()) {
      write(name, one);
      parts += 1;
      if (parts % PARTS_PER_TURN === 0) await turn();
    }
  };
  out.message(5, () =>
    out.message(7, () => out.map(1, components.securitySchemes, (scheme) => writeSecurityScheme(out, scheme))),
  );
  // Components and paths are one message each, which may come in pieces: decoders merge them.
  await each(components.schemas, (name, schema) =>
    out.message(5, () => out.message(1, () => out.named(1, name, () => writeSchemaOrReference(out, schema)))),
  );
  await each(paths, (name, path) => out.message(4, () => out.named(1, name, () => writePath(out, path))));
  out.message(2, () => {
    out.text(6, info.version);
    out.text(1, info.title);
  });
  out.text(1, openapi);
  return out.finish();
}

function writeSecurityScheme(out: Fields, scheme: DocumentV3['components']['securitySchemes'][string]): void {
  out.message(1, () => {
    out.text(4, scheme.in);
    out.text(3, scheme.name);
    out.text(2, scheme.description);
    out.text(1, scheme.type);
  });
}

function writeSchemaOrReference(out: Fields, schema: SchemaV3): void {
  if (schema.$ref) out.message(2, () => out.text(1, schema.$ref));
  else out.message(1, () => writeSchema(out, schema));
}

function writeSchema(out: Fields, schema: SchemaV3): void {
  const { additionalProperties, items, properties } = schema;
  const one = (part: SchemaV3): void => writeSchemaOrReference(out, part);
  out.extensions(36, schema);
  out.text(35, schema.format);
  out.text(34, schema.description);
  const absent = schema.default;
  if (absent !== undefined) {
    out.message(33, () => {
      if (typeof absent !== 'object') out.scalar(1, absent);
    });
  }
  if (additionalProperties) out.message(32, () => out.message(1, () => one(additionalProperties)));
  if (properties) out.message(31, () => out.map(1, properties, one));
  if (items) out.message(30, () => out.message(1, () => one(items)));
  out.messages(27, schema.oneOf ?? [], one);
  out.messages(26, schema.allOf ?? [], one);
  out.text(25, schema.type);
  out.messages(24, schema.enum ?? [], (value) => out.any(value));
  out.texts(23, schema.required);
  out.truth(20, schema.uniqueItems);
}

function writeParameter(out: Fields, { name, in: place, description, required, schema }: ParameterV3): void {
  out.message(1, () => {
    out.message(10, () => writeSchemaOrReference(out, schema));
    out.truth(4, required);
    out.text(3, description);
    out.text(2, place);
    out.text(1, name);
  });
}

const writeContent = (out: Fields, field: number, content: Content): void =>
  out.message(field, () =>
    out.map(1, content, ({ schema }) => out.message(1, () => writeSchemaOrReference(out, schema))),
  );

function writeOperation(out: Fields, operation: OperationV3): void {
  const { requestBody } = operation;
  out.extensions(13, operation);
  out.message(8, () =>
    out.map(2, operation.responses, ({ description, content }) =>
      out.message(1, () => {
        if (content) writeContent(out, 3, content);
        out.text(1, description);
      }),
    ),
  );
  if (requestBody) out.message(7, () => out.message(1, () => writeContent(out, 2, requestBody.content)));
  out.messages(6, operation.parameters ?? [], (parameter) => writeParameter(out, parameter));
  out.text(5, operation.operationId);
  out.text(3, operation.description);
  out.texts(1, operation.tags);
}

function writePath(out: Fields, path: PathV3): void {
  out.messages(13, path.parameters, (parameter) => writeParameter(out, parameter));
  for (const [method, field] of Object.entries(METHODS).toReversed()) {
    const operation = path[method as keyof typeof METHODS];
    if (operation) out.message(field, () => writeOperation(out, operation));
  }
}
