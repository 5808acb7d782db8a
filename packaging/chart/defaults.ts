/** Reads the default values of the chart from the manifests. */
import type { Document } from 'yaml';
import { findDocument } from '../source.js';
import { Values } from './values.js';

/** The fields of a workload that become default values. */
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

function podSettingsOf({ spec }: Workload) {
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
  ...podSettingsOf(workload),
  affinity: workload.spec.template.spec.affinity,
});

const containerOf = ({ spec }: Workload) => spec.template.spec.containers[0];

function ownImageOf(workload: Workload) {
  const { image } = containerOf(workload);
  const colon = image.lastIndexOf(':');
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
}

/** With these values the chart installs the same objects as kustomize. */
export function defaultValues(documents: readonly Document.Parsed[]): Values {
  const workload = (kind: string, name: string) => findDocument(documents, kind, name).toJS() as Workload;
  const controller = workload('Deployment', 'operator-controller');
  const webhook = workload('Deployment', 'operator-webhook');
  const agent = workload('DaemonSet', 'operator-agent');
  const { env, imagePullPolicy } = containerOf(controller);
  const variable = (name: string) => env.find(one => one.name === name)?.value ?? '';
  return Values.parse({
    namespace: { name: controller.metadata.namespace, create: true },
    images: {
      registry: '',
      pullPolicy: imagePullPolicy,
      pullSecrets: [],
      operator: ownImageOf(controller),
      agent: ownImageOf(agent),
      nodeopDefault: variable('NODEOP_DEFAULT_IMAGE'),
      sentinel: variable('SENTINEL_IMAGE'),
      tool: variable('TOOL_IMAGE'),
      buildah: variable('BUILDAH_IMAGE'),
      kairosInit: variable('KAIROS_INIT_IMAGE'),
    },
    allowedNamespaces: [],
    logLevel: '',
    controller: deploymentOf(controller),
    webhook: deploymentOf(webhook),
    agent: podSettingsOf(agent),
    osArtifacts: { enabled: true },
    crds: { create: true, keep: true },
    userRoles: { create: true },
    migration: { create: false },
    admissionPolicies: { create: true },
    networkPolicy: { create: false, apiServerPorts: [443, 6443] },
  });
}
