import { status } from '@grpc/grpc-js';
import { badRequest, invalid, notFound, StatusError } from '@periplus/apimachinery';
import { decodeStatusDetails, STATUS_DETAILS_METADATA } from '@periplus/proto';
import { describe, expect, it } from 'vitest';
import { callError } from './call-error.ts';

const statusOf = (error: ReturnType<typeof callError>) =>
  decodeStatusDetails(error.metadata.get(STATUS_DETAILS_METADATA)[0] as Buffer);

describe('callError', () => {
  it('carries the Status beside the code', () => {
    const error = callError(notFound({ group: '', resource: 'pods' }, 'web'));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'pods "web" not found' });
    expect(statusOf(error)).toMatchObject({ reason: 'NotFound', details: { name: 'web', kind: 'pods' } });
  });

  it('leaves out the causes of a Status that is too long for metadata', () => {
    const causes = Array.from({ length: 100 }, (_, i) => ({
      field: `spec.containers[${i}].name`,
      reason: 'FieldValueRequired' as const,
      message: 'Required value: every container has one',
    }));
    const error = callError(invalid({ group: '', kind: 'Pod' }, 'web', causes));
    expect(statusOf(error)).toMatchObject({ reason: 'Invalid', details: { name: 'web', kind: 'Pod' } });
    expect((error.metadata.get(STATUS_DETAILS_METADATA)[0] as Buffer).length).toBeLessThan(4_096);
  });

  it('has no half characters, whoever halved them', () => {
    const halves = callError(badRequest('no \ud800 kind'));
    const cut = callError(badRequest(`${'x'.repeat(1023)}\u{1f600}`));
    for (const { details } of [halves, cut]) expect(() => encodeURI(details)).not.toThrow();
    expect(halves.details).toBe('no \ufffd kind');
  });

  it('tells what nobody expected as an internal error', () => {
    expect(callError(new TypeError('x is not a function'))).toMatchObject({
      code: status.INTERNAL,
      details: 'Internal error occurred: x is not a function',
    });
    expect(callError(badRequest('no')).code).toBe(status.INVALID_ARGUMENT);
    expect(callError(new StatusError('Expired', 'too old')).code).toBe(status.OUT_OF_RANGE);
  });
});
