/** For an adopted Job, only the agent can tell whether the node has booted since the Job ended. */
import { isBootConfirmed, isAdopted } from '../../cluster/adopted-job.js';
import { firstSeen } from '../../cluster/first-seen.js';
import { isReady } from '../../cluster/node.js';
import { after } from '../../../program/clock.js';
import { act, type Facts, fail, type StepResult, wait } from '../facts/facts.js';

/** Undefined when the agent has reported the boot, and for other Jobs, whose sentinel holds the boot id. */
export function awaitBootConfirmation(facts: Facts): StepResult | undefined {
  const { job, node, agent, nodeOp, name, now, ledger } = facts;
  if (!isAdopted(job) || isBootConfirmed({ node, agent })) return undefined;
  if (nodeOp.isDeleting) return fail('Deleted', 'the operation was deleted before its reboot');
  const waiting = firstSeen(`unconfirmed boot after Job ${job.metadata.uid}`, [ledger?.waiting], now);
  const seconds = nodeOp.spec.rebootTimeoutSeconds;
  const until = after(new Date(waiting.since), seconds);
  const message = 'waiting for the agent to report when the node was started';
  if (waiting !== ledger?.waiting)
    return act({ do: 'record', change: { waiting } }, { reason: 'WaitingForAgent', message, until });
  if (now < until) return wait('WaitingForAgent', message, until);
  return isReady(node)
    ? fail(
        'AgentNotAnswering',
        `the agent of node ${name} did not report within ${seconds} s when the node was started`,
      )
    : fail('Unreachable', `the node was not Ready within ${seconds} s after its Job`);
}
