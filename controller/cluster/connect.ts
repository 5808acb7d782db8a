/** The Kubernetes client that all controllers of the program share. */
import { createKube, type KubeClient } from '../../kube/client.js';
import { inCluster } from '../../kube/connection.js';
import type { ServerTime } from '../../kube/server-clock.js';
import { VERSION } from '../../program/version.js';

export const connect = async (
  { kubeconfig }: { kubeconfig?: string },
  onServerTime: (time: ServerTime) => void,
): Promise<KubeClient> =>
  createKube(kubeconfig === undefined ? inCluster() : await fromFile(kubeconfig), {
    userAgent: `kairos-operator-controller/${VERSION}`,
    onServerTime,
  });

/** Imported only when a kubeconfig is given: a program that runs in the cluster needs neither the time nor the memory for it. */
const fromFile = async (path: string) => (await import('../../kube/kubeconfig.js')).fromKubeconfig(path);
