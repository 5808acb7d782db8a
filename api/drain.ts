/** How a node is emptied before work on it. */
import * as z from 'zod';

const fields = {
  gracePeriodSeconds: z
    .int32()
    .optional()
    .describe("Grace period of evicted pods in seconds. Unset or negative: each pod's own."),
  timeoutSeconds: z.int32().min(0).default(300).describe('How long to wait for all pods to be gone; 0 means no limit.'),
  onTimeout: z
    .enum(['Fail', 'Delete', 'Proceed'])
    .default('Fail')
    .describe(
      'When pods are still there after timeoutSeconds: fail the node, delete them past their budgets, or go on.',
    ),
};

const flags = (enabled: boolean, deleteEmptyDirData: boolean) => ({
  enabled: z.boolean().default(enabled).describe('Evict pods before the operation. Needs cordon.'),
  force: z.boolean().default(false).describe('Evict pods that no controller would start again, too.'),
  ignoreDaemonSets: z
    .boolean()
    .default(true)
    .describe('Leave pods of DaemonSets where they are. When false, such a pod makes the drain fail.'),
  deleteEmptyDirData: z
    .boolean()
    .default(deleteEmptyDirData)
    .describe('Evict pods with emptyDir volumes, too; their data is lost.'),
});

/** For a NodeOp: off unless asked for. */
export const DrainOptions = z.object({ ...flags(false, false), ...fields });
export type DrainOptions = z.infer<typeof DrainOptions>;

/** For a NodeOpUpgrade: on unless refused. */
export const UpgradeDrainOptions = z.object({ ...flags(true, true), ...fields });
