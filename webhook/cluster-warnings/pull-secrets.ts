/** Are the Secrets there by which images are to be pulled? Asked only where somebody has allowed the webhook to. */
import { isNotFound } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { SECRETS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import { fieldsOf, listOf, textOf } from '../unknown-json.js';
import type { DefaultedObject } from './warnings.js';

/** `kubectl` waits for the answer; a warning is not worth more. */
const PATIENCE_MS = 500;
/** Who names more has another problem. */
const MOST_SECRETS = 4;

/** Does it not exist? What cannot be known, for want of the right or of an answer, is no warning. */
async function isAbsent(kube: Kube, name: string, namespace: string): Promise<boolean> {
  try {
    await kube.get(SECRETS, { name, namespace });
    return false;
  } catch (error) {
    return isNotFound(error);
  }
}

/** One sentence for each Secret that is not there. */
export async function pullSecretWarnings(
  kube: Kube,
  clock: Clock,
  { spec, namespace }: DefaultedObject,
): Promise<string[]> {
  const names = listOf(spec.imagePullSecrets)
    .slice(0, MOST_SECRETS)
    .map(one => textOf(fieldsOf(one).name));
  if (names.length === 0) return [];
  const looks = names.map(async (name, index) =>
    name !== undefined && (await isAbsent(kube, name, namespace))
      ? [
          `spec.imagePullSecrets[${index}].name: there is no Secret ${name} in namespace ${namespace} now; the image may not be pulled`,
        ]
      : [],
  );
  const waking = new AbortController();
  const tooLate = clock.sleep(PATIENCE_MS, waking.signal).then((): string[][] => []);
  const found = await Promise.race([Promise.all(looks), tooLate]);
  waking.abort();
  return found.flat();
}
