/** The frame of every program: settings, log, health endpoints and a graceful shutdown. */
import { setMaxListeners } from 'node:events';
import { type Clock, realClock } from './clock.js';
import { Health } from './health.js';
import { createLog, type Log, type LogLevel } from './log.js';
import { VERSION } from './version.js';

export interface BaseConfig {
  logLevel?: LogLevel;
  /** Port of `/healthz` and `/readyz`; 0 or absent disables them. */
  healthPort?: number;
}

/** Thrown when the command line asks for a text (`--help`, `--version`); the program prints the message and exits. */
export class PrintRequest extends Error {}

/** All mistakes in the settings, one line each. */
export class ConfigFaults extends Error {
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

export interface ProgramContext<C> {
  config: C;
  log: Log;
  clock: Clock;
  /** Aborts on SIGTERM and SIGINT. */
  signal: AbortSignal;
  health: Health;
}

const EXIT = { clean: 0, failed: 1, settings: 2 } as const;

/** How long `main` may take after SIGTERM; the kubelet kills the container after 30 s. */
const SHUTDOWN_TIMEOUT_MS = 25_000;

/** The process around the program, so that tests can replace it. */
export interface ProcessContext {
  env: Record<string, string | undefined>;
  argv: readonly string[];
  print(text: string): void;
  printError(text: string): void;
  exit(code: number): void;
  onStop(stop: (signalName: string) => void): void;
  log?: Log;
}

const realProcess: ProcessContext = {
  env: process.env,
  argv: process.argv.slice(2),
  print: text => void process.stdout.write(`${text}\n`),
  printError: text => void process.stderr.write(`${text}\n`),
  exit: code => process.exit(code),
  onStop: stop => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop(name));
  },
};

/**
 * Reads the settings and runs `main` until it returns or a signal arrives.
 * Exits with 0, with 1 after an error, or with 2 after a mistake in the settings.
 */
export async function runProgram<C extends BaseConfig>(
  name: string,
  readConfig: (env: Record<string, string | undefined>, argv: readonly string[]) => C,
  main: (program: ProgramContext<C>) => Promise<void>,
  processContext: ProcessContext = realProcess,
): Promise<void> {
  let config: C;
  try {
    config = readConfig(processContext.env, processContext.argv);
  } catch (error) {
    return processContext.exit(reportConfigError(name, error, processContext));
  }
  processContext.exit(await runMain(name, config, main, processContext));
}

function reportConfigError(name: string, error: unknown, processContext: ProcessContext): number {
  if (error instanceof PrintRequest) {
    processContext.print(error.message);
    return EXIT.clean;
  }
  if (!(error instanceof ConfigFaults)) throw error;
  processContext.printError(`${name}: ${error.faults.length} mistakes in the settings (--help lists them all)`);
  for (const fault of error.faults) processContext.printError(`  ${fault}`);
  return EXIT.settings;
}

async function runMain<C extends BaseConfig>(
  name: string,
  config: C,
  main: (program: ProgramContext<C>) => Promise<void>,
  processContext: ProcessContext,
): Promise<number> {
  const log = processContext.log ?? createLog({ program: name, version: VERSION }, config.logLevel);
  const stop = new AbortController();
  /* Every loop of the program listens; Node warns from the eleventh listener on. */
  setMaxListeners(0, stop.signal);
  const health = new Health();
  processContext.onStop(signalName => {
    log.info({ signal: signalName }, 'stopping');
    stop.abort(new Error(`stopped by ${signalName}`));
    setTimeout(() => processContext.exit(EXIT.failed), SHUTDOWN_TIMEOUT_MS).unref();
  });
  try {
    if (config.healthPort) await health.listen(config.healthPort);
    log.info('started');
    await main({ config, log, clock: realClock, signal: stop.signal, health });
    log.info('stopped');
    return EXIT.clean;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return EXIT.clean;
    log.error({ err: error }, 'stopped after an error');
    return EXIT.failed;
  } finally {
    await health.close();
  }
}
