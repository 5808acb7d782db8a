import { destination, pino } from 'pino';

/** One line: the fields first, then what happened, in words that stay the same from line to line. */
export interface LogLine {
  (fields: object, message: string): void;
  (message: string): void;
}

/** What the rooms know of the logger. A child carries its fields on every line: `object`, `node`, `reconcile`. */
export interface Log {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
  child(fields: Record<string, unknown>): Log;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard output, written before the call returns: the last words of a dying program must not be lost. */
export function createLog(base: { program: string; version: string }, level: LogLevel = 'info'): Log {
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }));
}

/** Hears everything and says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
