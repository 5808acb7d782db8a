/** How a node is drained. */
import * as z from 'zod';

const fields = {
  gracePeriodSeconds: z
    .int32()
    .optional()
    .describe('Grace period of evicted pods in seconds; that of each pod when absent or negative.'),
  timeoutSeconds: z
    .int32()
    .min(0)
    .default(300)
    .describe('How long to wait until all pods have terminated; 0 means no limit.'),
  onTimeout: z
    .enum(['Fail', 'Delete', 'Proceed'])
    .default('Fail')
    .describe(
      'What to do if pods remain after timeoutSeconds: fail the node, delete them regardless of their disruption budgets, or proceed.',
    ),
};

const flags = (enabled: boolean, deleteEmptyDirData: boolean) => ({
  enabled: z.boolean().default(enabled).describe('Evict pods before the operation. Requires cordon.'),
  force: z.boolean().default(false).describe('Evict pods without a controller, too; nothing recreates them.'),
  ignoreDaemonSets: z
    .boolean()
    .default(true)
    .describe('Leave pods of DaemonSets running. When false, the drain fails if there is such a pod.'),
  deleteEmptyDirData: z
    .boolean()
    .default(deleteEmptyDirData)
    .describe('Evict pods with emptyDir volumes, too; the data in them is lost.'),
});

/** Of a NodeOp: disabled by default. */
export const DrainOptions = z.object({ ...flags(false, false), ...fields });
export type DrainOptions = z.infer<typeof DrainOptions>;

/** Of a NodeOpUpgrade: enabled by default. */
export const UpgradeDrainOptions = z.object({ ...flags(true, true), ...fields });
