import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  createServer,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** Requests under way on one connection; clients open another one for more. As kube-apiserver. */
const STREAMS_MAX = 250;
/** What all streams of a connection may hold together, in megabytes: watches whose client is slow, and bodies. */
const SESSION_MEGABYTES_MAX = 64;
/** Received ahead of what was read, for each stream. */
const WINDOW_BYTES = 256 * 1024;
const HEADER_PAIRS_MAX = 200;
/** Streams that a client may open and take back at once, and per second ever after, before it is cut off. CVE-2023-44487 */
const RESETS_AT_ONCE_MAX = 1_000;
const RESETS_PER_SECOND_MAX = 33;
/** Frames that make no sense, and streams beyond STREAMS_MAX, before the connection is cut off. */
const INVALID_FRAMES_MAX = 100;
const REJECTED_STREAMS_MAX = 100;

export interface Http2Limits {
  headerBytesMax: number;
  /** A connection without requests is kept this long. */
  idleMsMax: number;
}

/** As `http.Server` has it. */
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

type RequestClass = new (
  ...of: ConstructorParameters<typeof Http2ServerRequest>
) => Pick<Http2ServerRequest, 'stream' | 'rawHeaders' | 'readableEnded'>;
type ResponseClass = new (
  stream: ServerHttp2Stream,
  options: object,
) => Pick<Http2ServerResponse, 'end'> & { readonly stream: ServerHttp2Stream | undefined };

/** A request that tells of itself what one of HTTP/1.1 does. */
class StreamRequest extends (Http2ServerRequest as unknown as RequestClass) {
  readonly #stream = this.stream;
  readonly #socket = this.stream.session!.socket;

  /** All requests of a connection have the same one. */
  get socket() {
    return this.#socket;
  }

  /** Whether its end has come, not just that nothing more will. */
  get complete(): boolean {
    return this.#stream.endAfterHeaders || (this.readableEnded && !this.#stream.closed);
  }

  get headersDistinct(): Record<string, string[]> {
    const all: Record<string, string[]> = {};
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      const name = this.rawHeaders[i]!.toLowerCase();
      all[name] ??= [];
      all[name].push(this.rawHeaders[i + 1]!);
    }
    return all;
  }
}

/** A response that says whether its client is gone, and has no socket that it could write past its stream. */
class StreamResponse extends (Http2ServerResponse as unknown as ResponseClass) {
  get destroyed(): boolean {
    return this.stream === undefined || this.stream.destroyed;
  }

  get socket(): null {
    return null;
  }
}

/**
 * HTTP/2 beside HTTP/1.1 on the port of `server`, as the client chooses in its TLS handshake. Whoever chooses HTTP/1.1
 * is handed to the server's own parser, which costs nothing more than before; `handle` sees the same kind of request
 * and response from both.
 */
export class Http2Connections {
  private readonly http2: Http2Server;
  private readonly sessions = new Set<ServerHttp2Session>();

  constructor(server: Server, limits: Http2Limits, handle: Handler) {
    this.http2 = createServer(
      {
        maxHeaderListPairs: HEADER_PAIRS_MAX,
        maxSessionMemory: SESSION_MEGABYTES_MAX,
        maxSessionInvalidFrames: INVALID_FRAMES_MAX,
        maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
        streamResetBurst: RESETS_AT_ONCE_MAX,
        streamResetRate: RESETS_PER_SECOND_MAX,
        settings: {
          maxConcurrentStreams: STREAMS_MAX,
          maxHeaderListSize: limits.headerBytesMax,
          initialWindowSize: WINDOW_BYTES,
          enablePush: false,
        },
        Http2ServerRequest: StreamRequest as unknown as typeof Http2ServerRequest,
        Http2ServerResponse: StreamResponse as unknown as typeof Http2ServerResponse,
      },
      (request, response) => {
        request.stream.once('finish', () => stopReceiving(request));
        handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
      },
    );
    this.http2.on('session', (session) => this.keep(session, limits.idleMsMax));
    this.http2.on('sessionError', () => undefined);
    const [http1] = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
    server.removeAllListeners('secureConnection').on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') this.http2.emit('connection', socket);
      else http1!.call(server, socket);
    });
  }

  /** Tells clients to take no more streams; each connection ends with its last one. */
  close(): void {
    for (const session of this.sessions) session.close();
  }

  destroy(): void {
    for (const session of this.sessions) session.destroy();
  }

  private keep(session: ServerHttp2Session, idleMsMax: number): void {
    let streams = 0;
    this.sessions.add(session);
    session.on('close', () => this.sessions.delete(session));
    session.on('stream', (stream) => {
      streams++;
      stream.once('close', () => streams--);
    });
    // A watch may be silent for long; a connection without any request may not.
    session.setTimeout(idleMsMax, () => {
      if (streams === 0) session.close();
    });
  }
}

/** What a client goes on sending after its answer is not received any more. */
function stopReceiving({ complete, stream }: Http2ServerRequest): void {
  if (!complete) stream.close(constants.NGHTTP2_NO_ERROR);
}
