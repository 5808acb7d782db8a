import { isConflict, isNotFound } from './errors.js';

/** What is not there, or another object by now, is as good as deleted. `gone`: it is not there, whatever a cache believes. */
export async function ignoreNotFound(deleting: Promise<void>, gone: () => void = () => undefined): Promise<void> {
  try {
    await deleting;
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    if (isNotFound(error)) gone();
  }
}
