/** The parts of the webhook that touch the cluster, put together from the settings. */
import type { KeyPair } from '../certs/bundle.js';
import { createKube, type KubeClient } from '../kube/client.js';
import { type Connection, inCluster } from '../kube/connection.js';
import type { Kube } from '../kube/kube.js';
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '../kube/resources.js';
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { VERSION } from '../program/version.js';
import { type ConfigurationRef, publishCaBundle } from './ca-bundle.js';
import { SecretStore } from './cert-store.js';
import { CertificateRotation } from './certificate-rotation.js';
import { type Config, dnsNames } from './config.js';

/** Client of this program: by kubeconfig where one is named, else as the Pod's ServiceAccount. */
export async function connect({ kubeconfig }: Config, signal: AbortSignal): Promise<KubeClient> {
  return createKube(kubeconfig === undefined ? inCluster() : await outside(kubeconfig), {
    userAgent: `kairos-operator-webhook/${VERSION}`,
    signal,
  });
}

/** Loaded on wish: client-node would cost every replica in a cluster some 30 MiB for nothing. */
async function outside(kubeconfig: string): Promise<Connection> {
  const { fromKubeconfig } = await import('../kube/kubeconfig.js');
  return fromKubeconfig(kubeconfig);
}

/** Where the API server reads whom to trust. */
export const webhookConfigurations = ({
  validatingConfiguration,
  mutatingConfiguration,
}: Config): ConfigurationRef[] => [
  { resource: VALIDATING_WEBHOOKS, name: validatingConfiguration },
  { resource: MUTATING_WEBHOOKS, name: mutatingConfiguration },
];

/** The keeper of the certificate that `show` puts into the server. */
export function createCertificateRotation(
  kube: Kube,
  config: Config,
  { clock, log, show }: { clock: Clock; log: Log; show: (pair: KeyPair) => void },
): CertificateRotation {
  const places = webhookConfigurations(config);
  return new CertificateRotation({
    store: new SecretStore(kube, { name: config.secretName, namespace: config.podNamespace }),
    publish: async pem => {
      const verdicts = places.map(async place => {
        const key = `${place.resource.kind} ${place.name}`;
        return [key, await publishCaBundle(kube, place, pem)] as const;
      });
      return Object.fromEntries(await Promise.all(verdicts));
    },
    show,
    dnsNames: dnsNames(config),
    clock,
    log,
  });
}
