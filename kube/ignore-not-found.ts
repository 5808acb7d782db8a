import { isConflict, isNotFound } from './errors.js';

/**
 * Awaits a deletion and ignores that the object is already absent: not found, or a conflict because another object has its name by
 * now (the uid precondition). `onNotFound` is called for the former, so that a caller can correct its cache. Rethrows other errors.
 */
export async function ignoreNotFound(deletion: Promise<void>, onNotFound: () => void = () => undefined): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    if (isNotFound(error)) onNotFound();
  }
}
