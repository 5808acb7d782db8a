/** NodeOp: runs a command on nodes, with optional cordon, drain and reboot. */
import * as z from 'zod';
import { DrainOptions } from './drain.js';
import { seconds } from './meta.js';
import { ReleaseCheck } from './node-agent.js';
import { operationStatusFields } from './node-status.js';
import { operationFields } from './operation-fields.js';
import { changeable } from './spec-fields.js';

const oneOfTwo = 'exactly one of command and release must be given';

const Preflight = z
  .object({
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        'Command to run on the node before anything is changed on it. Exit code 0 with an empty termination message: continue. Exit code 0 with a termination message: skip the node, for the reason in that message. Any other exit code: the node fails.',
      ),
    image: z.string().optional().describe('Image of the command; the image of the operation when absent.'),
    activeDeadlineSeconds: seconds('How long the command may run, from the start of its container.', 1).default(120),
    release: ReleaseCheck.optional().describe(
      "Let the node's agent compare the host with this release. Written by the upgrade controller.",
    ),
  })
  .refine(preflight => (preflight.command === undefined) !== (preflight.release === undefined), oneOfTwo)
  .meta({ 'x-kubernetes-validations': [{ rule: 'has(self.command) != has(self.release)', message: oneOfTwo }] });

const Verify = z.object({
  version: z.string().optional().describe('Version triple that the node must run after its reboot.'),
  bootState: z.enum(['active']).optional().describe('System that the node must have booted.'),
});

export const NodeOpSpec = z.object({
  ...operationFields,
  image: z.string().optional().describe("Image of the command; the operator's default image when absent."),
  command: z
    .array(z.string())
    .min(1)
    .describe("Command to run on each node, in a privileged container with the host's root at hostMountPath."),
  hostMountPath: z
    .string()
    .regex(/^\/+\.*[^:/.][^:]*$/, 'must be an absolute path other than /, without ":"')
    .default('/host')
    .describe("Where the host's root is mounted; also in the environment variable HOST_DIR."),
  cordon: z.boolean().default(false).describe('Mark the node unschedulable first, and schedulable again at the end.'),
  drainOptions: DrainOptions.optional().describe('How to drain the node before the command. Requires cordon.'),
  rebootOnSuccess: z.boolean().default(false).describe('Reboot the node after the command has succeeded.'),
  preflight: Preflight.optional().describe('Check of the node before anything is changed on it.'),
  verify: Verify.optional().describe('What must be true after the reboot. Written by the upgrade controller.'),
  prePull: z
    .boolean()
    .optional()
    .describe('Pull the image before the node is cordoned; true when the operation cordons.'),
  activeDeadlineSeconds: seconds('How long the Job may run; no limit when absent.', 1).optional(),
  settleSeconds: changeable(
    seconds(
      'How long to wait after node and pods are Ready again before the node counts as completed. When absent: 30 on control planes of an upgrade, otherwise 0.',
    ).optional(),
  ),
});
export type NodeOpSpec = z.infer<typeof NodeOpSpec>;

export const NodeOpStatus = z.object({
  phase: z
    .enum(['Pending', 'Running', 'Completed', 'Failed'])
    .optional()
    .describe('Pending, Running, Completed or Failed. The last two are final.'),
  ...operationStatusFields,
});
export type NodeOpStatus = z.infer<typeof NodeOpStatus>;
