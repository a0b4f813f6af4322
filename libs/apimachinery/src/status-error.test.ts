import { describe, expect, test } from 'vitest';
import { at } from './field-error.ts';
import {
  alreadyExists,
  forbidden,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  isExpired,
  isNotFound,
  isRetriable,
  methodNotAllowed,
  methodNotSupported,
  notAcceptable,
  notFound,
  pathNotFound,
  rejectedRequest,
  requestEntityTooLarge,
  StatusError,
  serverTimeout,
  serviceUnavailable,
  staleVersion,
  timeout,
  tooManyRequests,
  unsupportedMediaType,
} from './status-error.ts';

const pods = { group: '', resource: 'pods' };
const deployments = { group: 'apps', resource: 'deployments' };

test.each<[StatusError, number, string]>([
  [notFound(pods, 'a'), 404, 'pods "a" not found'],
  [notFound(deployments, 'a'), 404, 'deployments.apps "a" not found'],
  [pathNotFound(), 404, 'the server could not find the requested resource'],
  [alreadyExists(pods, 'a'), 409, 'pods "a" already exists'],
  [
    generateNameConflict(pods, 'a-x', 1),
    409,
    'pods "a-x" already exists, the server was not able to generate a unique name for the object',
  ],
  [
    staleVersion(deployments, 'a'),
    409,
    'Operation cannot be fulfilled on deployments.apps "a": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [forbidden(pods, '', 'no'), 403, 'pods is forbidden: no'],
  [forbidden(pods, 'a', 'no'), 403, 'pods "a" is forbidden: no'],
  [methodNotSupported(deployments, 'patch'), 405, 'patch is not supported on resources of kind "deployments.apps"'],
  [methodNotAllowed(), 405, 'the server does not allow this method on the requested resource'],
  [notAcceptable(['a/b', 'c/d']), 406, 'only the following media types are accepted: a/b, c/d'],
  [
    unsupportedMediaType(['a/b', 'c/d']),
    415,
    'the body of the request was in an unknown format - accepted media types include: a/b, c/d',
  ],
  [requestEntityTooLarge('limit is 3145728'), 413, 'Request entity too large: limit is 3145728'],
  [tooManyRequests('slow down', 1), 429, 'slow down'],
  [timeout('request did not complete', 3), 504, 'Timeout: request did not complete'],
  [
    serverTimeout(pods, 'create', 2),
    500,
    'The create operation against pods could not be completed at this time, please try again.',
  ],
  [serviceUnavailable('not yet'), 503, 'not yet'],
  [gone('gone'), 410, 'gone'],
  [internalError('oh'), 500, 'Internal error occurred: oh'],
  [rejectedRequest('test failed'), 422, 'the server rejected our request due to an error in our request'],
])('%s', (error, code, message) => {
  expect(error).toMatchObject({ code, message });
  expect(error.toStatus()).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message });
  expect(StatusError.fromStatus(error.toStatus()).toStatus()).toEqual(error.toStatus());
});

describe('an invalid object', () => {
  const kind = { group: 'apps', kind: 'Deployment' };

  test('with one wrong field names it', () => {
    expect(
      invalid(kind, 'a', [at('spec', 'replicas').invalid(-1, 'must be greater than or equal to 0')]).toStatus(),
    ).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Deployment.apps "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      reason: 'Invalid',
      details: {
        name: 'a',
        group: 'apps',
        kind: 'Deployment',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: -1: must be greater than or equal to 0',
            field: 'spec.replicas',
          },
        ],
      },
      code: 422,
    });
  });

  test('with several lists each message once', () => {
    const errors = [at('a').required(), at('b').forbidden('no'), at('a').required()];
    expect(invalid(kind, 'x', errors).message).toBe(
      'Deployment.apps "x" is invalid: [a: Required value, b: Forbidden: no]',
    );
    expect(invalid(kind, 'x', []).message).toBe('Deployment.apps "x" is invalid');
  });
});

test('errors are told apart by reason', () => {
  expect(isNotFound(notFound(pods, 'a'))).toBe(true);
  expect(isNotFound(new Error('not found'))).toBe(false);
  expect(isExpired(gone('x'))).toBe(true);
  expect(isRetriable(tooManyRequests('x', 1))).toBe(true);
  expect(isRetriable(notFound(pods, 'a'))).toBe(false);
});

test('a status with an unknown reason is an internal error', () => {
  const status = { ...notFound(pods, 'a').toStatus(), reason: 'toString' as 'NotFound' };
  expect(StatusError.fromStatus(status).reason).toBe('InternalError');
});
