/** The status that an operation reports for each node and for all of them. Only the controller writes it. */
import * as z from 'zod';
import { Condition, statusUid, time } from './meta.js';
import { REASON_NAMES } from './reasons.js';

/** The steps of an operation on a node, in their order. */
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
    .describe('Phase of the node: Preflight, Pending, Running, Completed or Failed.'),
  step: z.enum(STEP_NAMES).optional().describe('Current step, while the node is claimed.'),
  reason: z
    .enum(REASON_NAMES)
    .optional()
    .describe('What the node is waiting for, or how it finished, in one CamelCase word.'),
  message: z.string().optional().describe('Human-readable message.'),
  jobName: z.string().optional().describe('Job that runs the command on the node.'),
  rebootStatus: z
    .enum(['not-requested', 'cancelled', 'pending', 'completed'])
    .optional()
    .describe('not-requested, pending, completed, or cancelled because the command failed.'),
  ending: z
    .enum(['Completed', 'Failed'])
    .optional()
    .describe('Final phase that the node will have, while the operation is cleaning up on it.'),
  nodeUid: z.string().optional().describe('UID of the node, while it is claimed.'),
  systemUUID: z.string().optional().describe('System UUID of a machine that is to be rebooted, while it is claimed.'),
  jobUid: z.string().optional().describe('UID of the Job, while the node is claimed.'),
  attempt: z.int32().optional().describe('Number of the attempt: 1, plus one for each retry that included the node.'),
  startedAt: time('When the node was claimed.').optional(),
  completedAt: time('When the node completed or failed.').optional(),
  lastUpdated: time('When this entry last changed.').optional(),
  bootIdBefore: z.string().optional().describe('Boot ID of the node before its Job.'),
  bootIdAfter: z.string().optional().describe('Boot ID of the node after its reboot.'),
  stepTimes: z.record(z.string(), z.string()).optional().describe('Start time of each step.'),
  log: z.string().optional().describe('Last lines of the log of the failed container.'),
  exitCode: z.int32().optional().describe('Exit code of the failed container.'),
});
export type NodeStatus = z.infer<typeof NodeStatus>;

export const NodeCounts = z.object({
  total: z.int32().describe('Number of target nodes.'),
  pending: z.int32().describe('Nodes that have not started.'),
  active: z.int32().describe('Nodes in progress.'),
  completed: z.int32().describe('Completed nodes, including the skipped ones.'),
  skipped: z.int32().describe('Completed nodes on which there was nothing to do.'),
  failed: z.int32().describe('Failed nodes.'),
});
export type NodeCounts = z.infer<typeof NodeCounts>;

/** One entry per node name. The map is atomic since it has one writer: tracking field ownership would cost 240 bytes per entry. */
export const nodeStatuses = () =>
  z
    .record(z.string(), NodeStatus)
    .optional()
    .describe('Status of each target node, by node name.')
    .meta({ 'x-kubernetes-map-type': 'atomic' });

/** Status fields of both NodeOp and NodeOpUpgrade. */
export const operationStatusFields = {
  message: z.string().optional().describe('Human-readable message.'),
  observedGeneration: z.int().optional().describe('metadata.generation that this status is based on.'),
  uid: statusUid(),
  conditions: z
    .array(Condition)
    .optional()
    .describe('Conditions: Complete, Failed, Reconciling and Stalled.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  startedAt: time('When the target nodes were selected.').optional(),
  completedAt: time('When the last node finished.').optional(),
  nodes: NodeCounts.optional().describe('Number of nodes by state.'),
  retry: z.string().optional().describe('Last value of the annotation operator.kairos.io/retry that was handled.'),
  progress: z.string().optional().describe('Finished nodes and all target nodes, such as 3/20.'),
  nodeStatuses: nodeStatuses(),
};
