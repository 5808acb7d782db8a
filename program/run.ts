/** What every program does around its own work: settings, log, health, and an orderly end. */
import { setMaxListeners } from 'node:events';
import { type Clock, realClock } from './clock.js';
import { Health } from './health.js';
import { createLog, type Log, type LogLevel } from './log.js';
import { VERSION } from './version.js';

/** What every program's settings have. */
export interface BaseConfig {
  logLevel?: LogLevel;
  /** Where `/healthz` and `/readyz` answer; 0 or absent: nowhere. */
  healthPort?: number;
}

/** The command line asked for a text (`--help`, `--version`) instead of work. */
export class PrintRequest extends Error {}

/** Everything that is wrong with the settings, one line each. */
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

/** After the signal to stop, `main` has this long; the kubelet's own patience is 30 s. */
const SHUTDOWN_TIMEOUT_MS = 25_000;

/** Everything outside the program, so that a test can stand in for it. */
export interface ProcessContext {
  env: Record<string, string | undefined>;
  argv: readonly string[];
  print(text: string): void;
  printError(text: string): void;
  exit(code: number): void;
  onStop(stop: (why: string) => void): void;
  log?: Log;
}

/** The real ones. */
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

/** Reads the settings, runs `main` until it ends or a signal says stop, and leaves with 0, with 1 after an error, with 2 after a mistake in the settings. */
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
  /* Every loop of the program listens. */
  setMaxListeners(0, stop.signal);
  const health = new Health();
  processContext.onStop(why => {
    log.info({ why }, 'stopping');
    stop.abort(new Error(`stopped by ${why}`));
    setTimeout(() => processContext.exit(EXIT.failed), SHUTDOWN_TIMEOUT_MS).unref();
  });
  try {
    if (config.healthPort) await health.listen(config.healthPort);
    log.info('started');
    await main({ config, log, clock: realClock, signal: stop.signal, health });
    log.info('ended');
    return EXIT.clean;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return EXIT.clean;
    log.error({ err: error }, 'ended by an error');
    return EXIT.failed;
  } finally {
    await health.close();
  }
}
