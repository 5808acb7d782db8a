/**
 * Labels and annotations of every Pod that this operator creates. Such a Pod runs once and ends: a container that a service mesh adds to it
 * would keep it running, an autoscaler that moves it would end its command halfway, and a Pod that is restored from a backup would run again.
 */
import { LABELS } from './names.js';

/** By which the injectors of containers are asked to leave a Pod alone. Each has its own; some read a label, some an annotation. */
const NO_INJECTION = {
  labels: {
    'sidecar.istio.io/inject': 'false',
    'istio.io/dataplane-mode': 'none',
    'kuma.io/sidecar-injection': 'disabled',
    'admission.datadoghq.com/enabled': 'false',
  },
  annotations: {
    'sidecar.istio.io/inject': 'false',
    'linkerd.io/inject': 'disabled',
    'kuma.io/sidecar-injection': 'disabled',
    'openservicemesh.io/sidecar-injection': 'disabled',
    'appmesh.k8s.aws/sidecarInjectorWebhook': 'disabled',
    'consul.hashicorp.com/connect-inject': 'false',
    'dapr.io/enabled': 'false',
    'vault.hashicorp.com/agent-inject': 'false',
    'vault.security.banzaicloud.io/mutate': 'skip',
    'sidecar.opentelemetry.io/inject': 'false',
    'sidecar.jaegertracing.io/inject': 'false',
    'dynatrace.com/inject': 'false',
  },
};

/** By which the autoscalers are asked not to remove the node of a Pod while the Pod runs. */
const NO_DISRUPTION = {
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
};

/** By which Velero is asked to leave an object out of backups. A restored Pod or Job would run before anything could stop it. */
export const NO_BACKUP: Readonly<Record<string, string>> = { [LABELS.noBackup]: 'true' };

export const POD_LABELS: Readonly<Record<string, string>> = { ...NO_INJECTION.labels, ...NO_BACKUP };
export const POD_ANNOTATIONS: Readonly<Record<string, string>> = { ...NO_INJECTION.annotations, ...NO_DISRUPTION };
