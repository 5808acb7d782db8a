/** Fields that a NodeOp and a NodeOpUpgrade have in common. */
import * as z from 'zod';
import { concurrency, LabelSelector, LocalObjectReference, seconds } from './meta.js';
import { changeable } from './spec-fields.js';

export const operationFields = {
  nodeSelector: LabelSelector.optional().describe('Which nodes; all Linux nodes when absent.'),
  imagePullSecrets: z
    .array(LocalObjectReference)
    .optional()
    .describe('Secrets for private registries, in the namespace of this object.'),
  concurrency: changeable(concurrency()),
  stopOnFailure: changeable(z.boolean().default(false).describe('Start no further node after the first one failed.')),
  uncordonOnFailure: z
    .boolean()
    .default(false)
    .describe('Uncordon a node that failed after its Job began; otherwise it stays cordoned for inspection.'),
  paused: changeable(
    z.boolean().default(false).describe('Start no further node; nodes that are under way are finished.'),
  ),
  backoffLimit: z.int32().min(0).default(3).describe('Retries of the command before the node counts as failed.'),
  pullDeadlineSeconds: seconds('How long a pull of the image may take.', 1).default(3600),
  startDeadlineSeconds: seconds(
    'How long a node may keep from starting: not Ready when its turn has come, or its Pod scheduled with nothing being pulled.',
    1,
  ).default(600),
  rebootTimeoutSeconds: seconds('How long a reboot may take, from asking for it to a new boot id.', 1).default(1800),
  verifyTimeoutSeconds: seconds(
    'How long the node and its DaemonSet pods may take to become Ready again after a reboot.',
    1,
  ).default(600),
  ttlSecondsAfterFinished: changeable(
    seconds('When the Jobs of the operation are removed after they finished. The object itself stays.').optional(),
  ),
};
