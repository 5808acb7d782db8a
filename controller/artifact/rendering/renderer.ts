/**
 * Renders templates outside of the controller's own loop: each in a new worker thread with a heap of its own that ends with it, so that no
 * template takes memory or time that leases, operations and other users need. Without a template to render there is no worker.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { TemplateJob, TemplateResult } from '../template/worker.js';

export type RenderOutcome =
  | TemplateResult
  /** It took more than a worker has. `message`: the rest of a sentence about the template. */
  | { is: 'interrupted'; message: string };

/** Rejects if no worker can be started, which is no fault of the template. */
export type RenderTemplate = (job: TemplateJob) => Promise<RenderOutcome>;

/** The engine's own limits need a quarter of this. Together with the heap of the controller it fits into the memory limit of the container. */
const HEAP = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 2 };

/** From the start of the worker to its answer. The engine itself stops after two seconds. */
const LIMIT_MS = 10_000;

const FILE = 'template-worker.cjs';

/** Beside the bundle of the controller; in a checkout, where `npm run build` writes it. */
export function workerFile(program = process.argv[1] ?? ''): string {
  const beside = join(dirname(program), FILE);
  return existsSync(beside) ? beside : resolve('dist', FILE);
}

/**
 * The heap flags on the command line of the controller would replace the limits of every worker. They were applied to the heap of the
 * controller when it started, and are not read again for it.
 */
function clearHeapFlags(): void {
  for (const flag of ['--max-old-space-size=0', '--max-semi-space-size=0']) setFlagsFromString(flag);
}

export const workerRenderer =
  (file: string, limitMs = LIMIT_MS): RenderTemplate =>
  async job => {
    clearHeapFlags();
    /* Neither the environment nor the output of the program is shared with it. */
    const options = {
      workerData: job,
      resourceLimits: HEAP,
      env: {},
      argv: [],
      execArgv: [],
      stdout: true,
      stderr: true,
    };
    return outcomeOf(new Worker(file, options), limitMs);
  };

function outcomeOf(worker: Worker, limitMs: number): Promise<RenderOutcome> {
  return new Promise((found, fail) => {
    let outcome: RenderOutcome | undefined;
    let failure: Error | undefined;
    let hasStarted = false;
    const timer = setTimeout(() => {
      outcome ??= { is: 'interrupted', message: `takes longer than ${limitMs / 1000} s` };
      void worker.terminate();
    }, limitMs);
    worker.on('message', (message: TemplateResult | 'started') => {
      if (message === 'started') hasStarted = true;
      else outcome ??= message;
    });
    worker.once('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        outcome = { is: 'interrupted', message: `needs more than ${HEAP.maxOldGenerationSizeMb} MiB of memory` };
      else failure = error;
    });
    /* Only now are its memory and its thread free for the next template. */
    worker.once('exit', () => {
      clearTimeout(timer);
      if (outcome) found(outcome);
      else if (hasStarted) found({ is: 'interrupted', message: 'ends the worker that renders it' });
      else fail(failure ?? new Error('the worker that renders templates did not start'));
    });
  });
}
