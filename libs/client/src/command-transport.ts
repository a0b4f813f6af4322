import type { apiProto } from '@periplus/proto';
import { resourcesService } from '@periplus/proto';
import { callError } from './call-error.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { CommandMessage } from './encode-command.ts';

export type ResultMessage = apiProto.api.v1.CommandResult.$Properties;

/** What a stream tells its user. After `onLost` it says nothing more. */
export interface StreamHandlers {
  /** The stream stands: commands may be written. */
  onOpen(): void;
  onResults(results: readonly ResultMessage[]): void;
  /** What a full buffer held back has left. */
  onDrain(): void;
  /** Nothing more will come. Commands written and not answered have an unknown outcome. */
  onLost(error: Error): void;
}

export interface CommandTransport {
  open(handlers: StreamHandlers): { write(commands: CommandMessage[]): boolean; end(): void };
  close(): void;
}

/** How long one attempt to reach an api-server may take before the next target is tried. */
const CONNECT_TIMEOUT_MS = 3_000;

/** The Commands call of the Resources service. */
export function grpcTransport(options: ConnectionOptions): CommandTransport {
  const connection = new Connection(options);
  return {
    close: () => connection.close(),
    open(handlers) {
      const { client } = connection;
      let over = false;
      let call: ReturnType<typeof openCall> | undefined;
      const lost = (error: Error): void => {
        if (over) return;
        over = true;
        call?.cancel();
        connection.failover(client);
        handlers.onLost(error);
      };
      const openCall = () => {
        const { path, requestSerialize, responseDeserialize } = resourcesService.commands;
        const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
        stream.on('data', (batch) => handlers.onResults(batch.results ?? []));
        stream.on('drain', () => handlers.onDrain());
        stream.on('error', (error) => lost(callError(error as Parameters<typeof callError>[0])));
        stream.on('end', () => lost(new Error('the api-server ended the stream')));
        return stream;
      };
      // Only a connection that stands gets commands: what never left this process is not an unknown outcome.
      client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => {
        if (over) return;
        if (error) {
          lost(error);
          return;
        }
        call = openCall();
        handlers.onOpen();
      });
      return {
        write: (commands) => call?.write({ commands }) ?? false,
        end: () => {
          over = true;
          call?.end();
        },
      };
    },
  };
}
