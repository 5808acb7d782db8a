/** What a NodeOp reports about one node, and about all of them. Written by the controller. */
import * as z from 'zod';
import { Condition, time } from './meta.js';
import { REASON_NAMES } from './reasons.js';

/** The steps of the walk, first to last. */
export const STEP_NAMES = [
  'Claim',
  'Preflight',
  'Pull',
  'ControlPlane',
  'Cordon',
  'Drain',
  'Run',
  'Reboot',
  'Verify',
  'Stop',
  'Withdraw',
  'Uncordon',
  'Release',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

export const NodeStatus = z.object({
  phase: z
    .enum(['Preflight', 'Pending', 'Running', 'Completed', 'Failed'])
    .describe('Where the node stands: Preflight, Pending, Running, Completed or Failed.'),
  step: z.enum(STEP_NAMES).optional().describe('Step the node is at, while it is worked on.'),
  reason: z.enum(REASON_NAMES).optional().describe('One word for why it waits or how it ended.'),
  message: z.string().optional().describe('A sentence for people.'),
  jobName: z.string().optional().describe('Job that runs the command on the node.'),
  rebootStatus: z
    .enum(['not-requested', 'cancelled', 'pending', 'completed'])
    .optional()
    .describe('not-requested, pending, completed, or cancelled because the command failed.'),
  ending: z.enum(['Completed', 'Failed']).optional().describe('How it will end, while things are being undone.'),
  nodeUid: z.string().optional().describe('Uid of the node, while it is worked on.'),
  jobUid: z.string().optional().describe('Uid of its Job, while it is worked on.'),
  attempt: z.int32().optional().describe('1, and one more for each retry that included the node.'),
  startedAt: time('When the node was claimed.').optional(),
  completedAt: time('When the node was done or had failed.').optional(),
  lastUpdated: time('When this entry last changed.').optional(),
  bootIdBefore: z.string().optional().describe('Boot id of the node before its Job.'),
  bootIdAfter: z.string().optional().describe('Boot id of the node after its reboot.'),
  stepTimes: z.record(z.string(), z.string()).optional().describe('When each step was begun.'),
  log: z.string().optional().describe('Last lines of the log of a container that failed.'),
  exitCode: z.int32().optional().describe('Exit code of that container.'),
});
export type NodeStatus = z.infer<typeof NodeStatus>;

export const NodeCounts = z.object({
  total: z.int32().describe('Target nodes.'),
  pending: z.int32().describe('Not started yet.'),
  active: z.int32().describe('Being worked on.'),
  completed: z.int32().describe('Done, those with nothing to do included.'),
  skipped: z.int32().describe('Of the completed ones: nothing was to be done.'),
  failed: z.int32().describe('Failed.'),
});
export type NodeCounts = z.infer<typeof NodeCounts>;

/** The entries by node name; one writer, so that the map is atomic: field ownership of single entries would cost 240 bytes each. */
export const nodeStatuses = () =>
  z
    .record(z.string(), NodeStatus)
    .optional()
    .describe('State of every target node, by name.')
    .meta({ 'x-kubernetes-map-type': 'atomic' });

/** Status fields that both kinds of operation have. */
export const operationStatusFields = {
  message: z.string().optional().describe('A sentence for people.'),
  observedGeneration: z.int().optional().describe('metadata.generation that this status is about.'),
  conditions: z
    .array(Condition)
    .optional()
    .describe('Complete, Failed, Reconciling, Stalled.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  startedAt: time('When the targets were fixed.').optional(),
  completedAt: time('When the last node ended.').optional(),
  nodes: NodeCounts.optional().describe('How many nodes stand where.'),
  retry: z.string().optional().describe('Value of the annotation operator.kairos.io/retry that was last acted on.'),
  progress: z.string().optional().describe('Ended nodes of all targets, such as 3/20.'),
  nodeStatuses: nodeStatuses(),
};
