/** NodeOpUpgrade: upgrades Kairos nodes to the system in an image. */
import * as z from 'zod';
import { UpgradeDrainOptions } from './drain.js';
import { FirstSeen, seconds, time } from './meta.js';
import { operationStatusFields } from './node-status.js';
import { operationFields } from './operation-fields.js';
import { Release } from './release.js';
import { changeable } from './spec-fields.js';

/** Guards of an upgrade, each of which can be disabled. */
export const ALLOWANCES = [
  'Architecture',
  'TrustedBoot',
  'KubernetesSkew',
  'FallenBack',
  'Downgrade',
  'NotKairos',
] as const;

const nothingToDo = 'upgradeActive and upgradeRecovery must not both be false: there would be nothing to do';

export const NodeOpUpgradeSpec = z
  .object({
    ...operationFields,
    image: z.string().min(1).describe('Image with the system to upgrade to.'),
    upgradeActive: z.boolean().optional().describe('Upgrade the active system, and reboot into it; true when absent.'),
    upgradeRecovery: z.boolean().optional().describe('Upgrade the recovery system; false when absent.'),
    force: z
      .boolean()
      .optional()
      .describe('Upgrade every target without comparing versions and without guards; false when absent.'),
    debug: z.boolean().optional().describe('Run kairos-agent with debug logging; false when absent.'),
    excludePaths: z.array(z.string()).optional().describe('Paths inside the image that are not written to the host.'),
    drainOptions: UpgradeDrainOptions.optional().describe(
      'How to drain each node. When absent, nodes are drained, and data in emptyDir volumes is lost.',
    ),
    activeDeadlineSeconds: seconds('How long the upgrade may run on a node.', 1).default(3600),
    settleSeconds: changeable(
      seconds(
        'How long to wait after node and pods are Ready again before the node counts as completed. When absent: 30 on control planes, 0 on other nodes.',
      ).optional(),
    ),
    prePull: z.boolean().default(true).describe('Pull the image before the node is cordoned.'),
    allow: z
      .array(z.enum(ALLOWANCES))
      .optional()
      .describe('Guards to disable: Architecture, TrustedBoot, KubernetesSkew, FallenBack, Downgrade, NotKairos.'),
  })
  .refine(spec => spec.upgradeActive !== false || spec.upgradeRecovery === true, {
    path: ['upgradeRecovery'],
    error: nothingToDo,
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '(!has(self.upgradeActive) || self.upgradeActive) || (has(self.upgradeRecovery) && self.upgradeRecovery)',
        message: nothingToDo,
      },
    ],
  });
export type NodeOpUpgradeSpec = z.infer<typeof NodeOpUpgradeSpec>;

export const UpgradeTarget = z.object({
  version: z.string().optional().describe('Version triple found in the image.'),
  digest: z.string().optional().describe('Digest to which the container runtime resolved the image.'),
  releases: z.record(z.string(), Release).optional().describe('Releases found in the image, by architecture.'),
  probedAt: time('When the image was read.').optional(),
});
export type UpgradeTarget = z.infer<typeof UpgradeTarget>;

export const NodeOpUpgradeStatus = z.object({
  phase: z
    .enum(['Initializing', 'Pending', 'Running', 'Completed', 'Failed'])
    .optional()
    .describe('Initializing, then the phase of the NodeOp: Pending, Running, Completed or Failed.'),
  ...operationStatusFields,
  nodeOpName: z
    .string()
    .optional()
    .describe('NodeOp that does the work; it has the name and namespace of the upgrade.'),
  target: UpgradeTarget.optional().describe('Contents of the image.'),
  pullErrors: z
    .array(FirstSeen)
    .optional()
    .describe('When errors in pulling the image were first seen, while the image is read.'),
});
export type NodeOpUpgradeStatus = z.infer<typeof NodeOpUpgradeStatus>;
