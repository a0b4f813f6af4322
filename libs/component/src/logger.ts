import { pino } from 'pino';

export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  child(fields: Record<string, unknown>): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Members that never reach a log, wherever a caller may have put them. */
const SECRET_FIELDS = ['token', 'authorization', 'key', 'data', 'stringData', 'password'];

/**
 * JSON lines on stdout: `{"level":"info","time":"2026-11-21T03:12:00.000Z","component":"scheduler",...,"msg":"..."}`.
 * An error goes in the field `error`. Writes are synchronous, so that the last line before a crash is there.
 */
export function createLogger(options: { component: string; level?: LogLevel }): Logger {
  return pino({
    level: options.level ?? 'info',
    base: { component: options.component },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { error: pino.stdSerializers.err },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
  });
}
