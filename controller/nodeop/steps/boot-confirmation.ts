/** Of a Job that was taken over only the agent can tell whether the machine was started since it ended. */
import { isBootConfirmed, isAdopted } from '../../cluster/adopted-job.js';
import { isReady } from '../../cluster/node.js';
import { after } from '../../../program/clock.js';
import { type Facts, fail, type StepResult, wait } from '../facts/facts.js';

/** Undefined: it can be told, or the Job's own sentinel will. */
export function awaitBootConfirmation({ job, node, agent, nodeOp, name, now }: Facts): StepResult | undefined {
  if (!isAdopted(job) || isBootConfirmed({ node, agent })) return undefined;
  if (nodeOp.isDeleting) return fail('Deleted', 'the operation was deleted before its reboot');
  const told = nodeOp.status.nodeStatuses?.[name];
  const since = told?.reason === 'WaitingForAgent' && told.lastUpdated !== undefined ? new Date(told.lastUpdated) : now;
  const seconds = nodeOp.spec.rebootTimeoutSeconds;
  const until = after(since, seconds);
  if (now < until) return wait('WaitingForAgent', 'waiting for the agent to say when the node was started', until);
  return isReady(node)
    ? fail('AgentNotAnswering', `the agent of node ${name} did not say within ${seconds} s when the node was started`)
    : fail('Unreachable', `the node was not Ready within ${seconds} s after its Job`);
}
