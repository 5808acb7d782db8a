/** Publishes the certificate authority to the API server, in `clientConfig.caBundle` of the webhook configurations. */
import { isConflict, isNotFound } from '../kube/errors.js';
import type { Kube, Resource, Stored } from '../kube/kube.js';

/** The fields of a webhook configuration that are used here. */
export interface WebhookConfiguration extends Stored {
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

/** One webhook configuration, by resource and name. */
export interface ConfigurationRef {
  resource: Resource;
  name: string;
}

/** `absent`: the configuration does not exist. `conflict`: another client wrote at the same time, so a later attempt must decide. */
export type PublishResult = 'unchanged' | 'written' | 'absent' | 'conflict';

/** The CA bundle of each webhook of a configuration, in base64. */
export const caBundlesIn = ({ webhooks = [] }: WebhookConfiguration): (string | undefined)[] =>
  webhooks.map(({ clientConfig }) => clientConfig?.caBundle);

/** Writes the CA bundle to every webhook of the configuration that has another one. All webhooks of it belong to the operator. */
export async function publishCaBundle(
  kube: Kube,
  { resource, name }: ConfigurationRef,
  pem: string,
): Promise<PublishResult> {
  const caBundle = Buffer.from(pem).toString('base64');
  try {
    const found = await kube.get<WebhookConfiguration>(resource, { name });
    const writes = (found.webhooks ?? []).flatMap((webhook, index) =>
      webhook.clientConfig?.caBundle === caBundle
        ? []
        : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle }],
    );
    if (writes.length === 0) return 'unchanged';
    /* The indexes refer to the version that was read, so the patch is conditional on that version. */
    const version = { op: 'replace', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion };
    await kube.patch(resource, { name }, [version, ...writes], { type: 'json' });
    return 'written';
  } catch (error) {
    if (isNotFound(error)) return 'absent';
    if (isConflict(error)) return 'conflict';
    throw error;
  }
}
