import { type handleBidiStreamingCall, status } from '@grpc/grpc-js';
import { descriptors, type grpcProto } from '@periplus/proto';

type Request = grpcProto.reflection.v1.ServerReflectionRequest.$Properties;
type Response = grpcProto.reflection.v1.ServerReflectionResponse.$Properties;

/**
 * Tells generic clients what the server offers: `services` by full name, each described in a proto file of
 * `proto/`. https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function reflectionHandlers(services: readonly string[]) {
  const fileOf = symbolFiles();
  const serverReflectionInfo: handleBidiStreamingCall<Request, Response> = (call) => {
    call.on('data', (request: Request) => {
      const answer = answerTo(request, services, fileOf);
      call.write({ validHost: request.host ?? '', originalRequest: request, ...answer });
    });
    call.on('end', () => call.end());
  };
  return { serverReflectionInfo };
}

/** Which file describes a service or message, by full name. */
export const symbolFiles = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(descriptors).flatMap(([file, { services, messages }]) =>
      [...services, ...messages].map((name) => [name, file] as const),
    ),
  );

export function answerTo(request: Request, services: readonly string[], fileOf: ReadonlyMap<string, string>): Response {
  if (request.listServices != null) {
    return { listServicesResponse: { service: services.map((name) => ({ name })) } };
  }
  if (request.fileByFilename) return filesFrom(request.fileByFilename);
  if (request.fileContainingSymbol) return filesFrom(fileOfSymbol(request.fileContainingSymbol, fileOf));
  if (request.allExtensionNumbersOfType) {
    return { allExtensionNumbersResponse: { baseTypeName: request.allExtensionNumbersOfType, extensionNumber: [] } };
  }
  return notFound('extension not found');
}

/** A method or a field is found through the service or message that it is part of. */
function fileOfSymbol(symbol: string, fileOf: ReadonlyMap<string, string>): string | undefined {
  for (let name = symbol; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const file = fileOf.get(name);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** The file and everything that it imports. */
function filesFrom(file: string | undefined): Response {
  if (file === undefined || !Object.hasOwn(descriptors, file)) return notFound('file or symbol not found');
  const wanted = new Set([file]);
  for (const name of wanted) for (const imported of descriptors[name]?.imports ?? []) wanted.add(imported);
  const found = [...wanted].map((name) => Buffer.from(descriptors[name]?.descriptor ?? '', 'base64'));
  return { fileDescriptorResponse: { fileDescriptorProto: found } };
}

const notFound = (message: string): Response => ({
  errorResponse: { errorCode: status.NOT_FOUND, errorMessage: message },
});
