import { connect, createServer, type Socket } from 'node:net';
import { pipeline, Transform, type TransformCallback } from 'node:stream';

/** A TCP proxy whose faults a test switches on and off. */
export interface TestProxy extends AsyncDisposable {
  /** The target's URL with the proxy's address. */
  readonly url: string;
  /** Connections now open. */
  readonly connections: number;
  /** Connections so far. */
  readonly accepted: number;
  /** Resets every connection. New ones are let through. */
  cut(): void;
  /** Resets every connection once `bytes` more have come from the target. */
  cutAfter(bytes: number): void;
  /** Makes every present connection half-open: it stays, and its bytes vanish in both directions. New ones are let through. */
  blackHole(): void;
  /** To be changed at will. */
  readonly faults: ProxyFaults;
  close(): Promise<void>;
}

export interface ProxyFaults {
  /** New connections are reset at once. */
  refuse: boolean;
  /** How much later bytes arrive in each direction, in order. */
  delayMs: number;
}

/** Starts a proxy on a free port of the loopback in front of `target`, a URL with a port. TLS passes through it untouched. */
export async function startProxy(target: string): Promise<TestProxy> {
  const { protocol, hostname, port } = new URL(target);
  const faults: ProxyFaults = { refuse: false, delayMs: 0 };
  let accepted = 0;
  let cutAfterBytes = Number.POSITIVE_INFINITY;
  const sockets = new Set<Socket>();
  const pipes = new Set<FaultyPipe>();
  const cut = (): void => {
    cutAfterBytes = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const count = (bytes: number): void => {
    cutAfterBytes -= bytes;
    if (cutAfterBytes <= 0) cut();
  };

  const server = createServer({ noDelay: true }, (downstream) => {
    if (faults.refuse) return void downstream.resetAndDestroy();
    accepted++;
    const upstream = connect({ port: Number(port), host: hostname, noDelay: true });
    for (const socket of [downstream, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const upwards = new FaultyPipe(faults);
    const downwards = new FaultyPipe(faults, count);
    pipes.add(upwards).add(downwards);
    const end = (): void => {
      downstream.destroy();
      upstream.destroy();
      pipes.delete(upwards);
      pipes.delete(downwards);
    };
    pipeline(downstream, upwards, upstream, end);
    pipeline(upstream, downwards, downstream, end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: ownPort } = server.address() as { port: number };

  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  return {
    url: `${protocol}//127.0.0.1:${ownPort}`,
    get connections() {
      return sockets.size / 2;
    },
    get accepted() {
      return accepted;
    },
    cut,
    cutAfter(bytes) {
      cutAfterBytes = bytes;
    },
    blackHole() {
      for (const pipe of pipes) pipe.blackHole = true;
    },
    faults,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One direction of one connection. */
class FaultyPipe extends Transform {
  blackHole = false;
  readonly #faults: ProxyFaults;
  readonly #count: ((bytes: number) => void) | undefined;

  constructor(faults: ProxyFaults, count?: (bytes: number) => void) {
    super();
    this.#faults = faults;
    this.#count = count;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#count?.(chunk.length);
    if (this.blackHole) done();
    else if (this.#faults.delayMs > 0) setTimeout(() => done(null, chunk), this.#faults.delayMs);
    else done(null, chunk);
  }
}
