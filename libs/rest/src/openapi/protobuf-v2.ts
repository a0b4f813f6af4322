import { INFO, type OperationV2, type ParameterV2, type PathV2, type SchemaV2, type WriterV2 } from './document-v2.ts';
import { Fields } from './fields.ts';
import { SECURITY } from './words.ts';

const METHODS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;
/**
 * Writes the document as `openapi.v2.Document` (OpenAPIv2.proto of gnostic), which is what client-go asks for. A map
 * is a list of messages with name and value there, a union is a message with one field, and a value of any type is
 * YAML, of which JSON is a part.
 */
export function protobufWriter(): WriterV2 {
  const out = new Fields();
  return {
    // Paths and definitions are one message each, which may come in pieces: decoders merge them.
    path: (name, path) => out.message(8, () => out.named(2, name, () => writePath(out, path))),
    definition: (name, schema) => out.message(9, () => out.named(1, name, () => writeSchema(out, schema))),
    end() {
      out.message(13, () => out.named(1, 'BearerToken', () => writeApiKey(out)));
      out.message(12, () => out.named(1, 'BearerToken', () => undefined));
      out.message(2, () => {
        out.text(2, INFO.version);
        out.text(1, INFO.title);
      });
      out.text(1, '2.0');
      return out.finish();
    },
  };
}

function writeSchema(out: Fields, schema: SchemaV2): void {
  const { additionalProperties, type, items, properties } = schema;
  out.extensions(31, schema);
  if (properties) out.message(25, () => out.map(1, properties, (value) => writeSchema(out, value)));
  if (items) out.message(23, () => out.message(1, () => writeSchema(out, items)));
  if (type) out.message(22, () => out.text(1, type));
  if (additionalProperties) {
    out.message(21, () => out.message(1, () => writeSchema(out, additionalProperties)));
  }
  out.messages(20, schema.enum ?? [], (value) => out.any(value));
  out.texts(19, schema.required);
  out.text(4, schema.description);
  out.text(2, schema.format);
  out.text(1, schema.$ref);
}

function writeParameter(out: Fields, parameter: ParameterV2): void {
  const { in: place, name, description, required, type, uniqueItems, schema } = parameter;
  out.message(1, () => {
    if (schema) {
      out.message(1, () => {
        out.message(5, () => writeSchema(out, schema));
        out.truth(4, required);
        out.text(3, place);
        out.text(2, name);
        out.text(1, description);
      });
      return;
    }
    const isQuery = place === 'query';
    out.message(2, () =>
      out.message(isQuery ? 3 : 4, () => {
        out.truth(isQuery ? 20 : 19, uniqueItems);
        out.text(isQuery ? 6 : 5, type);
        out.text(4, name);
        out.text(3, description);
        out.text(2, place);
        out.truth(1, required);
      }),
    );
  });
}

function writeOperation(out: Fields, operation: OperationV2): void {
  out.extensions(13, operation);
  out.texts(10, operation.schemes);
  out.message(9, () =>
    out.map(1, operation.responses, ({ description, schema }) =>
      out.message(1, () => {
        if (schema) out.message(2, () => out.message(1, () => writeSchema(out, schema)));
        out.text(1, description);
      }),
    ),
  );
  out.messages(8, operation.parameters, (parameter) => writeParameter(out, parameter));
  out.texts(7, operation.consumes);
  out.texts(6, operation.produces);
  out.text(5, operation.operationId);
  out.text(3, operation.description);
  out.texts(1, operation.tags);
}

function writePath(out: Fields, path: PathV2): void {
  out.messages(9, path.parameters, (parameter) => writeParameter(out, parameter));
  for (const [method, field] of Object.entries(METHODS).toReversed()) {
    const operation = path[method as keyof typeof METHODS];
    if (operation) out.message(field, () => writeOperation(out, operation));
  }
}

function writeApiKey(out: Fields): void {
  out.message(2, () => {
    out.text(4, SECURITY.description);
    out.text(3, SECURITY.in);
    out.text(2, SECURITY.name);
    out.text(1, SECURITY.type);
  });
}
