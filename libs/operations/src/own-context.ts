import { randomUUID } from 'node:crypto';
import type { RequestContext, User } from './types.ts';

/** The api-server's own name in what it writes by itself. */
const API_SERVER: User = { name: 'system:apiserver', uid: '', groups: ['system:masters'], extra: {} };

/** What the api-server asks of itself. */
export const ownContext = (nowMs: number, fieldManager = 'kube-apiserver'): RequestContext => ({
  user: API_SERVER,
  requestId: randomUUID(),
  cause: null,
  dryRun: false,
  fieldManager,
  fieldValidation: 'Strict',
  warnings: [],
  nowMs,
});
