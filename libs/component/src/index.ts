/** What every process has: configuration, logs, health, shutdown. */
/*
readConfig<T>(argv: string[], shape: (raw: JsonObject, at: FieldPath) => T): T   --config FILE (JSON), clear errors naming the field
createLogger({ component, level }): Logger            structured JSON lines on stdout; secrets never
serveHealth({ host, port, live, ready, metrics })     /livez /readyz /healthz /metrics on plain HTTP, loopback by default
runUntilSignal(start: (signal: AbortSignal) => Promise<void>)   SIGTERM and SIGINT abort; a second one exits; a bounded time to stop
class Metrics: counters, gauges, histograms in Prometheus text
*/
export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  child(fields: Record<string, unknown>): Logger;
}
