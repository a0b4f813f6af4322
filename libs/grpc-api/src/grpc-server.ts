import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Logger } from '@periplus/component';
import { healthService, reflectionService } from '@periplus/proto';
import { Health } from './health.ts';
import { reflectionHandlers } from './reflection.ts';
import { type ResourcesDeps, resourcesHandlers, servedResources } from './resources.ts';

/** The largest object, with room for what is around it in a message. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** After this, calls that are still open are cut. */
const CLOSE_MS_MAX = 5_000;

/** A further service beside those of this library. */
export interface GrpcService {
  /** Full name: "etcdserverpb.KV". */
  name: string;
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export interface GrpcDeps extends ResourcesDeps {
  log: Logger;
  /** PEM. Callers must show a certificate of `clientAuthority`. */
  tls: { cert: Buffer; key: Buffer; clientAuthority: Buffer };
  host: string;
  /** 0 takes a free one. */
  port: number;
  services?: readonly GrpcService[];
}

export interface GrpcServer {
  port: number;
  /** Takes no more calls, lets those that are open end (5 s at most), then closes. End watches first. */
  close(): Promise<void>;
}

/** Serves the cluster's gRPC API: Resources, health, reflection and what is handed in. Resolves when it listens. */
export async function startGrpcServer(deps: GrpcDeps): Promise<GrpcServer> {
  const { cert, key, clientAuthority } = deps.tls;
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const services: GrpcService[] = [
    { name: 'periplus.api.v1.Resources', definition: servedResources, implementation: resourcesHandlers(deps) },
    ...(deps.services ?? []),
  ];
  const health = new Health(services.map(({ name }) => name));
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  server.addService(healthService, health.handlers());
  const shown = [...services.map(({ name }) => name), 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'];
  server.addService(reflectionService, reflectionHandlers(shown));
  const credentials = ServerCredentials.createSsl(clientAuthority, [{ cert_chain: cert, private_key: key }], true);
  const port = await bind(server, `${deps.host}:${deps.port}`, credentials);
  return { port, close: () => close(server, health, deps.log) };
}

const bind = (server: Server, address: string, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });

function close(server: Server, health: Health, log: Logger): Promise<void> {
  health.stop();
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      log.warn({ afterMs: CLOSE_MS_MAX }, 'gRPC calls were still open and have been cut');
      server.forceShutdown();
    }, CLOSE_MS_MAX);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
