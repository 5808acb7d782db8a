/** Tells the API server which authority to trust, by `clientConfig.caBundle` in the webhook configurations. */
import { isConflict, isNotFound } from '../kube/errors.js';
import type { Kube, Resource, Stored } from '../kube/kube.js';

/** As much of a configuration as matters here. */
export interface WebhookConfiguration extends Stored {
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

/** One configuration, by resource and name. */
export interface ConfigurationRef {
  resource: Resource;
  name: string;
}

/** `absent`: there is no such configuration. `contested`: somebody wrote at the same moment, the next look will tell. */
export type PublishResult = 'same' | 'written' | 'absent' | 'contested';

/** What each webhook of a configuration is told to trust, in base64. */
export const caBundlesIn = ({ webhooks = [] }: WebhookConfiguration): (string | undefined)[] =>
  webhooks.map(({ clientConfig }) => clientConfig?.caBundle);

/** Writes where the text differs and nowhere else; every webhook of the configuration is ours. */
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
    if (writes.length === 0) return 'same';
    /* The places are counted in the version that was read: a write to another version is refused as a conflict. */
    const version = { op: 'replace', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion };
    await kube.patch(resource, { name }, [version, ...writes], { type: 'json' });
    return 'written';
  } catch (error) {
    if (isNotFound(error)) return 'absent';
    if (isConflict(error)) return 'contested';
    throw error;
  }
}
