/** The schema of the chart's values, from which values.yaml and values.schema.json are generated. */
import * as z from 'zod';
import { LOG_LEVELS } from '../../program/log.js';
import {
  className,
  image,
  optionalImage,
  extraEnv,
  namespaceName,
  type BUILT_IN_ENV,
  ownImage,
  registry,
  secretName,
} from './value-parts.js';

const loose = () => z.record(z.string(), z.unknown());
const looseList = () => z.array(loose());
const labels = () => z.record(z.string(), z.string());

/** Values that all three programs have: scheduling, resources, annotations and environment. */
const podSettings = (program: keyof typeof BUILT_IN_ENV) => ({
  priorityClassName: className().describe('PriorityClass of the Pods.'),
  nodeSelector: labels().describe('Labels of the nodes on which the Pods may run.'),
  tolerations: looseList().describe('Taints that the Pods tolerate.'),
  resources: loose().describe(
    'Resource requests and limits of the container. The heap size in its command is chosen for this memory limit.',
  ),
  podAnnotations: labels().describe('Annotations of the Pods.'),
  env: extraEnv(program),
});

const deploymentSettings = (program: 'controller' | 'webhook') => ({
  replicas: z
    .int()
    .min(0)
    .describe('Number of replicas. Only one controller is active at a time; the others wait for leader election.'),
  ...podSettings(program),
  affinity: loose().describe(
    'Affinity of the Pods. By default they prefer control planes, so that a compromised worker cannot reach them.',
  ),
});

export const Values = z
  .object({
    global: loose().optional().describe('Global values of a parent chart. They are accepted and not used.'),
    enabled: z.boolean().optional().describe('For the condition of a parent chart that depends on this one.'),
    namespace: z
      .object({
        name: namespaceName().describe('Namespace in which the operator is installed.'),
        create: z
          .boolean()
          .describe(
            "Create the namespace with the PodSecurity label that the agent needs. The release's own namespace is never created by the chart, because Helm creates it.",
          ),
      })
      .strict()
      .describe(
        'Namespace of the operator. It may differ from the namespace of the release, where Helm stores its release data.',
      ),
    images: z
      .object({
        registry: registry().describe(
          'Registry that replaces the registry of every image below, for example mirror.example:5000/kairos. Empty: the images are used as they are.',
        ),
        pullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).describe("Pull policy of the operator's own Pods."),
        pullSecrets: z
          .array(z.object({ name: secretName() }).strict())
          .describe(
            'Secrets with registry credentials for the Pods of the operator and for the Pods it creates. They must also exist in the namespaces of NodeOps, NodeOpUpgrades and OSArtifacts.',
          ),
        operator: ownImage().describe('Image of the controller and the webhook.'),
        agent: ownImage().describe(
          'Image of the agent. It also runs the last step of a Job with reboot, unless sentinel names another image.',
        ),
        nodeopDefault: image().describe('Image of NodeOps that name none.'),
        sentinel: optionalImage().describe(
          "Image with a shell for the last step of a Job with reboot. Empty: the agent's image.",
        ),
        tool: image().describe('Image of auroraboot, which builds OSArtifacts.'),
        buildah: image().describe('Image of buildah, which builds OSArtifacts.'),
        kairosInit: image().describe('Image of kairos-init, which builds OSArtifacts.'),
      })
      .strict(),
    allowedNamespaces: z
      .array(namespaceName())
      .describe('Namespaces whose NodeOps and NodeOpUpgrades are processed. Empty: all namespaces.'),
    logLevel: z
      .enum(['', ...LOG_LEVELS])
      .describe('Log level of the controller, the webhook and the agent. Empty: info.'),
    controller: z
      .object(deploymentSettings('controller'))
      .strict()
      .describe('The controller, which runs NodeOps, NodeOpUpgrades and OSArtifacts.'),
    webhook: z
      .object(deploymentSettings('webhook'))
      .strict()
      .describe('The admission webhook, which sets defaults and validates objects.'),
    agent: z.object(podSettings('agent')).strict().describe('The agent, which runs on every Linux node.'),
    osArtifacts: z
      .object({
        enabled: z
          .boolean()
          .describe('Build OSArtifacts. When disabled, the controller has no permission to read Secrets.'),
      })
      .strict(),
    crds: z
      .object({
        create: z.boolean().describe('Install the CustomResourceDefinitions and update them with every upgrade.'),
        keep: z
          .boolean()
          .describe(
            'Keep the CustomResourceDefinitions, and with them all custom resources, when the release is uninstalled.',
          ),
      })
      .strict(),
    userRoles: z
      .object({
        create: z.boolean().describe('Create the ClusterRoles for users: admin, editor and viewer of each kind.'),
      })
      .strict(),
    migration: z
      .object({
        create: z
          .boolean()
          .describe(
            'Grant the permissions to remove the roles and bindings of the Go operator. Needed only during the migration.',
          ),
      })
      .strict(),
    admissionPolicies: z
      .object({
        create: z
          .boolean()
          .describe(
            'Create the ValidatingAdmissionPolicies that restrict each agent to its own node. Disable them only before Kubernetes 1.30, which does not support them.',
          ),
      })
      .strict(),
    networkPolicy: z
      .object({
        create: z
          .boolean()
          .describe(
            'Create NetworkPolicies that allow the controller and the webhook to connect only to the ports below, at any address.',
          ),
        apiServerPorts: z
          .array(z.int().min(1).max(65535))
          .min(1) // an empty list in a NetworkPolicy would allow every port
          .describe('Ports on which the API server itself listens, behind its Service.'),
      })
      .strict(),
  })
  .strict();
export type Values = z.infer<typeof Values>;
