/** Sees at once when somebody takes our authority out of a webhook configuration: tools that apply manifests over and over do. */
import { informer } from '../kube/informer.js';
import type { Kube } from '../kube/kube.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { caBundlesIn, type ConfigurationRef, type WebhookConfiguration } from './ca-bundle.js';

/** What is to be woken. */
export interface Keeper {
  /** Is this, in base64, what API servers shall trust? */
  isPublished(caBundle: string | undefined): boolean;
  trigger(): void;
}

/** Watches these configurations, each by its name alone, until the signal aborts. */
export async function watchCaBundle(
  kube: Kube,
  { places, keeper }: { places: readonly ConfigurationRef[]; keeper: Keeper },
  { clock, log }: { clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  const loops = places.map(({ resource, name }) => {
    const fieldSelector = `metadata.name=${name}`;
    const configuration = informer<WebhookConfiguration>(kube, resource, { fieldSelector, clock, log });
    configuration.cache.onChange(({ new: now }) => {
      if (now && !caBundlesIn(now).every(bundle => keeper.isPublished(bundle))) keeper.trigger();
    });
    return configuration.run(signal);
  });
  await Promise.all(loops);
}
