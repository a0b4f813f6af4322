import { WireWriter } from '../wire-writer.ts';
import { INFO, type OperationV2, type ParameterV2, type PathV2, type SchemaV2, type WriterV2 } from './document-v2.ts';
import { SECURITY } from './words.ts';

const METHODS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

/**
 * Writes the document as `openapi.v2.Document` (OpenAPIv2.proto of gnostic), which is what client-go asks for. A map
 * is a list of messages with name and value there, a union is a message with one field, and a value of any type is
 * YAML, of which JSON is a part.
 */
export function protobufWriter(): WriterV2 {
  const out = new WireWriter();
  out.text(1, '2.0');
  out.message(2, () => {
    out.text(1, INFO.title);
    out.text(2, INFO.version);
  });
  return {
    // Paths and definitions are one message each, which may come in pieces: decoders merge them.
    path: (name, path) => out.message(8, () => named(out, 2, name, () => writePath(out, path))),
    definition: (name, schema) => out.message(9, () => named(out, 1, name, () => writeSchema(out, schema))),
    end() {
      out.message(12, () => named(out, 1, 'BearerToken', () => undefined));
      out.message(13, () => named(out, 1, 'BearerToken', () => writeApiKey(out)));
      return out.end();
    },
  };
}

/** A member of a map. */
function named(out: WireWriter, field: number, name: string, writeValue: () => void): void {
  out.message(field, () => {
    out.text(1, name);
    out.message(2, writeValue);
  });
}

function writeExtensions(out: WireWriter, field: number, of: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(of)) {
    if (name.startsWith('x-')) named(out, field, name, () => out.text(2, JSON.stringify(value)));
  }
}

function writeSchema(out: WireWriter, schema: SchemaV2): void {
  const { additionalProperties, type, items, properties } = schema;
  out.text(1, schema.$ref);
  out.text(2, schema.format);
  out.text(4, schema.description);
  for (const name of schema.required ?? []) out.item(19, name);
  for (const value of schema.enum ?? []) out.message(20, () => out.text(2, JSON.stringify(value)));
  if (additionalProperties) {
    out.message(21, () => out.message(1, () => writeSchema(out, additionalProperties)));
  }
  if (type) out.message(22, () => out.text(1, type));
  if (items) out.message(23, () => out.message(1, () => writeSchema(out, items)));
  if (properties) {
    out.message(25, () => {
      for (const [name, value] of Object.entries(properties)) named(out, 1, name, () => writeSchema(out, value));
    });
  }
  writeExtensions(out, 31, schema as Record<string, unknown>);
}

function writeParameter(out: WireWriter, parameter: ParameterV2): void {
  const { in: place, name, description, required, type, uniqueItems, schema } = parameter;
  out.message(1, () => {
    if (schema) {
      out.message(1, () => {
        out.text(1, description);
        out.text(2, name);
        out.text(3, place);
        out.truth(4, required);
        out.message(5, () => writeSchema(out, schema));
      });
      return;
    }
    const isQuery = place === 'query';
    out.message(2, () =>
      out.message(isQuery ? 3 : 4, () => {
        out.truth(1, required);
        out.text(2, place);
        out.text(3, description);
        out.text(4, name);
        out.text(isQuery ? 6 : 5, type);
        out.truth(isQuery ? 20 : 19, uniqueItems);
      }),
    );
  });
}

function writeOperation(out: WireWriter, operation: OperationV2): void {
  for (const tag of operation.tags) out.item(1, tag);
  out.text(3, operation.description);
  out.text(5, operation.operationId);
  for (const type of operation.produces) out.item(6, type);
  for (const type of operation.consumes) out.item(7, type);
  for (const parameter of operation.parameters) out.message(8, () => writeParameter(out, parameter));
  out.message(9, () => {
    for (const [code, { description, schema }] of Object.entries(operation.responses)) {
      named(out, 1, code, () =>
        out.message(1, () => {
          out.text(1, description);
          if (schema) out.message(2, () => out.message(1, () => writeSchema(out, schema)));
        }),
      );
    }
  });
  for (const scheme of operation.schemes) out.item(10, scheme);
  writeExtensions(out, 13, operation as unknown as Record<string, unknown>);
}

function writePath(out: WireWriter, path: PathV2): void {
  for (const [method, field] of Object.entries(METHODS)) {
    const operation = path[method as keyof typeof METHODS];
    if (operation) out.message(field, () => writeOperation(out, operation));
  }
  for (const parameter of path.parameters) out.message(9, () => writeParameter(out, parameter));
}

function writeApiKey(out: WireWriter): void {
  out.message(2, () => {
    out.text(1, SECURITY.type);
    out.text(2, SECURITY.name);
    out.text(3, SECURITY.in);
    out.text(4, SECURITY.description);
  });
}
