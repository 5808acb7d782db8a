/** For an adopted Job, only the agent can tell whether the node has booted since the Job ended. */
import { isBootConfirmed, isAdopted } from '../../cluster/adopted-job.js';
import { isReady } from '../../cluster/node.js';
import { after } from '../../../program/clock.js';
import { type Facts, fail, type StepResult, wait } from '../facts/facts.js';

/** Undefined when the agent has reported the boot, and for other Jobs, whose sentinel holds the boot id. */
export function awaitBootConfirmation({ job, node, agent, nodeOp, name, now }: Facts): StepResult | undefined {
  if (!isAdopted(job) || isBootConfirmed({ node, agent })) return undefined;
  if (nodeOp.isDeleting) return fail('Deleted', 'the operation was deleted before its reboot');
  const entry = nodeOp.status.nodeStatuses?.[name];
  const isWaiting = entry?.reason === 'WaitingForAgent' && entry.lastUpdated !== undefined;
  const since = isWaiting ? new Date(entry.lastUpdated ?? now) : now;
  const seconds = nodeOp.spec.rebootTimeoutSeconds;
  const until = after(since, seconds);
  if (now < until) return wait('WaitingForAgent', 'waiting for the agent to report when the node was started', until);
  return isReady(node)
    ? fail(
        'AgentNotAnswering',
        `the agent of node ${name} did not report within ${seconds} s when the node was started`,
      )
    : fail('Unreachable', `the node was not Ready within ${seconds} s after its Job`);
}
