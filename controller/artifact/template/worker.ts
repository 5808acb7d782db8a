/** Entry point of the worker thread that renders one template. It has a heap of its own, and is ended when it takes too long. */
import { parentPort, workerData } from 'node:worker_threads';
import { TemplateError } from './errors.js';
import { render } from './render.js';

/** What a worker gets. */
export interface TemplateJob {
  template: string;
  values: Readonly<Record<string, string>>;
}

/** What a worker answers. `message`: place and kind of the fault. */
export type TemplateResult = { is: 'text'; text: string } | { is: 'fault'; message: string };

function resultOf({ template, values }: TemplateJob): TemplateResult {
  try {
    return { is: 'text', text: render(template, values) };
  } catch (error) {
    if (error instanceof TemplateError) return { is: 'fault', message: error.message };
    throw error;
  }
}

/* From here on, an end without a result is due to the template. */
parentPort?.postMessage('started');
parentPort?.postMessage(resultOf(workerData as TemplateJob));
