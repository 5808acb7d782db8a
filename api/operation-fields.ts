/** Spec fields of both NodeOp and NodeOpUpgrade. An upgrade copies them to its NodeOp. */
import * as z from 'zod';
import { concurrency, LabelSelector, LocalObjectReference, seconds } from './meta.js';
import { changeable } from './spec-fields.js';

export const operationFields = {
  nodeSelector: LabelSelector.optional().describe('Nodes to work on; all Linux nodes when absent.'),
  imagePullSecrets: z
    .array(LocalObjectReference)
    .optional()
    .describe('Secrets for private registries, in the namespace of this object.'),
  concurrency: changeable(concurrency()),
  stopOnFailure: changeable(z.boolean().default(false).describe('Start no further node after the first failure.')),
  uncordonOnFailure: z
    .boolean()
    .default(false)
    .describe('Uncordon a node that failed after its Job started; otherwise it stays cordoned for inspection.'),
  paused: changeable(z.boolean().default(false).describe('Start no further node; active nodes finish.')),
  backoffLimit: z.int32().min(0).default(3).describe('Retries of the command before the node counts as failed.'),
  pullDeadlineSeconds: seconds('How long the image pull may take.', 1).default(3600),
  startDeadlineSeconds: seconds(
    'How long the start of a node may be delayed: because it is not Ready when its turn comes, or because its Pod is scheduled and neither pulls nor starts.',
    1,
  ).default(600),
  rebootTimeoutSeconds: seconds('How long a reboot may take, from the request to a new boot id.', 1).default(1800),
  verifyTimeoutSeconds: seconds(
    'How long the node and its DaemonSet pods may take to become Ready again after a reboot.',
    1,
  ).default(600),
  priorityClassName: z
    .string()
    .optional()
    .describe(
      'PriorityClass of the Pods that run the command. When absent: system-node-critical where the operation drains or reboots, otherwise none.',
    ),
  ttlSecondsAfterFinished: changeable(
    seconds('When the Jobs of the operation are removed after they finished. The object itself stays.').optional(),
  ),
};
