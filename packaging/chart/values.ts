/** What a user of the chart may set: one schema, from which values.yaml and values.schema.json are printed. */
import * as z from 'zod';
import { LOG_LEVELS } from '../../program/log.js';
import {
  className,
  image,
  imageIfAny,
  moreSettings,
  namespaceName,
  type OWN_SETTINGS,
  product,
  registry,
  secretName,
} from './value-parts.js';

const loose = () => z.record(z.string(), z.unknown());
const looseList = () => z.array(loose());
const labels = () => z.record(z.string(), z.string());

/** What is true of any Pod of ours: where it runs, what it may use. */
const placement = (program: keyof typeof OWN_SETTINGS) => ({
  priorityClassName: className().describe('What is pushed out first when a node is full.'),
  nodeSelector: labels().describe('Labels of the nodes it may run on.'),
  tolerations: looseList().describe('Taints that do not keep it away.'),
  resources: loose().describe(
    'What it asks for, and the most it gets. Flags of Node in its command belong to the memory limit.',
  ),
  podAnnotations: labels().describe('Annotations of its Pods.'),
  env: moreSettings(program),
});

const deployment = (program: 'controller' | 'webhook') => ({
  replicas: z.int().min(0).describe('How many of them. Of controllers one works, the others wait.'),
  ...placement(program),
  affinity: loose().describe('Nodes it prefers: control planes, which a stolen worker does not reach.'),
});

export const Values = z
  .object({
    global: loose().optional().describe('Of the chart that this one is a part of. Nothing is read from it.'),
    enabled: z.boolean().optional().describe('For the condition of a chart that this one is a part of.'),
    namespace: z
      .object({
        name: namespaceName().describe('Where the operator lives.'),
        create: z
          .boolean()
          .describe(
            "Make the namespace, with the PodSecurity label that the agent needs. Never done for the release's own namespace: Helm makes that.",
          ),
      })
      .strict()
      .describe('Of the operator; that of the release, where Helm keeps its notes, may be another.'),
    images: z
      .object({
        registry: registry().describe(
          'Takes the place of the registry of every image below, such as mirror.example:5000/kairos. Empty: as they are.',
        ),
        pullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).describe("Of the operator's own Pods."),
        pullSecrets: z
          .array(z.object({ name: secretName() }).strict())
          .describe(
            'For every Pod of the operator and every Pod it makes. Needed in the namespaces of operations, too.',
          ),
        operator: product().describe('Controller and webhook.'),
        agent: product().describe('The agent; also leaves the word of a Job that succeeded.'),
        nodeopDefault: image().describe('Of operations that name none.'),
        sentinel: imageIfAny().describe("With a shell, for the last step of a Job with reboot. Empty: the agent's."),
        tool: image().describe('auroraboot, for OSArtifacts.'),
        buildah: image().describe('buildah, for OSArtifacts.'),
        kairosInit: image().describe('kairos-init, for OSArtifacts.'),
      })
      .strict(),
    allowedNamespaces: z
      .array(namespaceName())
      .describe('Where NodeOps and NodeOpUpgrades are obeyed. Empty: everywhere.'),
    logLevel: z.enum(['', ...LOG_LEVELS]).describe('Of all programs. Empty: info.'),
    controller: z.object(deployment('controller')).strict().describe('Decides and schedules.'),
    webhook: z.object(deployment('webhook')).strict().describe('Completes and judges wishes.'),
    agent: z.object(placement('agent')).strict().describe('On every Linux node.'),
    osArtifacts: z
      .object({
        enabled: z
          .boolean()
          .describe('Whether OSArtifacts are built. Without them the right to read Secrets is not granted.'),
      })
      .strict(),
    crds: z
      .object({
        create: z.boolean().describe('Install the kinds, and change them with every upgrade.'),
        keep: z
          .boolean()
          .describe('Leave them, and with them all objects of these kinds, when the release is uninstalled.'),
      })
      .strict(),
    userRoles: z
      .object({ create: z.boolean().describe('The roles for people: admin, editor and viewer of each kind.') })
      .strict(),
    migration: z
      .object({
        create: z
          .boolean()
          .describe('Rights to clear away what the operator written in Go has made; for that day alone.'),
      })
      .strict(),
    admissionPolicies: z
      .object({
        create: z
          .boolean()
          .describe(
            'What narrows an agent to its own node. false only before Kubernetes 1.30, which does not know them.',
          ),
      })
      .strict(),
    networkPolicy: z
      .object({
        create: z.boolean().describe('Let controller and webhook connect to the ports below alone, at any address.'),
        apiServerPorts: z
          .array(z.int().min(1).max(65535))
          .min(1) // a policy with an empty list opens every port
          .describe('Ports on which the API server listens, behind its Service.'),
      })
      .strict(),
  })
  .strict();
export type Values = z.infer<typeof Values>;
