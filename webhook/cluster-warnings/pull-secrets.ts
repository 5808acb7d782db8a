/** Warnings about missing image pull Secrets. They need permission to read those Secrets, which the cluster admin may grant. */
import { cutName } from '../../api/cut.js';
import { isNotFound } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { SECRETS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import { fieldsOf, listOf, textOf } from '../unknown-json.js';
import type { DefaultedObject } from './warnings.js';

/** Timeout for all reads, because `kubectl` waits for the review. */
const TIMEOUT_MS = 500;
/** How many Secrets are checked. */
const MAX_SECRETS = 4;

/** Whether the Secret does not exist. False when that is unknown, for lack of permission or of a response. */
async function isAbsent(kube: Kube, name: string, namespace: string): Promise<boolean> {
  try {
    await kube.get(SECRETS, { name, namespace });
    return false;
  } catch (error) {
    return isNotFound(error);
  }
}

/** One warning for each Secret that does not exist. */
export async function pullSecretWarnings(
  kube: Kube,
  clock: Clock,
  { spec, namespace }: DefaultedObject,
): Promise<string[]> {
  const names = listOf(spec.imagePullSecrets)
    .slice(0, MAX_SECRETS)
    .map(reference => textOf(fieldsOf(reference).name));
  if (names.length === 0) return [];
  const checks = names.map(async (name, index) =>
    name !== undefined && (await isAbsent(kube, name, namespace))
      ? [
          `spec.imagePullSecrets[${index}].name: Secret "${cutName(name)}" does not exist in namespace "${cutName(namespace)}"; the image pull may fail`,
        ]
      : [],
  );
  const cancelTimeout = new AbortController();
  const timeout = clock.sleep(TIMEOUT_MS, cancelTimeout.signal).then((): string[][] => []);
  const found = await Promise.race([Promise.all(checks), timeout]);
  cancelTimeout.abort();
  return found.flat();
}
