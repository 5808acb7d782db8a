/** Watches the webhook configurations, and triggers the rotation when another client removes the CA bundle: GitOps tools do so repeatedly. */
import { informer } from '../kube/informer.js';
import type { Kube } from '../kube/kube.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { caBundlesIn, type ConfigurationRef, type WebhookConfiguration } from './ca-bundle.js';

/** The part of the certificate rotation that the watch needs. */
export interface RotationTrigger {
  /** Whether this base64 CA bundle is the one to publish. */
  isPublished(caBundle: string | undefined): boolean;
  /** Makes the rotation reconcile soon. */
  trigger(): void;
}

/** Watches each configuration by a field selector on its name, until the signal aborts. */
export async function watchCaBundle(
  kube: Kube,
  { configurations, rotation }: { configurations: readonly ConfigurationRef[]; rotation: RotationTrigger },
  { clock, log }: { clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  const watches = configurations.map(({ resource, name }) => {
    const fieldSelector = `metadata.name=${name}`;
    const configuration = informer<WebhookConfiguration>(kube, resource, { fieldSelector, clock, log });
    configuration.cache.onChange(({ new: changed }) => {
      if (changed && !caBundlesIn(changed).every(caBundle => rotation.isPublished(caBundle))) rotation.trigger();
    });
    return configuration.run(signal);
  });
  await Promise.all(watches);
}
