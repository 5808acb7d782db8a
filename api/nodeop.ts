/** NodeOp: run a command on nodes, with cordon, drain and reboot as asked. */
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
        'Command to run on the node before anything is touched. Exit 0 with nothing in the termination message: go on; exit 0 with a text there: nothing to do, the text says why; anything else: the node failed.',
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
  version: z.string().optional().describe('Version triple the node must run after its reboot.'),
  bootState: z.enum(['active']).optional().describe('System the node must have started from.'),
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
  drainOptions: DrainOptions.optional().describe('How to empty the node before the command. Needs cordon.'),
  rebootOnSuccess: z.boolean().default(false).describe('Reboot the node once the command succeeded.'),
  preflight: Preflight.optional().describe('A look at the node before anything is touched.'),
  verify: Verify.optional().describe('What must be true after the reboot. Written by the upgrade controller.'),
  prePull: z
    .boolean()
    .optional()
    .describe('Pull the image before the node is cordoned; true when the operation cordons.'),
  activeDeadlineSeconds: seconds('How long the Job may run; no limit when absent.', 1).optional(),
  settleSeconds: changeable(
    seconds(
      'How long to wait after node and pods are Ready again before the node counts as done; when absent 0, and 30 on control planes of an upgrade.',
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
