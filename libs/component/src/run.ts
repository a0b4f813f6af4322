import { ConfigError } from './config.ts';
import { collectWhenSettled, tuneGarbageCollector } from './garbage-collector.ts';
import type { Logger } from './logger.ts';

/** A process that has not stopped by then is ended; what it had acknowledged is in etcd already. */
const STOP_MS_MAX = 15_000;

/**
 * Runs a process from start to its end. `start` resolves when the process serves, with the function that stops
 * it. SIGTERM or SIGINT stop it; a second signal, or 15 s, ends it at once. A failed start and a rejection that
 * nobody handles exit with 1, a bad configuration with 2.
 */
export async function runUntilSignal(
  log: Logger,
  start: (signal: AbortSignal) => Promise<() => Promise<void>>,
): Promise<void> {
  tuneGarbageCollector();
  const stopping = new AbortController();
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (stopping.signal.aborted) process.exit(1);
        stopping.abort();
        resolve(name);
      });
    }
  });
  process.on('unhandledRejection', (error) => {
    log.error({ error }, 'unhandled rejection');
    process.exit(1);
  });
  try {
    const stop = await start(stopping.signal);
    collectWhenSettled();
    log.info({ signal: await signalled }, 'stopping');
    setTimeout(() => {
      log.warn({ afterMs: STOP_MS_MAX }, 'did not stop in time');
      process.exit(1);
    }, STOP_MS_MAX).unref();
    await stop();
    log.info({}, 'stopped');
    process.exit(0);
  } catch (error) {
    if (stopping.signal.aborted) process.exit(0);
    if (error instanceof ConfigError) {
      log.error({}, `bad configuration: ${error.message}`);
      process.exit(2);
    }
    log.error({ error }, 'could not start');
    process.exit(1);
  }
}
