/** Settings of the controller. Names of the Go operator are accepted where they still apply. */
import * as z from 'zod';
import { baseAliases, baseSettings, configReader, booleanSetting, listSetting } from '../program/config.js';
import type { Tools } from './artifact/build/container.js';
import { TOOL_IMAGES } from './artifact/build/tool-images.js';
import { SHELL_IMAGE } from './default-images.js';
import { sentinelContainer } from './sentinel.js';

const settings = z.object({
  ...baseSettings,
  podName: z
    .string()
    .optional()
    .describe('Name of this Pod, used as its identity in leader election. The host name when absent.'),
  podNamespace: z.string().default('operator-system').describe('Namespace of the operator and of its Leases.'),
  nodeName: z
    .string()
    .optional()
    .describe('Node that this Pod runs on; among control planes or workers it comes last.'),
  kubeconfig: z.string().optional().describe('Path of a kubeconfig, for running outside a cluster.'),
  agentImage: z
    .string()
    .optional()
    .describe('Image of the agent; it also writes the sentinel of a Job, unless sentinelImage is set.'),
  sentinelImage: z.string().optional().describe('Image with a shell that writes the sentinel of a Job instead.'),
  nodeopDefaultImage: z.string().default(SHELL_IMAGE).describe('Image for NodeOps without spec.image.'),
  allowedNamespaces: listSetting()
    .default([])
    .describe('Namespaces in which NodeOps and NodeOpUpgrades may run; all when empty.'),
  imagePullSecrets: listSetting()
    .default([])
    .describe('Pull Secrets for every Pod that the controller creates, in the namespace of the Pod.'),
  buildArtifacts: booleanSetting()
    .default(true)
    .describe('Whether to build OSArtifacts; without them the controller needs no permission for Secrets.'),
  toolImage: z
    .string()
    .default(TOOL_IMAGES.tool)
    .describe('Image with auroraboot, which creates installation media and disk images.'),
  buildahImage: z
    .string()
    .default(TOOL_IMAGES.buildah)
    .describe('Image with buildah, which builds the container image of an OSArtifact.'),
  kairosInitImage: z
    .string()
    .default(TOOL_IMAGES.kairosInit)
    .describe('Image with kairos-init, which turns a plain Linux image into a Kairos image.'),
  buildDeadlineSeconds: z.coerce
    .number()
    .int()
    .min(60)
    .default(12 * 3600)
    .describe('How long the build of an OSArtifact may take before it is stopped.'),
  unconfinedBuildah: booleanSetting()
    .default(false)
    .describe(
      'Whether buildah runs without AppArmor and seccomp profiles, for nodes whose profiles forbid it to unshare and mount.',
    ),
  buildScratchGib: z.coerce
    .number()
    .int()
    .min(1)
    .default(64)
    .describe(
      'How many GiB of its node the build of an OSArtifact may use, beside its files and three times the diskSize.',
    ),
});
export type Config = z.output<typeof settings>;

export const readConfig = configReader({
  program: 'controller',
  purpose: 'Runs NodeOps and NodeOpUpgrades on the nodes of a cluster, and builds OSArtifacts.',
  settings,
  aliases: {
    ...baseAliases,
    podName: { env: ['CONTROLLER_POD_NAME'] },
    podNamespace: { env: ['CONTROLLER_POD_NAMESPACE'] },
  },
});

/** The settings of the controllers, without what only the program itself needs. */
export const controllerSettings = (config: Config) => ({
  defaultImage: config.nodeopDefaultImage,
  sentinel: sentinelContainer(config),
  ownNamespace: config.podNamespace,
  ownNode: config.nodeName,
  tools: toolsFrom(config),
  allowedNamespaces: config.allowedNamespaces,
});

/** Undefined when OSArtifacts are disabled. */
function toolsFrom(config: Config): Tools | undefined {
  const { buildArtifacts, toolImage, buildahImage, kairosInitImage, buildDeadlineSeconds } = config;
  if (!buildArtifacts) return undefined;
  return {
    tool: toolImage,
    buildah: buildahImage,
    kairosInit: kairosInitImage,
    deadlineSeconds: buildDeadlineSeconds,
    scratchGiB: config.buildScratchGib,
    unconfinedBuildah: config.unconfinedBuildah,
  };
}

/** Where a distribution keeps its own components. */
const SYSTEM_NAMESPACE = 'kube-system';

/** Settings that work, but that their user should know about. */
export const configWarnings = ({ podNamespace }: Pick<Config, 'podNamespace'>): string[] =>
  podNamespace === SYSTEM_NAMESPACE
    ? [
        `the operator runs in namespace ${SYSTEM_NAMESPACE}: anyone who may create Pods or read Secrets there has its permissions; a namespace of its own is safer`,
      ]
    : [];
