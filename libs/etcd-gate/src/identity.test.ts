import type { PeerCertificate } from 'node:tls';
import { expect, test } from 'vitest';
import { identityOfCertificate } from './identity.ts';

const certificate = (CN: unknown, O?: unknown) => ({ subject: { CN, O } }) as unknown as PeerCertificate;

test.for([
  [certificate('system:node:a', 'system:nodes'), { node: 'a' }],
  [certificate('system:node:a.b-c.example', ['x', 'system:nodes']), { node: 'a.b-c.example' }],
  [certificate('sim', 'system:masters'), { everyNode: true }],
  [certificate('system:node:a', 'nodes'), undefined],
  [certificate('system:node:a'), undefined],
  [certificate('system:node:', 'system:nodes'), undefined],
  [certificate('system:node:A', 'system:nodes'), undefined],
  [certificate('system:node:a/b', 'system:nodes'), undefined],
  [certificate(`system:node:${'a'.repeat(254)}`, 'system:nodes'), undefined],
  [certificate(['system:node:a', 'system:node:b'], 'system:nodes'), undefined],
  [certificate(undefined), undefined],
  [undefined, undefined],
] as const)('%j is %j', ([peer, identity]) => {
  expect(identityOfCertificate(peer as PeerCertificate | undefined)).toEqual(identity);
});
