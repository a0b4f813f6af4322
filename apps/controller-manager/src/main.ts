import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createLogger, readConfig, runUntilSignal, serveHealth } from '@periplus/component';
import { lead, runWhile } from '@periplus/reconcile';
import { Keys } from '@periplus/store';
import { appModule, CACHE, COMMANDS, ETCD, LOG, METRICS, RESOURCES, RUNTIME, USAGE } from './app.module.ts';
import { controllerManagerConfig } from './config.ts';

await runUntilSignal(createLogger({ component: 'controller-manager' }), async (signal) => {
  const config = readConfig(process.argv, controllerManagerConfig);
  const app = await NestFactory.createApplicationContext(appModule(config), { logger: false });
  const [cache, runtime, metrics] = [app.get(CACHE), app.get(RUNTIME), app.get(METRICS)];
  const ready = { name: 'cache', run: () => (cache.revision > 0 ? undefined : 'the cluster is not listed yet') };
  const health = await serveHealth({ ...config.health, ready: [ready], metrics });
  app.get(LOG).info({ healthPort: health.port }, 'starting');
  await cache.start(signal);
  let isLeading = false;
  metrics.gauge('leader_election_master_status', '1 while this process leads.').observe(() => (isLeading ? 1 : 0));
  const election = {
    etcd: app.get(ETCD),
    key: new Keys(config.etcd.prefix).election('controller-manager'),
    log: app.get(LOG),
    leaseSeconds: config.leaseSeconds,
  };
  // A new leader plans only from a view that holds all that the one before it wrote.
  const work = async (whileLeading: AbortSignal): Promise<void> => {
    isLeading = true;
    whileLeading.addEventListener('abort', () => {
      isLeading = false;
    });
    await cache.waitFor(await cache.current(), whileLeading);
    app.get(USAGE).start(() => cache.view(Date.now()), whileLeading);
    await runWhile(runtime, whileLeading);
  };
  const leading = lead(election, work, signal);
  return async () => {
    await leading;
    await health.close();
    app.get(RESOURCES).close();
    await app.get(COMMANDS).close();
    await app.get(ETCD).close();
    await app.close();
  };
});
