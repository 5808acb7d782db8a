/** The controller's settings: its own names, and those of the Go operator where they still mean something. */
import * as z from 'zod';
import { baseAliases, baseSettings, configReader, booleanSetting, listSetting } from '../program/config.js';
import type { Tools } from './artifact/build/container.js';
import type { JobSettings } from './nodeop/facts/manifests.js';

const settings = z.object({
  ...baseSettings,
  podName: z.string().optional().describe('Name of this Pod: the identity of the leader. The host name when absent.'),
  podNamespace: z.string().default('operator-system').describe('Namespace of the operator, where its leases are.'),
  nodeName: z.string().optional().describe('Node that this Pod runs on; it is worked on last in its class.'),
  kubeconfig: z.string().optional().describe('Kubeconfig to use outside a cluster.'),
  agentImage: z
    .string()
    .optional()
    .describe("The agent's image; leaves the sentinel of a Job unless sentinelImage is set."),
  sentinelImage: z.string().optional().describe('Image with a shell that leaves the sentinel of a Job instead.'),
  nodeopDefaultImage: z.string().default('busybox:latest').describe('Image of a NodeOp that names none.'),
  allowedNamespaces: listSetting()
    .default([])
    .describe('Namespaces where NodeOps and NodeOpUpgrades are obeyed; all when empty.'),
  imagePullSecrets: listSetting()
    .default([])
    .describe('Secrets by which every Pod that it makes pulls, in the namespace of each.'),
  buildArtifacts: booleanSetting()
    .default(true)
    .describe('Whether OSArtifacts are built; where not, the right to Secrets can be taken away.'),
  toolImage: z
    .string()
    .default('quay.io/kairos/auroraboot:v0.24.0')
    .describe('Image with auroraboot, which makes media and disks of an image.'),
  buildahImage: z
    .string()
    .default('quay.io/buildah/stable:v1.43.1')
    .describe('Image with buildah, which builds the image of an OSArtifact.'),
  kairosInitImage: z
    .string()
    .default('quay.io/kairos/kairos-init:v0.16.1')
    .describe('Image with kairos-init, which makes a Kairos system of a plain Linux.'),
  buildDeadlineSeconds: z.coerce
    .number()
    .int()
    .min(60)
    .default(12 * 3600)
    .describe('How long the build of an OSArtifact may take; one that hangs ends then.'),
});
export type Config = z.output<typeof settings>;

export const readConfig = configReader({
  program: 'controller',
  purpose: 'Schedules NodeOps and NodeOpUpgrades over the nodes of a cluster.',
  settings,
  aliases: {
    ...baseAliases,
    podName: { env: ['CONTROLLER_POD_NAME'] },
    podNamespace: { env: ['CONTROLLER_POD_NAMESPACE'] },
  },
});

/** Undefined: nothing is built. */
export function toolsFrom(config: Config): Tools | undefined {
  const { buildArtifacts, toolImage, buildahImage, kairosInitImage, buildDeadlineSeconds } = config;
  if (!buildArtifacts) return undefined;
  return { tool: toolImage, buildah: buildahImage, kairosInit: kairosInitImage, deadlineSeconds: buildDeadlineSeconds };
}

/** Writes the sentinel of a Job with a shell and commands that every small image has. */
const SENTINEL_SCRIPT = [
  'set -e',
  'file="$SENTINEL_DIR/$JOB_NAME-$(date +%s)"',
  'cat /proc/sys/kernel/random/boot_id > "$SENTINEL_DIR/.$JOB_NAME.tmp"',
  'sync',
  'mv "$SENTINEL_DIR/.$JOB_NAME.tmp" "$file"',
  'sync',
].join('\n');

/** What writes the sentinel: the agent's image, which every node has, or an image with a shell. */
export const sentinelFrom = (config: { agentImage?: string; sentinelImage?: string }): JobSettings['sentinel'] =>
  config.sentinelImage !== undefined || config.agentImage === undefined
    ? { image: config.sentinelImage ?? 'busybox:latest', command: ['sh', '-c', SENTINEL_SCRIPT] }
    : { image: config.agentImage, command: ['node', '/app/agent.cjs', 'sentinel'] };
