/**
 * What every process has: a configuration file (`config.ts`), structured logs (`logger.ts`), a health and
 * metrics page (`health.ts`, `metrics.ts`), one way to start and stop (`run.ts`), and a garbage collector that suits it.
 */

export { ConfigError, ConfigReader, readConfig } from './config.ts';
export { collectWhenSettled } from './garbage-collector.ts';
export { type Check, type HealthPage, runChecks, serveHealth, whyNot } from './health.ts';
export { createLogger, LOG_LEVELS, type Logger, type LogLevel } from './logger.ts';
export { machineAddress } from './machine-address.ts';
export { Counter, Gauge, Histogram, LATENCY_SECONDS, Metrics } from './metrics.ts';
export { runUntilSignal } from './run.ts';
