import { createLogger, readConfig, runUntilSignal } from '@periplus/component';
import { startApiServer } from './app.module.ts';
import { type Config, shapeConfig } from './config.ts';

const log = createLogger({ component: 'api-server' });

await runUntilSignal(log, async (signal) => {
  const config: Config = readConfig(process.argv, shapeConfig);
  const server = await startApiServer(
    config,
    createLogger({ component: 'api-server', level: config.logLevel }),
    signal,
  );
  return () => server.close();
});
