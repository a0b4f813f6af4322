import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createLogger, readConfig, runUntilSignal, serveHealth } from '@periplus/component';
import { lead } from '@periplus/reconcile';
import { Keys } from '@periplus/store';
import { appModule, CACHE, COMMANDS, ETCD, LOG, METRICS, NEW_SCHEDULER } from './app.module.ts';
import { schedulerConfig } from './config.ts';

await runUntilSignal(createLogger({ component: 'scheduler' }), async (signal) => {
  const config = readConfig(process.argv, schedulerConfig);
  const app = await NestFactory.createApplicationContext(appModule(config), { logger: false });
  const [cache, metrics] = [app.get(CACHE), app.get(METRICS)];
  const ready = { name: 'cache', run: () => (cache.revision > 0 ? undefined : 'the cluster is not listed yet') };
  const health = await serveHealth({ ...config.health, ready: [ready], metrics });
  app.get(LOG).info({ healthPort: health.port }, 'starting');
  await cache.start(signal);
  let isLeading = false;
  metrics.gauge('leader_election_master_status', '1 while this process leads.').observe(() => (isLeading ? 1 : 0));
  const election = {
    etcd: app.get(ETCD),
    key: new Keys(config.etcd.prefix).election('scheduler'),
    log: app.get(LOG),
    leaseSeconds: config.leaseSeconds,
  };
  const work = async (whileLeading: AbortSignal): Promise<void> => {
    isLeading = true;
    await app.get(NEW_SCHEDULER)().run(whileLeading);
    isLeading = false;
  };
  const leading = lead(election, work, signal);
  return async () => {
    await leading;
    await health.close();
    await app.get(COMMANDS).close();
    await app.get(ETCD).close();
    await app.close();
  };
});
