import { createServer, type Server } from 'node:net';

/** Somebody else is faster each time: he takes all ports that there are. */
const ATTEMPTS_MAX = 1_000;

/** Whether a server may listen there, on every address of the machine. */
function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/**
 * Whether the port is free and this process has it from now on: until it ends, no other `up` on this machine takes the
 * port, long before a server listens there. Only Linux can tell; elsewhere two that start at once may both have it.
 */
export async function takePort(port: number): Promise<boolean> {
  const claim = await claimed(port);
  if (!claim) return false;
  if (await isPortFree(port)) return true;
  claim.close();
  return false;
}

/** A name in the kernel that only one process can listen at, and that is gone when the process is. */
function claimed(port: number): Promise<Server | undefined> {
  const server = createServer().unref();
  if (process.platform !== 'linux') return Promise.resolve(server);
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(`\0periplus-port-${port}`, () => resolve(server));
  });
}

/** Takes a port that nobody else has, and that is none of `others`. */
export async function takeAnyPort(others: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });
    if (!others.has(port) && (await takePort(port))) return port;
  }
  throw new Error('no port is free');
}
