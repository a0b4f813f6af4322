import { descriptors } from '@periplus/proto';
import { describe, expect, it } from 'vitest';
import { answerTo, symbolFiles } from './reflection.ts';

const services = ['periplus.api.v1.Resources', 'grpc.health.v1.Health'];
const ask = (request: Parameters<typeof answerTo>[0]) => answerTo(request, services, symbolFiles());
const bytesOf = (file: string) => Buffer.from(descriptors[file]!.descriptor, 'base64');

describe('reflection', () => {
  it('lists what is served', () => {
    expect(ask({ listServices: '' })).toEqual({
      listServicesResponse: { service: services.map((name) => ({ name })) },
    });
  });

  it('finds a file by what it describes, with everything that it imports', () => {
    const files = [bytesOf('periplus/api/v1/resources.proto'), bytesOf('periplus/store/v1/record.proto')];
    for (const symbol of ['periplus.api.v1.Resources', 'periplus.api.v1.Resources.Get', 'periplus.api.v1.Command']) {
      expect(ask({ fileContainingSymbol: symbol })).toEqual({ fileDescriptorResponse: { fileDescriptorProto: files } });
    }
    expect(ask({ fileByFilename: 'grpc/health/v1/health.proto' })).toEqual({
      fileDescriptorResponse: { fileDescriptorProto: [bytesOf('grpc/health/v1/health.proto')] },
    });
  });

  it('says what it does not know', () => {
    expect(ask({ fileContainingSymbol: 'no.such.Service' }).errorResponse).toMatchObject({ errorCode: 5 });
    expect(ask({ fileByFilename: 'constructor' }).errorResponse).toMatchObject({ errorCode: 5 });
  });
});
