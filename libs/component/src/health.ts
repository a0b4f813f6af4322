import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

/** A named condition; its error message is shown on the page. */
export interface Check {
  name: string;
  /** Throws, or returns a reason, when the condition does not hold. */
  run(): string | undefined | Promise<string | undefined>;
}

export interface HealthPage {
  ok: boolean;
  /** As kube-apiserver's `?verbose` prints it: a line a check. */
  verbose: string;
}

export interface CheckOptions {
  /** Names of checks that don't count. */
  excluded?: readonly string[];
  /** For pages that everybody may read: what has failed, but not why. */
  withholdReasons?: boolean;
}

/** Why a condition does not hold; undefined when it does. */
export async function whyNot(check: Check): Promise<string | undefined> {
  try {
    return await check.run();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs the checks of an endpoint: "livez" or "readyz". */
export async function runChecks(
  endpoint: string,
  checks: readonly Check[],
  { excluded = [], withholdReasons = false }: CheckOptions = {},
): Promise<HealthPage> {
  const lines: string[] = [];
  let ok = true;
  for (const check of checks) {
    if (excluded.includes(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const reason = await whyNot(check);
    if (reason !== undefined) ok = false;
    const told = withholdReasons ? 'reason withheld' : reason;
    lines.push(reason === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${told}`);
  }
  const unknown = [...new Set(excluded)].filter((name) => !checks.some((check) => check.name === name)).sort();
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(',');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  lines.push(ok ? `${endpoint} check passed` : `${endpoint} check failed`);
  return { ok, verbose: `${lines.join('\n')}\n` };
}

/**
 * Serves /livez, /readyz, /healthz (all checks) and /metrics on plain HTTP. Meant for loopback: there is no
 * authentication. Port 0 takes a free one; the bound port is in the result.
 */
export async function serveHealth(options: {
  host?: string;
  port: number;
  live?: readonly Check[];
  ready: readonly Check[];
  metrics: Metrics;
}): Promise<{ port: number; close(): Promise<void> }> {
  const live = options.live ?? [];
  const endpoints: Record<string, readonly Check[]> = {
    livez: live,
    readyz: [...live, ...options.ready],
    healthz: [...live, ...options.ready],
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const name = url.pathname.slice(1);
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    if (name === 'metrics') {
      response.end(options.metrics.text());
      return;
    }
    const checks = endpoints[name];
    if (!checks) {
      response.writeHead(404).end('404 page not found\n');
      return;
    }
    void runChecks(name, checks).then((page) => {
      response.writeHead(page.ok ? 200 : 503);
      response.end(page.ok && !url.searchParams.has('verbose') ? 'ok' : page.verbose);
    });
  });
  await listening(server, options.port, options.host ?? '127.0.0.1');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listening = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
