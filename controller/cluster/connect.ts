/** One client and one set of caches for all controllers of the program. */
import { createKube, type KubeClient } from '../../kube/client.js';
import { inCluster } from '../../kube/connection.js';
import { VERSION } from '../../program/version.js';

export const connect = async ({ kubeconfig }: { kubeconfig?: string }): Promise<KubeClient> =>
  createKube(kubeconfig === undefined ? inCluster() : await fromFile(kubeconfig), {
    userAgent: `kairos-operator-controller/${VERSION}`,
  });

/** Loaded only where it is wanted: in a cluster nobody pays for it. */
const fromFile = async (path: string) => (await import('../../kube/kubeconfig.js')).fromKubeconfig(path);
