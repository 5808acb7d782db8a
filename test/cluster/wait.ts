/** Waiting with a limit. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wait {
  /** What is waited for, as the object of "waited for". */
  what: string;
  seconds: number;
  everyMs?: number;
  /** Asked when the limit is reached: more about what was seen instead. */
  instead?: () => string | Promise<string>;
}

/** Asks until the answer is something other than undefined or false, and returns it. An error thrown by `look` counts as "not yet" and is told at the limit. */
export async function waitFor<T>(look: () => Promise<T> | T, wait: Wait): Promise<Exclude<T, undefined | false>> {
  const limit = Date.now() + wait.seconds * 1000;
  let last = '';
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen as Exclude<T, undefined | false>;
      last = '';
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= limit) break;
    await sleep(wait.everyMs ?? 100);
  }
  const instead = (await wait.instead?.()) ?? '';
  throw new Error([`Waited ${wait.seconds} s for ${wait.what}, in vain.`, last, instead].filter(Boolean).join('\n'));
}

/** Thrown by a look that knows the answer will never come. */
export class GiveUp extends Error {}
