import { grpc as messages } from '../generated/grpc.js';
import { method } from './service.ts';

const health = messages.health.v1;
const reflection = messages.reflection.v1;

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const healthService = {
  check: method('/grpc.health.v1.Health/Check', health.HealthCheckRequest, health.HealthCheckResponse),
  watch: method('/grpc.health.v1.Health/Watch', health.HealthCheckRequest, health.HealthCheckResponse, {
    response: true,
  }),
} as const;

/** https://github.com/grpc/grpc/blob/master/doc/server-reflection.md */
export const reflectionService = {
  serverReflectionInfo: method(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    reflection.ServerReflectionRequest,
    reflection.ServerReflectionResponse,
    { request: true, response: true },
  ),
} as const;
