import type { PeerCertificate } from 'node:tls';

/** Who speaks to the gate: a node for itself, or a simulation for every node. */
export type GateIdentity = { node: string } | { everyNode: true };

/** What is known of the caller of a gRPC call. */
export interface GatePeer {
  address: string;
  /** Verified against the cluster's authority by the server. */
  certificate: PeerCertificate | undefined;
}

const NODE_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';
const ADMINS_GROUP = 'system:masters';
const NODE_NAME_CHARS_MAX = 253;
/** RFC 1123 subdomains: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const NODE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * A node by its certificate (CN=system:node:NAME, O=system:nodes), as the Node authorizer knows it, and a member of
 * system:masters as every node. https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
export function identityOfCertificate(certificate: PeerCertificate | undefined): GateIdentity | undefined {
  const { CN: commonName, O: organizations } = (certificate?.subject ?? {}) as Record<
    string,
    string | string[] | undefined
  >;
  const groups = [organizations ?? []].flat();
  if (groups.includes(ADMINS_GROUP)) return { everyNode: true };
  if (typeof commonName !== 'string' || !commonName.startsWith(NODE_PREFIX) || !groups.includes(NODES_GROUP)) return;
  const node = commonName.slice(NODE_PREFIX.length);
  return node.length <= NODE_NAME_CHARS_MAX && NODE_NAME.test(node) ? { node } : undefined;
}

/** For logs, and to tell identities apart. */
export const nameOf = (identity: GateIdentity): string => ('node' in identity ? `node ${identity.node}` : 'every node');
