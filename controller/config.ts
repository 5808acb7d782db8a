/** The controller's settings: its own names, and those of the Go operator where they still mean something. */
import * as z from 'zod';
import { baseAliases, baseSettings, configReader } from '../program/config.js';

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
