import { destination, type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { cutTexts } from './cut-text.js';

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

/** Errors may quote what users wrote, in their messages, causes and further fields. */
const limited = (fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, limitedValue(value)]));

function limitedValue(value: unknown): unknown {
  if (!(value instanceof Error)) return cutTexts(value);
  /* Its type is not enumerable. */
  const { type, message, stack, ...more } = stdSerializers.err(value);
  return cutTexts({ type, message, stack, ...more });
}

/** JSON lines on standard output. They are written synchronously, so that a crash does not lose the lines that explain it. */
export const createLog = (
  base: { program: string; version: string },
  level: LogLevel = 'info',
  out: DestinationStream = destination({ dest: 1, sync: true }),
): Log => {
  const formatters = { log: limited };
  /* Errors are objects already when the serializers see them. */
  const serializers = { err: (value: unknown) => value };
  return limitedLog(pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime, formatters, serializers }, out));
};

/** The formatters are not applied to the fields of a child. */
const limitedLog = (logger: Logger): Log => ({
  debug: logger.debug.bind(logger),
  info: logger.info.bind(logger),
  warn: logger.warn.bind(logger),
  error: logger.error.bind(logger),
  child: fields => limitedLog(logger.child(limited(fields))),
});

/** Discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
