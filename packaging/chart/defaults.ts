/** The defaults of the values, read from the manifests. */
import type { Document } from 'yaml';
import { find } from '../source.js';
import { Values } from './values.js';

/** As much of a workload as the defaults are read from. */
interface Workload {
  metadata: { namespace: string };
  spec: {
    replicas?: number;
    template: {
      spec: Record<'priorityClassName' | 'nodeSelector' | 'tolerations' | 'affinity', unknown> & {
        containers: [
          { image: string; imagePullPolicy: string; resources: unknown; env: { name: string; value?: string }[] },
        ];
      };
    };
  };
}

function placementOf({ spec }: Workload) {
  const { priorityClassName, nodeSelector, tolerations, containers } = spec.template.spec;
  return {
    priorityClassName,
    nodeSelector,
    tolerations,
    resources: containers[0].resources,
    podAnnotations: {},
    env: [],
  };
}

const deploymentOf = (workload: Workload) => ({
  replicas: workload.spec.replicas,
  ...placementOf(workload),
  affinity: workload.spec.template.spec.affinity,
});

const containerOf = ({ spec }: Workload) => spec.template.spec.containers[0];

function productOf(workload: Workload) {
  const { image } = containerOf(workload);
  const colon = image.lastIndexOf(':');
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
}

/** The defaults that make the chart install what kustomize does. */
export function defaults(documents: readonly Document.Parsed[]): Values {
  const workload = (kind: string, name: string) => find(documents, kind, name).toJS() as Workload;
  const controller = workload('Deployment', 'operator-controller');
  const webhook = workload('Deployment', 'operator-webhook');
  const agent = workload('DaemonSet', 'operator-agent');
  const { env, imagePullPolicy } = containerOf(controller);
  const setting = (name: string) => env.find(one => one.name === name)?.value ?? '';
  return Values.parse({
    namespace: { name: controller.metadata.namespace, create: true },
    images: {
      registry: '',
      pullPolicy: imagePullPolicy,
      pullSecrets: [],
      operator: productOf(controller),
      agent: productOf(agent),
      nodeopDefault: setting('NODEOP_DEFAULT_IMAGE'),
      sentinel: setting('SENTINEL_IMAGE'),
      tool: setting('TOOL_IMAGE'),
      buildah: setting('BUILDAH_IMAGE'),
      kairosInit: setting('KAIROS_INIT_IMAGE'),
    },
    allowedNamespaces: [],
    logLevel: '',
    controller: deploymentOf(controller),
    webhook: deploymentOf(webhook),
    agent: placementOf(agent),
    osArtifacts: { enabled: true },
    crds: { create: true, keep: true },
    userRoles: { create: true },
    migration: { create: false },
    admissionPolicies: { create: true },
    networkPolicy: { create: false, apiServerPorts: [443, 6443] },
  });
}
