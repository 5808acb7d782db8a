import { destination, pino } from 'pino';

/** One line: the fields first, then a constant message, so that lines can be grouped by it. */
export interface LogLine {
  (fields: object, message: string): void;
  (message: string): void;
}

/** The part of the logger that the programs use. A child adds its fields to every line: `object`, `node`, `reconcile`. */
export interface Log {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
  child(fields: Record<string, unknown>): Log;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard output. They are written synchronously, so that a crash does not lose the lines that explain it. */
export function createLog(base: { program: string; version: string }, level: LogLevel = 'info'): Log {
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }));
}

/** Discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
