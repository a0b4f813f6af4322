import { describe, expect, it } from 'vitest';
import { decodeStatusDetails, encodeStatusDetails } from './status-details.ts';

describe('the details of a failed call', () => {
  it('carry a Kubernetes Status', () => {
    const status = {
      ...{ status: 'Failure', message: 'no', reason: 'Invalid', code: 422 },
      details: { name: 'web', kind: 'Pod', causes: [{ field: 'spec', message: 'wrong' }], retryAfterSeconds: 3 },
    };
    expect(decodeStatusDetails(encodeStatusDetails(3, 'no', status))).toEqual(status);
  });

  it('are laid out as gRPC and Kubernetes have them', () => {
    const bytes = encodeStatusDetails(5, 'm', { reason: 'NotFound', details: { uid: 'u', retryAfterSeconds: 1 } });
    const type = 'type.googleapis.com/k8s.io.apimachinery.pkg.apis.meta.v1.Status';
    const value = Buffer.concat([
      Buffer.from([0x22, 8]),
      Buffer.from('NotFound'),
      Buffer.from([0x2a, 5, 0x28, 1, 0x32, 1]),
      Buffer.from('u'),
    ]);
    const any = Buffer.concat([
      Buffer.from([0x0a, type.length]),
      Buffer.from(type),
      Buffer.from([0x12, value.length]),
      value,
    ]);
    expect(bytes).toEqual(
      Buffer.concat([Buffer.from([0x08, 5, 0x12, 1]), Buffer.from('m'), Buffer.from([0x1a, any.length]), any]),
    );
  });

  it('may be something else, or nothing that can be read', () => {
    expect(decodeStatusDetails(Buffer.from([0x08, 5]))).toBeUndefined();
    expect(decodeStatusDetails(Buffer.from('what?'))).toBeUndefined();
  });
});
