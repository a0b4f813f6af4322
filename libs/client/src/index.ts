/** Commands to the api-server. `types.ts` is the contract. */
export type { Command, CommandCause, CommandClient, CommandOutcome } from './types.ts';
// openCommandClient(options: { target: 'host:port'; tls: { ca, cert, key }; ... }): CommandClient
// openResourceClient(...): get, list, watch over gRPC
