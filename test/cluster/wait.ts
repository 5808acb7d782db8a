/** Waiting for a condition, with a timeout. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Completes the error "Timed out after N s waiting for …". */
  what: string;
  seconds: number;
  everyMs?: number;
  /** Called on timeout: describes the state that was found instead. */
  diagnose?: () => string | Promise<string>;
}

/** Calls `check` until it returns something other than undefined or false, and returns that. An error thrown by `check` counts as "not yet" and is part of the timeout error. */
export async function waitFor<T>(
  check: () => Promise<T> | T,
  options: WaitOptions,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + options.seconds * 1000;
  let lastError = '';
  for (;;) {
    try {
      const result = await check();
      if (result !== undefined && result !== false) return result as Exclude<T, undefined | false>;
      lastError = '';
    } catch (error) {
      if (error instanceof PermanentFailure) throw error;
      lastError = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= deadline) break;
    await sleep(options.everyMs ?? 100);
  }
  const diagnosis = (await options.diagnose?.()) ?? '';
  throw new Error(
    [`Timed out after ${options.seconds} s waiting for ${options.what}.`, lastError, diagnosis]
      .filter(Boolean)
      .join('\n'),
  );
}

/** Thrown by a check when the condition can no longer become true; `waitFor` then fails at once. */
export class PermanentFailure extends Error {}
