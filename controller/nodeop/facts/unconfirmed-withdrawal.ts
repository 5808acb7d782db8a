/** When a failed node whose agent does not confirm the withdrawal of its reboot is counted as failed. Pure. */
import type { Operation } from '../../../api/node-agent.js';
import { after } from '../../../program/clock.js';
import { isReady, type CachedNode } from '../../cluster/node.js';

/** An agent that is alive answers within this time: it waits up to 5 minutes for a reboot that it has already called. */
const CONFIRMATION_SECONDS = 360;

/** When the node is counted as failed even if it is Ready. */
export const confirmationDeadline = ({ stepTimes }: Operation, now: Date): Date =>
  after(new Date(stepTimes.Withdraw ?? now), CONFIRMATION_SECONDS);

/**
 * Whether the withdrawal has been waited for long enough: other nodes go on, while the claim and the cordon of this one stay until its agent
 * answers. A node that is not Ready is down already, so that its deadline was that of the reboot.
 */
export const isOverdue = (ledger: Operation | undefined, node: CachedNode | undefined, now: Date): boolean =>
  ledger?.result?.phase === 'Failed' &&
  ledger.rebootWithdrawn === true &&
  ledger.stepTimes.Withdraw !== undefined &&
  (!isReady(node) || now >= confirmationDeadline(ledger, now));
