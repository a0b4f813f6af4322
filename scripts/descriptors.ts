import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import descriptor, { type IDescriptorProto, type IFileDescriptorProto } from 'protobufjs/ext/descriptor.js';

/**
 * A module with the descriptors of proto files, which gRPC server reflection serves: file name to imports, full
 * names of services and messages, and the serialized FileDescriptorProto in base64. Each file has its own package.
 */
export function descriptorsOf(folder: string, files: readonly string[]): string {
  const entries = files.map((source) => {
    const path = source.replace(/^proto\//, '');
    const { package: name, imports } = protobuf.parse(readFileSync(join(folder, path), 'utf8'));
    if (!name) throw new Error(`${source} names no package`);
    const file = { ...packageDescriptor(folder, path, name), name: path, dependency: imports ?? [] };
    const full = (messages: readonly { name?: string | null }[] | null | undefined): string[] =>
      (messages ?? []).map((message) => `${name}.${message.name}`);
    return [
      path,
      {
        imports: imports ?? [],
        services: full(file.service),
        messages: full(file.messageType),
        descriptor: Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()).toString('base64'),
      },
    ];
  });
  return `export const descriptors = ${JSON.stringify(Object.fromEntries(entries), null, 2)};\n`;
}

function packageDescriptor(folder: string, path: string, name: string): IFileDescriptorProto {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith(folder) ? target : join(folder, target));
  root.loadSync(path);
  root.resolveAll();
  const found = root.toDescriptor('proto3').file?.find((file) => file.package === name);
  if (!found) throw new Error(`${path} has no descriptor`);
  for (const message of found.messageType ?? []) qualifyFields(root, name, message);
  for (const service of found.service ?? []) {
    for (const method of service.method ?? []) {
      method.inputType = fullName(root, name, method.inputType!);
      method.outputType = fullName(root, name, method.outputType!);
    }
  }
  return found;
}

/** Readers of descriptors expect full names, ".periplus.store.v1.Cause"; protobufjs keeps what the file says. */
function qualifyFields(root: protobuf.Root, scope: string, message: IDescriptorProto): void {
  const own = `${scope}.${message.name}`;
  for (const field of message.field ?? []) {
    if (field.typeName) field.typeName = fullName(root, own, field.typeName);
  }
  for (const nested of message.nestedType ?? []) qualifyFields(root, own, nested);
}

function fullName(root: protobuf.Root, scope: string, name: string): string {
  const around = root.lookup(scope) as protobuf.NamespaceBase | null;
  const found = around?.lookup(name);
  if (!found) throw new Error(`${name} is unknown in ${scope}`);
  return found.fullName;
}
