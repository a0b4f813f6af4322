import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createLogger, readConfig, runUntilSignal, serveHealth } from '@periplus/component';
import { appModule, COMMANDS, ETCD, LOG, METRICS, NODES, RESOURCES } from './app.module.ts';
import { nodeAgentConfig } from './config.ts';

await runUntilSignal(createLogger({ component: 'node-agent', level: 'info' }), async () => {
  const config = readConfig(process.argv, nodeAgentConfig);
  const app = await NestFactory.createApplicationContext(appModule(config), { logger: false });
  const nodes = app.get(NODES);
  const metrics = app.get(METRICS);
  metrics.gauge('node_agent_pods', 'Pods bound to the nodes of this process.').observe(() => nodes.podCount);
  const health = await serveHealth({
    ...config.health,
    ready: [{ name: 'node', run: () => nodes.notReady() }],
    metrics,
  });
  app.get(LOG).info({ healthPort: health.port, node: config.node?.identity.name }, 'starting');
  await nodes.start();
  return async () => {
    await nodes.stop();
    await health.close();
    app.get(RESOURCES).close();
    await app.get(COMMANDS).close();
    await app.get(ETCD).close();
    await app.close();
  };
});
