/** Creates the parts of the webhook that use the cluster, from its settings. */
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

/** The client of this program: from the configured kubeconfig, or else with the ServiceAccount of the Pod. */
export async function connect({ kubeconfig }: Config, signal: AbortSignal): Promise<KubeClient> {
  return createKube(kubeconfig === undefined ? inCluster() : await kubeconfigConnection(kubeconfig), {
    userAgent: `kairos-operator-webhook/${VERSION}`,
    signal,
  });
}

/** Imports client-node only when needed: it would cost every replica in a cluster about 30 MiB. */
async function kubeconfigConnection(kubeconfig: string): Promise<Connection> {
  const { fromKubeconfig } = await import('../kube/kubeconfig.js');
  return fromKubeconfig(kubeconfig);
}

/** The configurations from which the API server reads the CA bundle. */
export const webhookConfigurations = ({
  validatingConfiguration,
  mutatingConfiguration,
}: Config): ConfigurationRef[] => [
  { resource: VALIDATING_WEBHOOKS, name: validatingConfiguration },
  { resource: MUTATING_WEBHOOKS, name: mutatingConfiguration },
];

/** Creates the rotation of the certificate that `serve` passes to the server. */
export function createCertificateRotation(
  kube: Kube,
  config: Config,
  { clock, log, serve }: { clock: Clock; log: Log; serve: (pair: KeyPair) => void },
): CertificateRotation {
  const configurations = webhookConfigurations(config);
  return new CertificateRotation({
    store: new SecretStore(kube, { name: config.secretName, namespace: config.podNamespace }),
    publish: async pem => {
      const results = configurations.map(async configuration => {
        const key = `${configuration.resource.kind} ${configuration.name}`;
        return [key, await publishCaBundle(kube, configuration, pem)] as const;
      });
      return Object.fromEntries(await Promise.all(results));
    },
    serve,
    dnsNames: dnsNames(config),
    clock,
    log,
  });
}
